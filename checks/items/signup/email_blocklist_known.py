"""Does the admin know how to block mail domains, by their MX too?  Entries found count as known."""

from checks.errors import Reason
from checks.facts import Facts
from checks.facts.inside import Inside
from checks.model import (
    INSIDE,
    MANUAL,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Text,
    Verdict,
    asked,
    passed,
    unknown,
)
from checks.parse.host.accounts import parse_app_accounts

LABEL = "inside: counts in the database"


DIG = """
    dig +short MX spam.example"""

TOOTCTL = """
    RAILS_ENV=production bin/tootctl email_domain_blocks add spam.example
    RAILS_ENV=production bin/tootctl email_domain_blocks list"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(
        INSIDE,
        MANUAL,
    ),
    sources=(Source("003", "運用/Mastodon"),),
    references=(
        Reference(
            "Mastodon: Blocking by e-mail server",
            "https://docs.joinmastodon.org/admin/moderation/#blocking-by-e-mail-server",
        ),
        Reference(
            "Mastodon: tootctl email-domain-blocks",
            "https://docs.joinmastodon.org/admin/tootctl/#email-domain-blocks",
        ),
    ),
    title=Text(
        "Blocking mail domains by their MX is known how to do",
        "メールドメインの遮断方法（MX を含む）を把握している",
    ),
    why=Text(
        "Spam accounts use ever new domains, but these point to few mail servers. Blocking the MX stops them all at once, if you know where to look for it.",
        "スパムアカウントはドメインを次々に変えますが、その MX はある程度限られています。MX を遮断できれば、まとめて止められます。",
    ),
    expected=Text(
        "You know where your software keeps its list of blocked mail domains, and how to find the MX of an address. Entries in the list count as proof.",
        "メールドメインのブロックリストの場所と、アドレスから MX を調べる方法がわかる状態。リストに登録があれば把握しているとみなします。",
    ),
    fix=Fix(
        Text(
            "Find the mail server of a spam address, and look in your software for the list of blocked mail domains:\n"
            + DIG,
            "スパムのアドレスのメールサーバを調べ、ソフトウェアのブロックリストの場所も確認しておきます。\n"
            + DIG,
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "Moderation, Blocked e-mail domains: when a domain is added, its MX records are offered too. Or:\n"
                    + TOOTCTL,
                    "モデレーションにあるメールドメインのブロックで、ドメインを追加する際に MX も一緒に選べます。コマンドでもできます。\n"
                    + TOOTCTL,
                ),
            ),
            (
                "Misskey",
                Text(
                    "Control panel, Moderation or Security: banned mail domains; the list takes domains, not MX hosts.",
                    "コントロールパネルの禁止メールドメインに追加します。MX ではなくドメインで指定します。",
                ),
            ),
        ),
    ),
    verify=Text(
        "Can you tell, without looking it up, which two clicks or commands block a domain and its MX?",
        "ドメインとその MX を遮断する手順を、調べずに説明できますか。",
    ),
    attest_days=365,
    outdated=Text(
        "What the source calls the mail blacklist is named Blocked e-mail domains in Mastodon today.",
        "出典にある「メールブラックリスト」は、現在の Mastodon ではメールドメインのブロック（Blocked e-mail domains）に当たります。",
    ),
    codes={
        "entries": Text(
            "The list of blocked mail domains has {count} entries.",
            "メールドメインのブロックリストに {count} 件の登録があります。",
        ),
        "empty": Text(
            "The list of blocked mail domains is empty. Do you know how to add to it?",
            "メールドメインのブロックリストは空です。登録のしかたを把握していますか。",
        ),
        "denied": Text(
            "Only root may ask the app's database.",
            "アプリのデータベースに問い合わせられるのは root だけです。",
        ),
        "no_database": Text(
            "No database with such a list is on this server.",
            "該当するデータベースが、このサーバにありません。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    found = parse_app_accounts(facts.get(Inside).lines("app_accounts"))
    count = found.blocked_mail_domains
    if count:
        return passed("entries", count=count).seen(LABEL, f"blocked mail domains {count}")
    if count == 0:
        return asked("empty").seen(LABEL, "blocked mail domains 0")
    return unknown("denied", Reason.DENIED) if found.refused else unknown("no_database", Reason.NO_TOOL)
