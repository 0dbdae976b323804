"""A guarded SSH connection, and what it tells before a login: identification, algorithms, methods.

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
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

import paramiko
from cryptography import exceptions as crypto
from paramiko.kex_curve25519 import KexCurve25519

from checks.clean import clean
from checks.errors import Reason
from checks.facts import Missing
from checks.parse.ssh_wire import OPENING_MAX

WALL_S = 15.0
BYTES_MAX_BEFORE = 256 * 1024  # of a flood; a whole negotiation takes about 4 KiB
_METHODS_MAX = 20
_LOG = "checks.ssh.silenced"  # paramiko logs what the server says; nobody may write to our log

# What paramiko raises for broken or hostile messages, its own errors included; those of the library under it
# have no common base.
BROKEN = (
    paramiko.SSHException, EOFError, OSError, ValueError, LookupError, TypeError, AttributeError,
    ArithmeticError, AssertionError, struct.error,
    crypto.InvalidTag, crypto.InvalidSignature, crypto.InvalidKey, crypto.UnsupportedAlgorithm,
    crypto.InternalError,
)  # fmt: skip


class Client(paramiko.Transport):
    """paramiko knows curve25519-sha256 by its older name alone; RFC 8731 gave the same method a second one,
    and a hardened server may offer no other."""

    _kex_info = {**paramiko.Transport._kex_info, "curve25519-sha256": KexCurve25519}  # type: ignore[attr-defined]
    _preferred_kex = (*paramiko.Transport._preferred_kex, "curve25519-sha256")  # type: ignore[attr-defined]
    farewell = ""  # why the server says it hangs up, cleaned

    def _parse_disconnect(self, m: paramiko.Message) -> None:
        m.get_int()
        self.farewell = clean(m.get_binary(), 200, newlines=False)


@dataclass(frozen=True, slots=True)
class Heard:
    """What one connection brought.  `methods` None: not asked, as the far side is no SSH server."""

    opening: bytes  # the clear bytes that the server sent first
    methods: tuple[str, ...] | Missing
    lets_in: bool = False


class TappedSocket(socket.socket):
    """A connected socket that keeps a copy of the first bytes received and ends after `bytes_max`."""

    def __init__(self, connected: socket.socket, bytes_max: int) -> None:
        super().__init__(fileno=connected.detach())
        self.opening = b""
        self._left = bytes_max

    @property
    def full(self) -> bool:
        return self._left <= 0

    def allow(self, bytes_more: int) -> None:
        self._left += bytes_more

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        if self.full:
            return b""
        data = super().recv(size, flags)
        self._left -= len(data)
        if len(self.opening) < OPENING_MAX:
            self.opening += data[: OPENING_MAX - len(self.opening)]
        return data


@dataclass
class Line:
    """One guarded connection.  Whoever waits for something that paramiko may never say puts its event into
    `waking`: it is set when the time is over."""

    tap: TappedSocket
    transport: Client
    ends: float  # of time.monotonic()
    waking: list[threading.Event] = field(default_factory=list)

    @property
    def left_s(self) -> float:
        return max(0.0, self.ends - time.monotonic())

    @property
    def late(self) -> bool:
        return self.left_s < 0.1

    @property
    def echoed(self) -> bool:
        """The far side sent our own algorithms back, random cookie and all: it offers nothing."""
        own: bytes | None = getattr(self.transport, "_latest_kex_init", None)
        return own is not None and own in self.tap.opening

    def negotiate(self) -> Missing | None:
        """Agrees on keys; why that failed, or None."""
        negotiated = threading.Event()
        # With an event paramiko does not raise here, whatever the server sends: `why` asks for it later.
        self.transport.start_client(event=negotiated)
        while not negotiated.wait(0.05) and self.left_s and self.transport.is_alive():
            pass
        if self.transport.is_active() and self.transport.initial_kex_done:
            return None
        return self.why(self.transport.get_exception(), "SSH negotiation")

    def why(self, error: Exception | None, step: str) -> Missing:
        """The reason behind what paramiko raised in a step, or kept to itself."""
        if self.late or isinstance(error, TimeoutError):
            return Missing(Reason.TIMEOUT, step)
        if error is None or isinstance(error, (EOFError, ConnectionError)):
            said = f" ({self.transport.farewell})" if self.transport.farewell else ""
            return Missing(Reason.CONNECTION_LOST, step + said)
        if isinstance(
            error, paramiko.ssh_exception.IncompatiblePeer
        ):  # sound, but newer or older than paramiko
            return Missing(Reason.NOT_BUILT, clean(str(error), 200, newlines=False))
        return Missing(Reason.MALFORMED, clean(f"{step}: {error}", 200, newlines=False))

    def hang_up(self) -> None:
        """The socket first: its end is what stops paramiko's thread, also in the middle of a flood."""
        with contextlib.suppress(OSError):
            self.tap.shutdown(socket.SHUT_RDWR)
        self.transport.close()
        self.transport.packetizer.complete_handshake()  # ends the timer that paramiko leaves behind
        self.tap.close()
        for event in self.waking:
            event.set()
        if self.transport.is_alive():
            self.transport.join(2.0)


@contextlib.contextmanager
def guarded(
    connected: socket.socket,
    wall_s: float,
    bytes_max: int,
    refused: Mapping[str, Iterable[str]] | None = None,
) -> Iterator[Line]:
    """A connection that ends after `wall_s` seconds and `bytes_max` bytes, whatever the server does; owns and
    closes the socket.  `refused`: algorithms not to agree to, by paramiko's kind."""
    ends = time.monotonic() + wall_s
    with contextlib.suppress(OSError):  # no TCP, or closed by now
        # Each of paramiko's small messages would wait for the answer to the one before: three round trips.
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    tap = TappedSocket(connected, bytes_max)
    logging.getLogger(_LOG).setLevel(logging.CRITICAL + 1)
    transport = Client(tap, disabled_algorithms=refused)
    transport.daemon = True
    transport.set_log_channel(_LOG)
    transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = wall_s
    line = Line(tap, transport, ends)
    watchdog = threading.Timer(wall_s, line.hang_up)
    watchdog.daemon = True
    watchdog.start()
    try:
        yield line
    finally:
        watchdog.cancel()
        line.hang_up()
        watchdog.join(2.0)


def listen(connected: socket.socket, user: str, wall_s: float = WALL_S) -> Heard:
    """Blocking, `wall_s` seconds at most whatever the server does; owns and closes the socket.  Asks which
    methods `user` may log in with (RFC 4252 5.2) and tries none of them."""
    with guarded(connected, wall_s, BYTES_MAX_BEFORE) as line:
        methods, lets_in = _ask(line, user)
    if line.echoed:
        return Heard(b"", Missing(Reason.MALFORMED, "our own words came back"))
    return Heard(line.tap.opening, methods, lets_in)


def _ask(line: Line, user: str) -> tuple[tuple[str, ...] | Missing, bool]:
    gap = line.negotiate()
    if gap is not None:
        return gap, False
    try:
        line.transport.auth_none(user)
    except paramiko.BadAuthenticationType as refused:
        return cleaned(refused.allowed_types), False
    except BROKEN as error:
        return line.why(error, "SSH negotiation"), False
    # Partial success returns as well; only the transport itself knows whether the user is in.
    if line.transport.is_authenticated():
        return (), True
    return Missing(Reason.MALFORMED, "success without a login"), False


def cleaned(methods: Iterable[str]) -> tuple[str, ...]:
    """Names of login methods as the server gave them, made harmless."""
    return tuple(clean(m, 64, newlines=False) for m in islice(methods, _METHODS_MAX) if m)
