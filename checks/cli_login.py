"""The part of the command line that lets a scan log in: `--ssh`, `--key`, `--known-host`, `--forced`."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from checks.errors import ParseError, ProbeError, Reason
from checks.facts import Facts
from checks.facts.inside import Inside
from checks.model import Text
from checks.parse.known_hosts import host_key_for
from checks.probes.ssh_session import load_key, read_access
from checks.reasons import REASONS
from checks.target import Access

_FILE_MAX = 1 << 20
_LOGIN = re.compile(
    r"([A-Za-z0-9_][A-Za-z0-9_.-]{0,31})@(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253})(?::(\d{1,5}))?"
)
NOT_REACHED = Text("{domain} could not be reached", "{domain} に接続できませんでした")
_NOT_INSIDE = Text("not seen from inside: {what}: {detail}", "内部を確認できませんでした：{what}（{detail}）")
_CURES = {
    Reason.KEY_REFUSED: Text(
        "add this line to ~/.ssh/authorized_keys of {user}: restrict {public}",
        "{user} の ~/.ssh/authorized_keys に次の行を追加してください：restrict {public}",
    ),
    Reason.HOST_KEY_CHANGED: Text(
        "compare it on the server's own console before you give it as --known-host: "
        "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
        "--known-host に指定する前に、サーバのコンソールで照合してください："
        "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
    ),
    Reason.NO_TOOL: Text(
        "install it with `python -m checks collector`, or leave --forced out",
        "`python -m checks collector` で導入するか、--forced を外してください",
    ),
    Reason.NO_SHELL: Text(
        "give {user} a shell: sudo usermod --shell /bin/sh {user}",
        "{user} にシェルを設定してください：sudo usermod --shell /bin/sh {user}",
    ),
    Reason.DENIED: Text(
        "see what {user} may run, and MaxSessions in sshd_config",
        "{user} に許可されたコマンドと、sshd_config の MaxSessions を確認してください",
    ),
    Reason.REFUSED: Text("see whether sshd listens there", "そこで sshd が待ち受けているか確認してください"),
    Reason.TIMEOUT: Text(
        "see whether a firewall lets fedisec in, and how long the collector takes on the server",
        "ファイアウォールが fedisec を通しているか、サーバでの収集に時間がかかっていないか確認してください",
    ),
    Reason.FORBIDDEN_ADDRESS: Text("allow it with --allow-network", "--allow-network で許可してください"),
}
_GO_WITH = Text(
    "--key, --known-host and --forced go with --ssh USER@HOST",
    "--key、--known-host、--forced は --ssh USER@HOST と一緒に指定します",
)
_NEEDS_KEY = Text(
    "--ssh needs --key FILE; make one with: ssh-keygen -t ed25519 -N '' -f fedisec_key",
    "--ssh には --key FILE が必要です。鍵の作り方：ssh-keygen -t ed25519 -N '' -f fedisec_key",
)
_NEEDS_KNOWN_HOST = Text(
    "--ssh needs --known-host; ask with: ssh-keyscan -t ed25519 -p {port} {host}, and compare "
    "what it prints with /etc/ssh/ssh_host_ed25519_key.pub on the server",
    "--ssh には --known-host が必要です。ssh-keyscan -t ed25519 -p {port} {host} の出力を、"
    "サーバの /etc/ssh/ssh_host_ed25519_key.pub と照合してください",
)
_NO_KEY = Text(
    "--key: {file} is no OpenSSH ed25519 key without a passphrase",
    "--key：{file} は、パスフレーズのない OpenSSH 形式の ed25519 鍵ではありません",
)
_NO_LOGIN = Text(
    "--ssh: give USER@HOST or USER@HOST:PORT (IPv6 as USER@[ADDRESS]:PORT)",
    "--ssh：USER@HOST か USER@HOST:PORT の形で指定します（IPv6 は USER@[ADDRESS]:PORT）",
)
_NO_HOST_KEY = Text(
    "--known-host: {file}no host key for {host} port {port}",
    "--known-host：{file}{host} のポート {port} のホスト鍵がありません",
)
_NOT_READ = Text("{option}: cannot read {file}: {why}", "{option}：{file} を読めません（{why}）")


class LoginError(ValueError):
    """What the options lack, in both languages."""

    def __init__(self, text: Text, **values: object) -> None:
        super().__init__(text.filled("en", values))
        self._text, self._values = text, values

    def in_language(self, language: str) -> str:
        return self._text.filled(language, self._values)


def add_login_options(scan: argparse.ArgumentParser) -> None:
    group = scan.add_argument_group(
        "looking from inside as well",
        "Logs in once, runs the read-only collector, and changes nothing.  Exit code 4 where that fails.",
    )
    group.add_argument("--ssh", metavar="USER@HOST[:PORT]", help="the account to log in to")
    group.add_argument("--key", type=Path, metavar="FILE", help="private ed25519 key without a passphrase")
    group.add_argument(
        "--known-host",
        metavar="KEY|FILE",
        help='the server\'s host key, compared by you: "TYPE BASE64", a .pub file, or a known_hosts file',
    )
    group.add_argument(
        "--forced",
        action="store_true",
        help="the key's line in authorized_keys runs the installed collector; else it is sent to `sh -s`",
    )


def access_of(given: argparse.Namespace) -> Access | None:
    """How to log in; None where that is not asked for.  LoginError where the options do not suffice."""
    if not given.ssh:
        if given.key or given.known_host or given.forced:
            raise LoginError(_GO_WITH)
        return None
    user, host, port = _login(given.ssh)
    if given.key is None:
        raise LoginError(_NEEDS_KEY)
    if not given.known_host:
        raise LoginError(_NEEDS_KNOWN_HOST, host=host, port=port)
    access = Access(
        host, port, user, _text(given.key, "--key"), _host_key(given.known_host, host, port), given.forced
    )
    try:
        read_access(access)
    except ProbeError:
        raise LoginError(_NO_KEY, file=given.key) from None
    return access


def why_not_inside(facts: Facts, access: Access, language: str) -> str:
    """Why the login brought nothing, and what to do; "" where it did bring the report."""
    gap = facts.missing.get(Inside)
    if gap is None:
        return ""
    english = not language.startswith("ja")
    what = gap.reason.value.replace("_", " ") if english else REASONS[gap.reason].ja.removesuffix("。")
    public = f"ssh-ed25519 {load_key(access.private_key).get_base64()}"
    told = _NOT_INSIDE.filled(language, {"what": what, "detail": gap.detail})
    cure = _CURES.get(gap.reason)
    if cure is None:
        return told
    return (
        f"{told}{'; ' if english else '。'}{cure.filled(language, {'user': access.user, 'public': public})}"
    )


def _login(text: str) -> tuple[str, str, int]:
    match = _LOGIN.fullmatch(text)
    port = int(match[3] or 22) if match else 0
    if match is None or not 0 < port < 65536:
        raise LoginError(_NO_LOGIN)
    return match[1], match[2].strip("[]"), port


def _host_key(given: str, host: str, port: int) -> str:
    bare = " " in given.strip()
    text = given if bare else _text(Path(given), "--known-host")
    try:
        return host_key_for(text, host, port)
    except ParseError:
        file = "" if bare else f"{given}: "
        raise LoginError(_NO_HOST_KEY, file=file, host=host, port=port) from None


def _text(path: Path, option: str) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_FILE_MAX).decode("utf-8", "replace")
    except OSError as error:
        raise LoginError(_NOT_READ, option=option, file=path, why=error.strerror) from None
