"""Does the SSH server offer a login by password or keyboard-interactive?  RFC 4252 section 5.2: the list that a
server gives before anything is proven, asked for one user; rules per user or address may differ."""

from checks.errors import Reason
from checks.facts import Facts, seen
from checks.facts.ssh import SshService
from checks.model import INSIDE, OUTSIDE, Fix, Item, Level, Source, Text, Verdict, failed, passed, unknown

_PASSWORD = {"password", "keyboard-interactive"}

DROP_IN = """
    PasswordAuthentication no
    KbdInteractiveAuthentication no
    PermitEmptyPasswords no
    AuthenticationMethods publickey"""

DEBIAN = """
    sudoedit /etc/ssh/sshd_config.d/00-no-passwords.conf
    sudo sshd -t
    sudo systemctl reload ssh"""

RHEL = """
    sudoedit /etc/ssh/sshd_config.d/00-no-passwords.conf
    sudo sshd -t
    sudo systemctl reload sshd"""

ALPINE = """
    sudo sshd -t
    sudo rc-service sshd reload"""

EFFECTIVE = """
    sudo sshd -T | grep -Ei '^(passwordauthentication|kbdinteractiveauthentication|authenticationmethods)'"""

VERIFY = """
    ssh -o PreferredAuthentications=none -o PubkeyAuthentication=no -p 22 root@example.social"""

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(OUTSIDE, INSIDE),
    sources=(Source("003", "構築/SSH"), Source("000", "Basic")),
    title=Text(
        "SSH offers no login by password",
        "SSH でパスワードログインができない",
    ),
    why=Text(
        "Robots try passwords on every SSH server day and night, and one weak or leaked password of any account is enough. A key cannot be guessed.",
        "SSH サーバには昼夜を問わず自動でパスワードが試されており、どれか1つのアカウントの弱いパスワードや漏れたパスワードで侵入されます。鍵は推測できません。",
    ),
    expected=Text(
        "Before the login the server offers publickey, but neither password nor keyboard-interactive, for every user. Both must be off: with PAM the second asks for the password as well.",
        "ログイン前にサーバが示す認証方式に publickey があり、password も keyboard-interactive もない状態（全ユーザ）。PAM を使うと keyboard-interactive もパスワードを尋ねるため、両方を無効にする必要があります。",
    ),
    fix=Fix(
        Text(
            "Make sure first that your key works: log in with it in a second window and stay there. Then write this to a file that is read before all others; in sshd the first value wins, and images made with cloud-init bring a file that says yes:\n"
            + DROP_IN
            + "\n\nIf you log in with a key and a one-time code, write publickey,keyboard-interactive as the method and leave KbdInteractiveAuthentication on.",
            "先に、鍵でログインできることを別のウィンドウで確かめ、その接続を残しておきます。次の内容を、最初に読み込まれるファイルに書きます。sshd では先に書かれた値が優先され、cloud-init 製のイメージには yes と書かれたファイルが入っているためです。\n"
            + DROP_IN
            + "\n\n鍵とワンタイムコードを併用する場合は、方式を publickey,keyboard-interactive とし、KbdInteractiveAuthentication は有効のままにします。",
        ),
        variants=(
            (
                "Debian/Ubuntu",
                Text(
                    "Write the file, test it, reload:\n" + DEBIAN,
                    "ファイルを書き、検査して再読み込みします。\n" + DEBIAN,
                ),
            ),
            (
                "RHEL/Fedora",
                Text(
                    "Write the file, test it, reload; the unit is called sshd:\n" + RHEL,
                    "ファイルを書き、検査して再読み込みします。ユニット名は sshd です。\n" + RHEL,
                ),
            ),
            (
                "Alpine",
                Text(
                    "Write the lines to the top of /etc/ssh/sshd_config, then:\n" + ALPINE,
                    "/etc/ssh/sshd_config の先頭に書き、検査して再読み込みします。\n" + ALPINE,
                ),
            ),
        ),
    ),
    verify=Text(
        "The list in brackets after Permission denied must hold publickey alone:\n"
        + VERIFY
        + "\n\nWhat sshd itself takes for true, which Match blocks can still change for some users:\n"
        + EFFECTIVE,
        "Permission denied に続く括弧の中が publickey だけであることを確認します。\n"
        + VERIFY
        + "\n\nsshd に適用されている設定は次のコマンドで確認できます。Match ブロックがあると、一部のユーザだけ異なることがあります。\n"
        + EFFECTIVE,
    ),
    codes={
        "off": Text(
            "Neither password nor keyboard-interactive is offered to {user} (offered: {methods}).",
            "{user} に対して password も keyboard-interactive も提示されません（提示された方式は {methods}）。",
        ),
        "offered": Text(
            "On port {port} the server offers {user} these ways in: {methods}.",
            "{port} 番ポートで、{user} に {methods} が提示されます。",
        ),
        "no_proof": Text(
            "On port {port} the server lets {user} in without any proof. Act now.",
            "{port} 番ポートで、{user} が認証なしでログインできます。すぐに対処してください。",
        ),
        "not_seen": Text(
            "No SSH server answers fedisec on port {port} or 22; the inside must tell.",
            "{port} 番と 22 番では SSH が fedisec に応答しないため、内部から確認する必要があります。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    ssh = facts.get(SshService)
    for one in ssh.speaking:
        if one.lets_in:
            return failed("no_proof", port=one.port, user=ssh.user).seen(
                f"SSH {one.address} port {one.port}", f"{one.banner}\nnone: accepted for {ssh.user}"
            )
    for one in ssh.speaking:
        if isinstance(one.methods, tuple) and _PASSWORD & set(one.methods):
            methods = ", ".join(one.methods)
            return failed("offered", port=one.port, user=ssh.user, methods=methods).seen(
                f"SSH {one.address} port {one.port}", f"{one.banner}\nmethods for {ssh.user}: {methods}"
            )
    if not ssh.speaking:
        return unknown("not_seen", ssh.unseen, port=ssh.named_port)
    offered = [seen(one.methods) for one in ssh.speaking]
    methods = ", ".join(dict.fromkeys(m for each in offered for m in each))
    if not methods:
        return unknown("not_seen", Reason.MALFORMED, port=ssh.named_port)
    verdict = passed("off", user=ssh.user, methods=methods)
    return verdict.seen(f"SSH {ssh.speaking[0].address}", f"methods for {ssh.user}: {methods}")
