"""Is there an extra user with uid 0, or an account with an empty password?"""

from checks.errors import Reason
from checks.facts import Facts
from checks.facts.inside import Inside
from checks.model import INSIDE, Fix, Item, Level, Reference, Source, Text, Verdict, failed, passed, unknown
from checks.parse.host.accounts import parse_accounts

FIX = """
    sudo passwd -l USER
    sudo pkill -KILL -u USER
    sudo userdel -r USER"""

UID = """
    sudo last USER || sudo wtmpdb last USER
    sudo usermod -o -u 1500 USER"""

GROUPS = """
    getent group sudo wheel docker lxd adm
    sudo gpasswd -d USER docker"""

KEYS = """
    sudo sh -c 'for f in /root/.ssh/authorized_keys /home/*/.ssh/authorized_keys; do [ -f "$f" ] && echo "$f" && ssh-keygen -lf "$f"; done'"""

VERIFY = """
    awk -F: '$3 == 0' /etc/passwd
    sudo awk -F: '$2 == ""' /etc/shadow"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(INSIDE,),
    sources=(Source("+"),),
    references=(
        Reference("shadow(5)", "https://manpages.debian.org/bookworm/passwd/shadow.5.en.html"),
        Reference("passwd(5)", "https://manpages.debian.org/bookworm/passwd/passwd.5.en.html"),
    ),
    title=Text(
        "Root is the only uid 0, and no account has an empty password",
        "UID 0 は root だけで、空のパスワードがない",
    ),
    why=Text(
        "A second account with uid 0 is root under another name and a favourite hiding place of intruders. An empty password lets anybody in where passwords are taken at all.",
        "UID が 0 の別アカウントは、名前の違う root であり、侵入者が好んで仕込むものです。パスワードが空のアカウントには、パスワード認証が使える経路から誰でも入れます。",
    ),
    expected=Text(
        "In /etc/passwd only root has uid 0, and no password field in /etc/shadow is empty (an asterisk or an exclamation mark is fine: it means that no password fits).",
        "/etc/passwd で UID 0 を持つのが root だけで、/etc/shadow に空のパスワード欄がない状態。「*」や「!」はパスワードが無効という意味なので問題ありません。",
    ),
    fix=Fix(
        Text(
            "An account that nobody can explain is a sign of a break-in: keep a copy of the logs before you delete it, and go by your recovery plan. Otherwise lock or delete it:\n"
            + FIX
            + "\n\nA known account that only got the wrong number:\n"
            + UID
            + "\n\nMembers of docker and lxd are as good as root; look at them and at the keys as well:\n"
            + GROUPS
            + "\n"
            + KEYS,
            "心当たりのないアカウントは侵入の痕跡です。消す前にログを保存し、復旧手順に従ってください。単に不要なものなら、ロックするか削除します。\n"
            + FIX
            + "\n\n番号だけが誤っている既知のアカウントの場合：\n"
            + UID
            + "\n\nなお、docker と lxd のグループに入っているユーザは、実質的に root です。登録されている鍵とあわせて確認してください。\n"
            + GROUPS
            + "\n"
            + KEYS,
        )
    ),
    verify=Text(
        "The first prints the line of root alone, the second prints nothing:\n" + VERIFY,
        "1行目で root だけが、2行目では何も表示されないことを確認します。\n" + VERIFY,
    ),
    codes={
        "clean": Text(
            "Root is the only account with uid 0, and no password is empty.",
            "UID 0 は root だけで、空のパスワードもありません。",
        ),
        "second_root": Text(
            "These accounts besides root have uid 0: {names}.",
            "root のほかに UID 0 のアカウントがあります（{names}）。",
        ),
        "empty_password": Text(
            "These accounts have an empty password: {names}.",
            "パスワードが空のアカウントがあります（{names}）。",
        ),
        "shadow_denied": Text(
            "Root is the only account with uid 0; only root may see whether passwords are empty.",
            "UID 0 は root だけです。空のパスワードの有無は root でないと確認できません。",
        ),
        "not_seen": Text(
            "/etc/passwd showed no account with uid 0.",
            "/etc/passwd から UID 0 のアカウントを読み取れません。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    accounts = parse_accounts(facts.get(Inside).lines("accounts"))
    others = ", ".join(name for name in accounts.uid0 if name != "root")
    if others:
        return failed("second_root", names=others).seen("inside: /etc/passwd", f"uid 0: {others}")
    if accounts.empty:
        names = ", ".join(accounts.empty)
        return failed("empty_password", names=names).seen("inside: /etc/shadow", f"empty: {names}")
    if not accounts.uid0:
        return unknown("not_seen", Reason.MALFORMED)
    if accounts.empty is None:
        return unknown("shadow_denied", Reason.DENIED).seen("inside: /etc/passwd", "uid 0: root")
    verdict = passed("clean").seen("inside: /etc/passwd", "uid 0: root")
    return verdict.seen("inside: /etc/shadow", "no empty field")
