"""What a server's SSH shows before it is trusted, and what fedisec's key may do there beside its report.

Blocking, like `ssh_session`; each function owns and closes the socket that it is given and ends in its time.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass

import paramiko

from checks.errors import ProbeError, Reason
from checks.probes.ssh_client import BROKEN, BYTES_MAX_BEFORE, Line, guarded
from checks.probes.ssh_session import Login, ask_for_type, logged_in

_STEP_S = 5.0  # for one answer
_PROHIBITED = 1  # RFC 4254 5.1: SSH_OPEN_ADMINISTRATIVELY_PROHIBITED
_NOBODY_LISTENS = ("127.0.0.1", 1)  # as seen by the server: tcpmux, which nothing has served for decades
_SFTP_HELLO = struct.pack(">IBI", 5, 1, 3)  # SSH_FXP_INIT, version 3
_SFTP_ANSWER = 2  # SSH_FXP_VERSION


@dataclass(frozen=True, slots=True)
class Powers:
    """Whether a key gives more than its command.  None: could not be seen."""

    terminal: bool | None
    forwarding: bool | None
    files: bool | None  # SFTP


def shown_host_key(connected: socket.socket, kind: str, wall_s: float) -> str:
    """The key that the server shows, as "TYPE BASE64"; the type `kind` is asked for first ("" = ed25519).
    Nobody is logged in.  Raises ProbeError."""
    with guarded(connected, wall_s, BYTES_MAX_BEFORE) as line:
        ask_for_type(line.transport, kind or "ssh-ed25519")
        gap = line.negotiate()
        if gap is not None:
            raise ProbeError(gap.detail, reason=gap.reason)
        shown = line.transport.get_remote_server_key()
        return f"{shown.get_name()} {shown.get_base64()}"


def powers_of(connected: socket.socket, login: Login, wall_s: float) -> Powers:
    """Asks for a terminal, a forwarded port and SFTP, all on one connection, and uses none of them.  Raises
    ProbeError as `run_command` does."""
    with logged_in(connected, login, wall_s) as line:
        return Powers(_seen(line, _terminal), _seen(line, _forwarding), _seen(line, _files))


def _seen(line: Line, ask: Callable[[Line], bool | None]) -> bool | None:
    """What was answered; None where nothing was, or the connection broke."""
    try:
        return ask(line)
    except BROKEN:
        return None


def _terminal(line: Line) -> bool | None:
    return _granted(line, lambda channel: channel.get_pty())


def _forwarding(line: Line) -> bool | None:
    try:
        line.transport.open_channel("direct-tcpip", _NOBODY_LISTENS, ("127.0.0.1", 0), timeout=_wait_s(line))
    except paramiko.ChannelException as refused:
        # Any other answer came from the attempt to connect, which was allowed then.
        return refused.code != _PROHIBITED
    return True


def _files(line: Line) -> bool | None:
    """A forced command runs in the place of a subsystem, and then it is not SFTP that answers."""
    channel = line.transport.open_session(timeout=_wait_s(line))
    line.waking.append(channel.event)
    try:
        channel.invoke_subsystem("sftp")
    except paramiko.SSHException:
        return False if line.transport.is_active() and not line.late else None
    channel.settimeout(_wait_s(line))
    channel.sendall(_SFTP_HELLO)
    said = b""
    while len(said) < len(_SFTP_HELLO):
        more = channel.recv(64)
        if not more:
            break
        said += more
    channel.close()
    return said[4:5] == bytes([_SFTP_ANSWER])


def _granted(line: Line, ask: Callable[[paramiko.Channel], None]) -> bool | None:
    channel = line.transport.open_session(timeout=_wait_s(line))
    line.waking.append(channel.event)  # paramiko waits for the reply without end
    try:
        ask(channel)
    except paramiko.SSHException:
        return False if line.transport.is_active() and not line.late else None
    channel.close()
    return True


def _wait_s(line: Line) -> float:
    if not line.left_s:
        raise ProbeError("SSH", reason=Reason.TIMEOUT)
    return min(_STEP_S, line.left_s)
