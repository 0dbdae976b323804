"""What to run on the server, as text to copy; and what the outcome of a test means, with its cure."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from checks.errors import Reason
from checks.probes.collector import collector_sha256
from checks.reasons import REASONS
from checks.sections import describe
from fedisec.enrolment.keys import SCRIPT_PATH, authorized_line
from fedisec.enrolment.models import Mode, SshAccess
from fedisec.enrolment.report import Sight

ROOT = "root"  # needs no account and no sudo
DOWNLOAD = "fedisec-collect"  # the name of the script as it is downloaded
_HOST_KEY_FILES = {"ssh-ed25519": "ed25519", "ssh-rsa": "rsa"}


@dataclass(frozen=True, slots=True)
class Commands:
    """Blocks of commands for one access; "" where its mode needs none."""

    account: str
    line: str
    authorize: str
    install: str
    sudoers: str


def commands_of(access: SshAccess) -> Commands:
    line, is_root = key_line(access), access.user == ROOT
    create = f"sudo useradd --create-home --shell /bin/sh --password '*' {access.user}"
    return Commands(
        account="" if is_root else create,
        line=line,
        authorize=_authorize(access.user, line),
        install=_install() if access.is_forced else "",
        sudoers=_sudoers(access.user) if access.mode == Mode.SUDO and not is_root else "",
    )


def key_line(access: SshAccess) -> str:
    """The one line of authorized_keys."""
    command = SCRIPT_PATH if access.is_forced else ""
    if access.mode == Mode.SUDO and access.user != ROOT:
        command = f"sudo -n {SCRIPT_PATH}"
    return authorized_line(access.public_key, command, settings.OUTGOING_ADDRESSES, access.instance.domain)


def _authorize(user: str, line: str) -> str:
    folder = f"~{user}/.ssh"
    return "\n".join(
        (
            f'sudo install -d -m 700 -o {user} -g "$(id -gn {user})" {folder}',
            f"echo '{line}' | sudo tee -a {folder}/authorized_keys",
            f"sudo chown {user}: {folder}/authorized_keys",
            f"sudo chmod 600 {folder}/authorized_keys",
        )
    )


def _install() -> str:
    return "\n".join(
        (
            f"echo '{collector_sha256()}  {DOWNLOAD}' | sha256sum -c",
            f"sudo install -o root -g root -m 755 {DOWNLOAD} {SCRIPT_PATH}",
        )
    )


def _sudoers(user: str) -> str:
    """sudo passes over files with a dot in their name: the new one counts only once it was found good."""
    return "\n".join(
        (
            f"echo '{user} ALL=(root) NOPASSWD: {SCRIPT_PATH} \"\"' | sudo tee /etc/sudoers.d/fedisec.new",
            "sudo chmod 440 /etc/sudoers.d/fedisec.new",
            "sudo visudo -cf /etc/sudoers.d/fedisec.new"
            " && sudo mv /etc/sudoers.d/fedisec.new /etc/sudoers.d/fedisec",
        )
    )


def compare_command(host_key: str) -> str:
    """What prints the fingerprint of that key on the server's own console."""
    kind = host_key.partition(" ")[0]
    name = _HOST_KEY_FILES.get(kind, "ecdsa" if kind.startswith("ecdsa-") else "*")
    return f"ssh-keygen -lf /etc/ssh/ssh_host_{name}_key.pub"


def trouble(access: SshAccess) -> str:
    """Why the last login brought no report, and what to do; "" where it did, or none was tried."""
    reason, where = access.report.get("reason", ""), access.report.get("where", "")
    if not reason:
        return ""
    if access.powers.get("command"):
        return _(
            "The key is good for any command at %(where)s. The line in authorized_keys lacks its command=…; "
            "replace it with the line of step 2."
        ) % {"where": where}
    if reason == Reason.TIMEOUT and access.report.get("entered"):
        return _(
            "The login at %(where)s worked, but the report was not whole after 20 seconds. "
            "The next scan waits a minute for it."
        ) % {"where": where}
    told = _told(Reason(reason))
    if told:
        return told % {"where": where, "user": access.user, "port": access.port, "path": SCRIPT_PATH}
    return REASONS[Reason(reason)].in_language(get_language() or "en")


def _told(reason: Reason) -> str:
    return {
        Reason.KEY_REFUSED: _(
            "The server refused the key for %(where)s. Add the line of step 2 to "
            "~%(user)s/.ssh/authorized_keys; "
            "the file must belong to %(user)s, and nobody else may be able to write to it or its folders."
        ),
        Reason.REFUSED: _(
            "Nothing listens at %(where)s. Is %(port)s the port of sshd? Does the firewall let fedisec in?"
        ),
        Reason.TIMEOUT: _("No answer within 20 seconds from %(where)s. A firewall may keep fedisec out."),
        Reason.NO_TOOL: _(
            "The key was accepted, but %(path)s is not on the server. Install the script of step 2."
        ),
        Reason.NO_SHELL: _(
            "The key was accepted, but user %(user)s has no shell to run anything. "
            "Give the account one: sudo usermod --shell /bin/sh %(user)s"
        ),
        Reason.DENIED: _(
            "The key was accepted, but user %(user)s may not run the script. The detail says why."
        ),
        Reason.MALFORMED: _(
            "The login at %(where)s worked, but what came back is no report. Compare the line in "
            "authorized_keys and the script's SHA-256 with step 2; the detail shows what the server said."
        ),
        Reason.NOT_ASKED: _(
            "A CDN stands in front of the domain, so its address is not the server. Name the host in step 1."
        ),
        Reason.HOST_KEY_CHANGED: _(
            "The server showed another host key than the confirmed one. Nobody logged in."
        ),
    }.get(reason, "")


def not_root(access: SshAccess) -> bool:
    """The script was to run as root and did not."""
    return (
        access.mode == Mode.SUDO and bool(access.report.get("sections")) and not access.report.get("as_root")
    )


def seen_sections(access: SshAccess) -> list[tuple[str, list[tuple[str, str]]]]:
    """The last report: how much was seen, in words, and the sections it holds for: what each is about, and
    its name in the script."""
    words = {
        Sight.FINE: _("Read"),
        Sight.PARTLY: _("Read in part: some of it needs more rights"),
        Sight.DENIED: _("Not readable for this account"),
        Sight.CUT: _("Cut off: too slow or too long"),
        Sight.ABSENT: _("Not on this server"),
    }
    language, sections = get_language() or "en", access.report.get("sections", ())
    grouped = [
        (word, [(describe(name).in_language(language), name) for name, sight in sections if sight == kind])
        for kind, word in words.items()
    ]
    return [(word, found) for word, found in grouped if found]


def seen_powers(access: SshAccess) -> list[tuple[str, bool | None]]:
    """What was tried beside the report: in words, and whether the key may do it."""
    words = {
        "command": _("another command"),
        "terminal": _("a terminal"),
        "forwarding": _("forwarding of ports"),
        "files": _("file transfer (SFTP)"),
    }
    return [(word, access.powers[name]) for name, word in words.items() if name in access.powers]
