"""Is a contact address published whose domain can receive mail?  RFC 5321 section 5.1, RFC 7505."""

from checks.facts import Facts, seen
from checks.facts.instance import ContactDomain, InstanceInfo
from checks.model import (
    MANUAL,
    OUTSIDE,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Text,
    Verdict,
    failed,
    passed,
    warned,
)

PIXELFED = """
    INSTANCE_CONTACT_EMAIL=admin@example.social

    php artisan config:cache"""

DIG = """
    dig +short MX example.social"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(
        OUTSIDE,
        MANUAL,
    ),
    sources=(Source("001", "Preface 4"),),
    references=(
        Reference(
            'RFC 7505: A "Null MX" No Service Resource Record for Domains That Accept No Mail',
            "https://www.rfc-editor.org/rfc/rfc7505",
        ),
        Reference(
            "RFC 2142: Mailbox Names for Common Services, Roles and Functions",
            "https://www.rfc-editor.org/rfc/rfc2142",
        ),
    ),
    title=Text("A published contact address can receive mail", "公開している連絡先にメールが届く"),
    why=Text(
        "Other admins, researchers and the police write to the contact address when something is wrong. If it does not exist, they block your server instead of telling you.",
        "問題があると、他サーバの管理者や研究者、捜査機関が連絡先に知らせてきます。連絡先がなければ、知らされないままサーバごと遮断されます。",
    ),
    expected=Text(
        "The instance shows a contact address, and its domain has a mail server.",
        "インスタンスが連絡先のメールアドレスを公開しており、そのドメインにメールサーバがある状態。",
    ),
    fix=Fix(
        Text(
            "Enter an address that somebody reads in the settings of the software. Free forwarding by the registrar or a CDN is enough; what counts is that it arrives.",
            "ソフトウェアの設定に、誰かが必ず読むメールアドレスを登録します。レジストラや CDN の無料転送でも、届けば十分です。",
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "Administration, Server settings, About: contact e-mail and contact user.",
                    "「管理 → サーバー設定 → サーバー情報」で連絡先のメールアドレスとアカウントを設定します。",
                ),
            ),
            (
                "Akkoma, Pleroma",
                Text(
                    "The key email under :instance, in the configuration file or in the admin interface.",
                    "設定ファイルまたは管理画面の :instance にある email を設定します。",
                ),
            ),
            (
                "Misskey",
                Text(
                    "Control panel, General: maintainer name and mail address.",
                    "コントロールパネルで管理者の名前とメールアドレスを設定します。",
                ),
            ),
            (
                "Pixelfed",
                Text(
                    "In .env, then rebuild the configuration cache:\n" + PIXELFED,
                    ".env に書き、設定のキャッシュを作り直します。\n" + PIXELFED,
                ),
            ),
            (
                "GoToSocial",
                Text(
                    "Settings panel, Admin, Instance settings: contact e-mail and contact account.",
                    "設定パネルの管理者向けページにあるインスタンス設定で、連絡先のメールアドレスとアカウントを設定します。",
                ),
            ),
        ),
    ),
    verify=Text(
        "Send a message to the address from another provider. Its domain needs an MX:\n" + DIG,
        "別のサービスからその宛先へメールを送ってみます。ドメインに MX があることも確認します。\n" + DIG,
    ),
    codes={
        "reachable": Text("Mail to {domain} can be delivered.", "{domain} 宛のメールは配送できます。"),
        "implicit": Text(
            "{domain} has no MX; mail is delivered to its own address, if anything listens there.",
            "{domain} に MX がありません。同名のホストでメールを受けていなければ届きません。",
        ),
        "none_published": Text(
            "No contact address is published.", "連絡先のメールアドレスを公開していません。"
        ),
        "null_mx": Text(
            "{domain} says that it receives no mail (null MX).",
            "{domain} はメールを受け取らないと宣言しています（null MX）。",
        ),
        "no_domain": Text("The domain {domain} does not exist.", "{domain} というドメインは存在しません。"),
        "no_server": Text(
            "Nothing receives mail for {domain}.", "{domain} にメールの受け取り先がありません。"
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    address = seen(facts.get(InstanceInfo).contact_email)
    if not address:
        return failed("none_published").seen("instance API", "contact e-mail: none")
    contact = facts.get(ContactDomain)
    where, lines = f"MX {contact.domain}", "\n".join(contact.mx) or "no MX"
    domain = contact.domain
    if not contact.exists:
        return failed("no_domain", domain=domain).seen(where, "NXDOMAIN")
    if contact.mx and all(record.split()[-1] == "." for record in contact.mx):
        return failed("null_mx", domain=domain).seen(where, lines)
    if contact.mx_resolves:
        return passed("reachable", domain=domain).seen(where, lines)
    if not contact.mx and contact.has_address:
        return warned("implicit", domain=domain).seen(where, lines)
    return failed("no_server", domain=domain).seen(where, lines)
