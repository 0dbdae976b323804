"""Does the SSH server offer a login by password or keyboard-interactive?  RFC 4252 section 5.2: the list that a
server gives before anything is proven, asked for one user; rules per user or address may differ, and those only
the configuration tells.  What the server offers decides, the configuration explains it."""

from checks.errors import Reason
from checks.facts import Facts, Missing, seen
from checks.facts.inside import Inside
from checks.facts.ssh import SshEndpoint, SshService
from checks.model import (
    INSIDE,
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
    unknown,
    warned,
)
from checks.parse.host.firewall_rules import shown
from checks.parse.host.sshd import Sshd, openings, sshd_of

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
    references=(
        Reference(
            "RFC 4252: The Secure Shell (SSH) Authentication Protocol",
            "https://www.rfc-editor.org/rfc/rfc4252",
        ),
        Reference(
            "sshd_config(5): PasswordAuthentication",
            "https://man.openbsd.org/sshd_config#PasswordAuthentication",
        ),
        Reference("Mastodon: Preparing your machine", "https://docs.joinmastodon.org/admin/prerequisites/"),
    ),
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
        "off_inside": Text(
            "From outside no SSH server answered; its configuration lets nobody in with a password.",
            "外部からは SSH の応答がありませんが、設定ではパスワードによるログインはできません。",
        ),
        "offered": Text(
            "On port {port} the server offers {user} these ways in: {methods}.",
            "{port} 番ポートで、{user} に {methods} が提示されます。",
        ),
        "no_proof": Text(
            "On port {port} the server lets {user} in without any proof. Act now.",
            "{port} 番ポートで、{user} が認証なしでログインできます。すぐに対処してください。",
        ),
        "on_inside": Text(
            "From outside no SSH server answered; its configuration allows a login by password.",
            "外部からは SSH の応答がありませんが、設定ではパスワードでログインできます。",
        ),
        "pam_asks": Text(
            "PasswordAuthentication is off, but keyboard-interactive asks for the password through PAM. Switch KbdInteractiveAuthentication off as well.",
            "PasswordAuthentication は無効ですが、keyboard-interactive が PAM 経由でパスワードを尋ねます。KbdInteractiveAuthentication も無効にしてください。",
        ),
        "match_opens": Text(
            "Passwords are off, but a Match block allows them to some: {criteria}.",
            "パスワードは無効ですが、Match ブロックで許可されている相手がいます（{criteria}）。",
        ),
        "differs": Text(
            "{user} is offered no password, but the configuration allows it. Either it was not reloaded, or a Match block closes it for {user} alone.",
            "{user} にはパスワードが提示されませんが、設定では許可されています。再読み込みされていないか、Match ブロックで {user} だけが拒否されています。",
        ),
        "not_seen": Text(
            "No SSH server answers fedisec on port {port} or 22; the inside must tell.",
            "{port} 番と22番では SSH が fedisec に応答しないため、内部から確認する必要があります。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    inside, ssh = facts.maybe(Inside), facts.maybe(SshService)
    sshd = sshd_of(inside) if inside is not None else None
    opened = ssh is not None and _let_in(ssh)
    if opened:
        return _explained(opened, sshd)
    heard = ssh is not None and ssh.speaking and all(isinstance(one.methods, tuple) for one in ssh.speaking)
    if not heard and isinstance(sshd, Sshd) and inside is not None:
        return _by_configuration(sshd, inside)
    verdict = _by_wire(facts.get(SshService))
    return _checked(verdict, sshd, inside) if isinstance(sshd, Sshd) and inside is not None else verdict


def _let_in(ssh: SshService) -> Verdict | None:
    """A way in without a key that the server itself offered."""
    for one in ssh.speaking:
        if one.lets_in:
            said = f"{one.banner}\nnone: accepted for {ssh.user}"
            return failed("no_proof", port=one.port, user=ssh.user).seen(_where(one), said)
    for one in ssh.speaking:
        if isinstance(one.methods, tuple) and _PASSWORD & set(one.methods):
            methods = ", ".join(one.methods)
            said = f"{one.banner}\nmethods for {ssh.user}: {methods}"
            return failed("offered", port=one.port, user=ssh.user, methods=methods).seen(_where(one), said)
    return None


def _by_wire(ssh: SshService) -> Verdict:
    if not ssh.speaking:
        return unknown("not_seen", ssh.unseen, port=ssh.named_port)
    offered = [seen(one.methods) for one in ssh.speaking]
    methods = ", ".join(dict.fromkeys(m for each in offered for m in each))
    if not methods:
        return unknown("not_seen", Reason.MALFORMED, port=ssh.named_port)
    verdict = passed("off", user=ssh.user, methods=methods)
    return verdict.seen(f"SSH {ssh.speaking[0].address}", f"methods for {ssh.user}: {methods}")


def _checked(verdict: Verdict, sshd: Sshd, inside: Inside) -> Verdict:
    """A pass on the wire holds for one user; what the configuration lets others do stands beside it."""
    if verdict.code != "off":
        return verdict
    user, by_wire = str(verdict.data["user"]), verdict.evidence[0]
    found = openings(shown(inside, "sshd_files"))
    found = tuple(one for one in found if not one.setting.lower().startswith("permitroot"))
    if sshd.asks_password:
        return warned("differs", user=user).seen(*_lines(sshd)).seen(by_wire.label, by_wire.text)
    if found:
        text = "\n".join(f"{one.path}: Match {one.criteria}: {one.setting}" for one in found)
        warning = warned("match_opens", criteria=found[0].criteria)
        return warning.seen("inside: sshd_config", text).seen(by_wire.label, by_wire.text)
    return verdict.seen(*_lines(sshd))


def _by_configuration(sshd: Sshd, inside: Inside) -> Verdict:
    if sshd.asks_password == "password" or sshd.one("permitemptypasswords") == "yes":
        return failed("on_inside").seen(*_lines(sshd))
    if sshd.asks_password == "pam":
        return failed("pam_asks").seen(*_lines(sshd))
    found = openings(shown(inside, "sshd_files"))
    found = tuple(one for one in found if not one.setting.lower().startswith("permitroot"))
    if found:
        text = "\n".join(f"{one.path}: Match {one.criteria}: {one.setting}" for one in found)
        return warned("match_opens", criteria=found[0].criteria).seen("inside: sshd_config", text)
    return passed("off_inside").seen(*_lines(sshd))


def _explained(verdict: Verdict, sshd: Sshd | Missing | None) -> Verdict:
    return verdict.seen(*_lines(sshd)) if isinstance(sshd, Sshd) else verdict


def _where(one: SshEndpoint) -> str:
    return f"SSH {one.address} port {one.port}"


def _lines(sshd: Sshd) -> tuple[str, str]:
    return f"inside: {sshd.source}", sshd.shown()
