"""The part of the command line that lets a scan log in: `--ssh`, `--key`, `--known-host`, `--forced`."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from checks.errors import ParseError, ProbeError, Reason
from checks.facts import Facts
from checks.facts.inside import Inside
from checks.parse.known_hosts import host_key_for
from checks.probes.ssh_session import load_key, read_access
from checks.target import Access

_FILE_MAX = 1 << 20
_LOGIN = re.compile(
    r"([A-Za-z0-9_][A-Za-z0-9_.-]{0,31})@(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253})(?::(\d{1,5}))?"
)
_CURES = {
    Reason.KEY_REFUSED: "add this line to ~/.ssh/authorized_keys of {user}: restrict {public}",
    Reason.HOST_KEY_CHANGED: "compare it on the server's own console before you give it as --known-host: "
    "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
    Reason.NO_TOOL: "install it with `python -m checks collector`, or leave --forced out",
    Reason.DENIED: "give {user} a shell such as /bin/sh, and see MaxSessions in sshd_config",
    Reason.REFUSED: "see whether sshd listens there",
    Reason.TIMEOUT: "see whether a firewall lets fedisec in, and how long the collector takes on the server",
    Reason.FORBIDDEN_ADDRESS: "allow it with --allow-network",
}


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
    """How to log in; None where that is not asked for.  ValueError with a sentence."""
    if not given.ssh:
        if given.key or given.known_host or given.forced:
            raise ValueError("--key, --known-host and --forced go with --ssh USER@HOST")
        return None
    user, host, port = _login(given.ssh)
    if given.key is None:
        raise ValueError("--ssh needs --key FILE; make one with: ssh-keygen -t ed25519 -N '' -f fedisec_key")
    if not given.known_host:
        raise ValueError(
            f"--ssh needs --known-host; ask with: ssh-keyscan -t ed25519 -p {port} {host}, and compare "
            "what it prints with /etc/ssh/ssh_host_ed25519_key.pub on the server"
        )
    access = Access(
        host, port, user, _text(given.key, "--key"), _host_key(given.known_host, host, port), given.forced
    )
    try:
        read_access(access)
    except ProbeError as error:
        raise ValueError(f"--key: {given.key}: {error.detail} without a passphrase") from None
    return access


def why_not_inside(facts: Facts, access: Access) -> str:
    """Why the login brought nothing, and what to do; "" where it did bring the report."""
    gap = facts.missing.get(Inside)
    if gap is None:
        return ""
    public = load_key(access.private_key)
    cure = _CURES.get(gap.reason, "").format(user=access.user, public=f"ssh-ed25519 {public.get_base64()}")
    what = gap.reason.value.replace("_", " ")
    return "; ".join(filter(None, (f"not seen from inside: {what}: {gap.detail}", cure)))


def _login(text: str) -> tuple[str, str, int]:
    match = _LOGIN.fullmatch(text)
    port = int(match[3] or 22) if match else 0
    if match is None or not 0 < port < 65536:
        raise ValueError("--ssh: give USER@HOST or USER@HOST:PORT (IPv6 as USER@[ADDRESS]:PORT)")
    return match[1], match[2].strip("[]"), port


def _host_key(given: str, host: str, port: int) -> str:
    bare = " " in given.strip()
    text = given if bare else _text(Path(given), "--known-host")
    try:
        return host_key_for(text, host, port)
    except ParseError as error:
        raise ValueError(f"--known-host: {'' if bare else given + ': '}{error}") from None


def _text(path: Path, option: str) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_FILE_MAX).decode("utf-8", "replace")
    except OSError as error:
        raise ValueError(f"{option}: cannot read {path}: {error.strerror}") from None
