"""One SSH connection, up to the point where a login would begin: identification, algorithms, methods.

paramiko negotiates the keys; the clear text before that is tapped on the socket and read by our own parser,
so that one connection tells everything.  Never `SSHClient`: its login prints the server's text and reads our
standard input.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import struct
import threading
import time
from dataclasses import dataclass

import paramiko
from paramiko.kex_curve25519 import KexCurve25519

from checks.clean import clean
from checks.errors import Reason
from checks.facts import Missing
from checks.parse.ssh_wire import OPENING_MAX

WALL_S = 15.0
_BYTES_MAX = 256 * 1024  # of a flood; a whole negotiation takes about 4 KiB
_METHODS_MAX = 20
_LOG = "checks.ssh.silenced"  # paramiko logs what the server says; nobody may write to our log

# What paramiko raises for broken or hostile messages, its own errors included.
_BROKEN = (
    paramiko.SSHException, EOFError, OSError, ValueError, LookupError, TypeError, AttributeError,
    ArithmeticError, AssertionError, struct.error,
)  # fmt: skip


class _Client(paramiko.Transport):
    """paramiko knows curve25519-sha256 by its older name alone; RFC 8731 gave the same method a second one,
    and a hardened server may offer no other."""

    _kex_info = {**paramiko.Transport._kex_info, "curve25519-sha256": KexCurve25519}  # type: ignore[attr-defined]
    _preferred_kex = (*paramiko.Transport._preferred_kex, "curve25519-sha256")  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Heard:
    """What one connection brought.  `methods` None: not asked, as the far side is no SSH server."""

    opening: bytes  # the clear bytes that the server sent first
    methods: tuple[str, ...] | Missing
    lets_in: bool = False


class TappedSocket(socket.socket):
    """A connected socket that keeps a copy of the first bytes received and ends after `_BYTES_MAX`."""

    def __init__(self, connected: socket.socket) -> None:
        super().__init__(fileno=connected.detach())
        self.opening = b""
        self._received = 0

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        if self._received >= _BYTES_MAX:
            return b""
        data = super().recv(size, flags)
        self._received += len(data)
        if len(self.opening) < OPENING_MAX:
            self.opening += data[: OPENING_MAX - len(self.opening)]
        return data


def listen(connected: socket.socket, user: str, wall_s: float = WALL_S) -> Heard:
    """Blocking, `wall_s` seconds at most whatever the server does; owns and closes the socket.  Asks which
    methods `user` may log in with (RFC 4252 5.2) and tries none of them."""
    tap = TappedSocket(connected)
    silence = logging.getLogger(_LOG)
    silence.setLevel(logging.CRITICAL + 1)
    transport = _Client(tap)
    transport.daemon = True
    transport.set_log_channel(_LOG)
    transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = wall_s
    ends = time.monotonic() + wall_s
    watchdog = threading.Timer(wall_s, _end, (tap, transport))
    watchdog.daemon = True
    watchdog.start()
    try:
        methods, lets_in = _ask(transport, user, ends)
    finally:
        watchdog.cancel()
        _end(tap, transport)
        watchdog.join(2.0)
    return Heard(tap.opening, methods, lets_in)


def _ask(transport: paramiko.Transport, user: str, ends: float) -> tuple[tuple[str, ...] | Missing, bool]:
    negotiated = threading.Event()
    # With an event paramiko does not raise here, whatever the server sends: `_why` asks for it later.
    transport.start_client(event=negotiated)
    while not negotiated.wait(0.05) and time.monotonic() < ends and transport.is_alive():
        pass
    if not (transport.is_active() and transport.initial_kex_done):
        return _why(transport.get_exception(), ends), False
    try:
        transport.auth_none(user)
    except paramiko.BadAuthenticationType as refused:
        return _cleaned(refused.allowed_types), False
    except _BROKEN as error:
        return _why(error, ends), False
    # Partial success returns as well; only the transport itself knows whether the user is in.
    if transport.is_authenticated():
        return (), True
    return Missing(Reason.MALFORMED, "success without a login"), False


def _cleaned(methods: list[str]) -> tuple[str, ...]:
    return tuple(clean(m, 64, newlines=False) for m in methods[:_METHODS_MAX] if m)


def _why(error: Exception | None, ends: float) -> Missing:
    if time.monotonic() >= ends - 0.1:
        return Missing(Reason.TIMEOUT, "SSH negotiation")
    if error is None or isinstance(error, (EOFError, ConnectionError)):
        return Missing(Reason.CONNECTION_LOST, "SSH negotiation")
    if isinstance(error, TimeoutError):
        return Missing(Reason.TIMEOUT, "SSH negotiation")
    if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):  # sound, but newer or older than paramiko
        return Missing(Reason.NOT_BUILT, clean(str(error), 200, newlines=False))
    return Missing(Reason.MALFORMED, clean(f"SSH negotiation: {error}", 200, newlines=False))


def _end(tap: socket.socket, transport: paramiko.Transport) -> None:
    """The socket first: its end is what stops paramiko's thread, also in the middle of a flood."""
    with contextlib.suppress(OSError):
        tap.shutdown(socket.SHUT_RDWR)
    transport.close()
    transport.packetizer.complete_handshake()  # ends the timer that paramiko leaves behind
    tap.close()
    if transport.is_alive():
        transport.join(2.0)
