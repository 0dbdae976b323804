"""Can root log in over SSH with a password?  sshd_config(5): PermitRootLogin; the wire tells nothing of it, as
a server that refuses root's password offers the method all the same."""

from checks.facts import Facts, Missing, MissingFact
from checks.facts.inside import Inside
from checks.model import INSIDE, Fix, Item, Level, Reference, Source, Text, Verdict, failed, passed, warned
from checks.parse.host.firewall_rules import shown
from checks.parse.host.sshd import openings, sshd_of

USER = """
    sudo adduser admin
    sudo usermod -aG sudo admin"""

USER_RHEL = """
    sudo useradd -m -G wheel admin
    sudo passwd admin"""

CONF = """
    PermitRootLogin no"""

KEYS_ONLY = """
    PermitRootLogin prohibit-password"""

DEBIAN = """
    sudoedit /etc/ssh/sshd_config.d/00-root.conf
    sudo sshd -t && sudo systemctl reload ssh"""

RHEL = """
    sudoedit /etc/ssh/sshd_config.d/00-root.conf
    sudo sshd -t && sudo systemctl reload sshd"""

VERIFY = """
    sudo sshd -T -C user=root,host=any,addr=203.0.113.5 | grep -i permitrootlogin"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(INSIDE,),
    sources=(Source("+"),),
    references=(
        Reference("sshd_config(5): PermitRootLogin", "https://man.openbsd.org/sshd_config#PermitRootLogin"),
    ),
    title=Text(
        "Root cannot log in over SSH with a password",
        "root が SSH でパスワードログインできない",
    ),
    why=Text(
        "Root is the one name that an attacker need not guess. With a user of your own and sudo, the log also shows who did what.",
        "root は、攻撃者が推測する必要のない唯一のユーザ名です。自分のユーザから sudo を使えば、誰が何をしたかもログに残ります。",
    ),
    expected=Text(
        "PermitRootLogin is no, or at least prohibit-password (shown as without-password) or forced-commands-only.",
        "PermitRootLogin が no である状態。少なくとも prohibit-password（without-password と表示されることもあります）か forced-commands-only である必要があります。",
    ),
    fix=Fix(
        Text(
            "Make a user with sudo, bring your key there, try it in a second window, then forbid root:\n"
            + CONF
            + "\n\nIf backups or tools must come in as root with a key:\n"
            + KEYS_ONLY,
            "まず sudo を使えるユーザを作り、鍵を登録して、別のウィンドウでログインできることを確かめてから root を禁止します。\n"
            + CONF
            + "\n\nバックアップなどで root の鍵ログインが必要な場合は次のようにします。\n"
            + KEYS_ONLY,
        ),
        variants=(
            (
                "Debian/Ubuntu",
                Text(
                    "The commands:\n" + USER + "\n" + DEBIAN,
                    "手順は次のとおりです。\n" + USER + "\n" + DEBIAN,
                ),
            ),
            (
                "RHEL/Fedora",
                Text(
                    "The commands:\n" + USER_RHEL + "\n" + RHEL,
                    "手順は次のとおりです。\n" + USER_RHEL + "\n" + RHEL,
                ),
            ),
        ),
    ),
    verify=Text(
        "It must not say yes:\n" + VERIFY,
        "yes と表示されないことを確認します。\n" + VERIFY,
    ),
    codes={
        "no": Text("Root cannot log in over SSH.", "root は SSH でログインできません。"),
        "keys_only": Text(
            "Root can log in over SSH with a key, not with a password ({value}).",
            "root は鍵でだけ SSH にログインでき、パスワードではログインできません（{value}）。",
        ),
        "yes": Text(
            "Root may log in over SSH, with a password as well.",
            "root が SSH でログインでき、パスワードも使えます。",
        ),
        "yes_without_passwords": Text(
            "PermitRootLogin is yes. Passwords are off for everybody, so that root needs a key now; one changed line would open it.",
            "PermitRootLogin が yes です。パスワード認証が全体で無効なため現在は鍵が必要ですが、1行の変更で開きます。",
        ),
        "match_opens": Text(
            "A Match block lets root in with a password: {criteria}.",
            "Match ブロックで、root のパスワードログインが許可されています（{criteria}）。",
        ),
        "other_value": Text(
            "PermitRootLogin has a value that fedisec does not know: {value}.",
            "PermitRootLogin の値が fedisec の知らないものです（{value}）。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    inside = facts.get(Inside)
    sshd = sshd_of(inside)
    if isinstance(sshd, Missing):
        raise MissingFact(sshd)
    label, value = f"inside: {sshd.source}", sshd.one("permitrootlogin")
    if value == "yes":
        verdict = failed("yes") if sshd.asks_password else warned("yes_without_passwords")
        return verdict.seen(label, sshd.shown())
    opened = next((o for o in openings(shown(inside, "sshd_files")) if _is_for_root(o.setting)), None)
    if opened is not None and sshd.asks_password:
        text = f"{opened.path}: Match {opened.criteria}: {opened.setting}"
        return warned("match_opens", criteria=opened.criteria).seen("inside: sshd_config", text)
    if value == "no":
        return passed("no").seen(label, sshd.shown())
    if value in {"prohibit-password", "without-password", "forced-commands-only"}:
        return passed("keys_only", value=value).seen(label, sshd.shown())
    return warned("other_value", value=value).seen(label, sshd.shown())


def _is_for_root(setting: str) -> bool:
    return setting.lower().startswith("permitrootlogin")
