"""Does every SSH login send a notice?

What runs at a login can be seen, whether its message arrives cannot: a person is asked either way."""

from checks.errors import Reason
from checks.facts import Facts, Missing, MissingFact
from checks.facts.inside import Inside
from checks.model import INSIDE, MANUAL, Fix, Item, Level, Reference, Source, Text, Verdict, asked
from checks.parse.host.common import marked

SCRIPT = """
    #!/bin/sh
    # /usr/local/sbin/login-notice
    [ "$PAM_TYPE" = open_session ] || exit 0
    [ "$PAM_USER" = fedisec ] && exit 0
    text="SSH login: $PAM_USER from $PAM_RHOST on $(hostname) at $(date -u +%FT%TZ)"
    curl -fsS -m 10 --data-urlencode "text=$text" "$(cat /etc/login-notice.url)" >/dev/null 2>&1 &
    exit 0"""

INSTALL = """
    sudo chmod 700 /usr/local/sbin/login-notice
    sudo chmod 600 /etc/login-notice.url"""

PAM = """
    session optional pam_exec.so /usr/local/sbin/login-notice"""

MAIL = """
    echo "$text" | mail -s "SSH login on $(hostname)" admin@example.net"""

SELINUX = """
    sudo ausearch -m avc -ts recent"""

VERIFY = """
    ssh admin@example.social true"""

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(INSIDE, MANUAL),
    sources=(Source("003", "構築/SSH"),),
    references=(
        Reference("pam_exec(8)", "https://manpages.debian.org/bookworm/libpam-modules/pam_exec.8.en.html"),
    ),
    title=Text(
        "Every SSH login sends a notice",
        "SSH ログインのたびに通知が届く",
    ),
    why=Text(
        "A login that you did not make is the earliest sign of a stolen key or password. The notice reaches you even if the intruder deletes the log afterwards.",
        "身に覚えのないログインは、鍵やパスワードが盗まれたことを示す最初の兆候です。あとでログを消されても、通知は手元に残ります。",
    ),
    expected=Text(
        "Each login produces a message by mail or chat that leaves the server at once and names the user, the address and the time. The account that fedisec uses may be left out.",
        "ログインのたびに、ユーザ・接続元・時刻の入った通知がメールやチャットですぐに外へ送られる状態。fedisec が使うアカウントは除いて構いません。",
    ),
    fix=Fix(
        Text(
            "A script that PAM runs at each login, here for a chat webhook whose address lies in a file of root. It must never fail or wait, or nobody gets in:\n"
            + SCRIPT
            + "\n"
            + INSTALL
            + "\n\nAs the last line of /etc/pam.d/sshd; sshd needs UsePAM yes, and the user fedisec is left out so that the daily check stays quiet:\n"
            + PAM
            + "\n\nBy mail in place of the line with curl:\n"
            + MAIL,
            "ログイン時に PAM から実行されるスクリプトを置きます。次の例では、root だけが読めるファイルに書いたチャットの Webhook に送ります。失敗したり待たせたりするとログインできなくなるので、必ずすぐに終わるようにしてください。\n"
            + SCRIPT
            + "\n"
            + INSTALL
            + "\n\n/etc/pam.d/sshd の最後に次の行を加えます。sshd の UsePAM が yes である必要があります。毎日の検査で鳴らないよう、fedisec というユーザは除いています。\n"
            + PAM
            + "\n\nメールで送る場合は、curl の行を置き換えます。\n"
            + MAIL,
        ),
        variants=(
            (
                "RHEL/Fedora",
                Text(
                    "SELinux may forbid sshd to run the script or to connect; look for denials:\n" + SELINUX,
                    "SELinux がスクリプトの実行や接続を拒否することがあります。記録を確認してください。\n"
                    + SELINUX,
                ),
            ),
        ),
    ),
    verify=Text(
        "Log in once and see the message arrive:\n" + VERIFY,
        "一度ログインして、通知が届くことを確認します。\n" + VERIFY,
    ),
    codes={
        "likely": Text(
            "A program runs at each SSH login: {what}. Say whether its notice reaches you.",
            "SSH ログインのたびに実行されるプログラムがあります（{what}）。通知が届いているかどうかを回答してください。",
        ),
        "nothing_found": Text(
            "Neither PAM nor sshrc nor the login shell's profile runs anything that sends a notice. Another tool may do so.",
            "PAM・sshrc・シェルの設定に、通知を送るものは見つかりませんでした。ほかの仕組みで通知している場合は回答してください。",
        ),
    },
    attest_days=180,
)


@item.check
def check(facts: Facts) -> Verdict:
    found = marked(facts.get(Inside).lines("login_notice"))
    if "pam" not in found:
        raise MissingFact(Missing(Reason.MALFORMED, "section login_notice"))
    lines = [line for label in ("pam", "sshrc", "profile") for line in found.get(label, ()) if line.strip()]
    shown = "\n".join(lines)
    if lines:
        return asked("likely", what=lines[0]).seen(
            "inside: /etc/pam.d, /etc/ssh/sshrc, /etc/profile.d", shown
        )
    return asked("nothing_found").seen("inside: /etc/pam.d, /etc/ssh/sshrc, /etc/profile.d", "(nothing)")
