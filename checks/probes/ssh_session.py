"""One login over SSH with fedisec's own key, one command, one answer.

Before anything is sent that concerns the account, the server has shown the host key that a person confirmed.
Nothing is given but the signature: no password, no answer to a prompt, no terminal, agent, forwarding or
variable.  Blocking; `run_command` ends within its time whatever the server does.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import io
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

import paramiko

from checks.clean import clean
from checks.errors import ProbeError, Reason, TimedOut, TooLarge
from checks.facts import Missing
from checks.parse.collector import BYTES_MAX
from checks.probes.ssh_client import BROKEN, BYTES_MAX_BEFORE, Client, Line, cleaned, guarded
from checks.target import Access

WALL_S = 60.0
STDERR_MAX = 64 * 1024
_WIRE_MAX = 4 * BYTES_MAX  # paramiko does not hold a server to its window; this does
_POLL_S = 0.1
_STATUS_S = 1.0  # how long the exit status may come behind the output
_DYING_S = 0.5
_SAID_MAX = 200

# Still in paramiko's lists, and needed by no server that the collector can run on.
_REFUSED = {
    "ciphers": ("3des-cbc", "aes128-cbc", "aes192-cbc", "aes256-cbc"),
    "macs": ("hmac-md5", "hmac-md5-96", "hmac-sha1", "hmac-sha1-96"),
}
_SIGNATURES = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}  # RFC 8332; never SHA-1
_END = re.compile(rb"^@done \d{1,10}\r?\n", re.MULTILINE)  # the collector's last line


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said.  `trouble`: why it may not be all of it; the output can be whole even so."""

    output: bytes
    said: str = ""  # of its error output, cleaned
    code: int | None = None  # exit status, None where none came
    trouble: Missing | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """An Access that can be used: read and found whole."""

    user: str
    kind: str  # of the confirmed host key
    host_key: bytes
    key: paramiko.PKey = field(repr=False)


def read_access(access: Access) -> Login:
    """Raises NOT_CONNECTED where no host key is confirmed, or one of the keys cannot be read."""
    blob = host_key_blob(access.host_key)
    return Login(access.user, access.host_key.split()[0], blob, load_key(access.private_key))


def run_command(
    connected: socket.socket, login: Login, command: str, stdin: bytes = b"", wall_s: float = WALL_S
) -> Answer:
    """Logs in on a connected socket and runs one command; owns and closes the socket.  Raises ProbeError:
    HOST_KEY_CHANGED (nothing was sent behind the key exchange), KEY_REFUSED, DENIED (no session or no command
    for this user), or what broke the connection before the command ran."""
    with logged_in(connected, login, wall_s) as line:
        return _Session(line, login.user).run(command, stdin)


@contextlib.contextmanager
def logged_in(connected: socket.socket, login: Login, wall_s: float) -> Iterator[Line]:
    """A connection on which the confirmed host key was shown and the user let in; ends within its time."""
    with guarded(connected, wall_s, BYTES_MAX_BEFORE, _REFUSED) as line:
        ask_for_type(line.transport, login.kind)
        if (gap := line.negotiate()) is not None:
            raise _error(Missing(Reason.TOO_LARGE, gap.detail) if line.tap.full else gap)
        shown = line.transport.get_remote_server_key()
        if shown.asbytes() != login.host_key:
            raise ProbeError(f"now {shown.get_name()} {shown.fingerprint}", reason=Reason.HOST_KEY_CHANGED)
        line.tap.allow(_WIRE_MAX)
        _log_in(line, login)
        yield line


def host_key_blob(text: str) -> bytes:
    """The key behind "TYPE BASE64"; NOT_CONNECTED where it is empty or none."""
    words = text.split()
    if not words:
        raise ProbeError("host key not confirmed", reason=Reason.NOT_CONNECTED)
    try:
        blob = base64.b64decode(words[1], validate=True)
        length = int.from_bytes(blob[:4], "big")
        if blob[4 : 4 + length].decode("ascii") == words[0] and length:
            return blob
    except (IndexError, ValueError, binascii.Error):
        pass
    raise ProbeError("the confirmed host key cannot be read", reason=Reason.NOT_CONNECTED)


def load_key(pem: str) -> paramiko.Ed25519Key:
    """fedisec's private key; NOT_CONNECTED for anything but an ed25519 key without a passphrase.  The error
    says nothing of the text."""
    try:
        return paramiko.Ed25519Key.from_private_key(io.StringIO(pem))
    except BROKEN:
        pass
    raise ProbeError("the private key is no OpenSSH ed25519 key", reason=Reason.NOT_CONNECTED)


def ask_for_type(transport: Client, kind: str) -> None:
    """The confirmed key's type first: that the server has got another key besides is no change."""
    options = transport.get_security_options()
    first = [name for name in options.key_types if name in _SIGNATURES.get(kind, (kind,))]
    options.key_types = (*first, *(name for name in options.key_types if name not in first))


def _log_in(line: Line, login: Login) -> None:
    who = f"user {login.user}"
    try:
        wanted = line.transport.auth_publickey(login.user, login.key)
    except paramiko.BadAuthenticationType as refused:
        offered = ", ".join(cleaned(refused.allowed_types)) or "nothing"
        raise ProbeError(f"{who}; the server takes {offered}", reason=Reason.KEY_REFUSED) from None
    except BROKEN as error:
        raise _refusal(line, error, who) from None
    # Partial success returns as well; only the transport itself knows whether the user is in.
    if not line.transport.is_authenticated():
        more = ", ".join(cleaned(wanted)) or "something"
        raise ProbeError(f"{who}; the server wants {more} beside the key", reason=Reason.KEY_REFUSED)


def _refusal(line: Line, error: Exception, who: str) -> ProbeError:
    """The key was refused, or the connection broke: paramiko raises the same for both."""
    if isinstance(error, paramiko.AuthenticationException) and not line.late:
        if line.transport.is_active():
            return ProbeError(who, reason=Reason.KEY_REFUSED)
        if line.transport.farewell:
            return ProbeError(f"{who}: {line.transport.farewell}", reason=Reason.KEY_REFUSED)
        return _error(_gap(line, None, "SSH login"))
    return _error(_gap(line, error, "SSH login"))


class _Session:
    """The one command of a connection that is logged in."""

    def __init__(self, line: Line, user: str) -> None:
        self._line = line
        self._user = user
        self._output = bytearray()
        self._noise = bytearray()

    def run(self, command: str, stdin: bytes) -> Answer:
        channel = self._start(command)
        trouble = None
        try:
            self._send(channel, stdin)
            self._receive(channel)
        except ProbeError as error:
            trouble = Missing.of(error)
        except BROKEN as error:
            trouble = _gap(self._line, error, "collector")
        return Answer(
            bytes(self._output[:BYTES_MAX]),
            clean(bytes(self._noise).strip(), _SAID_MAX, newlines=False),
            None if channel.exit_status < 0 else channel.exit_status,
            trouble,
        )

    def _start(self, command: str) -> paramiko.Channel:
        transport = self._line.transport
        try:
            channel = transport.open_session(timeout=self._line.left_s)
        except paramiko.ChannelException:
            raise ProbeError(f"no session for user {self._user}", reason=Reason.DENIED) from None
        except BROKEN as error:
            raise self._broken(error, "SSH session") from None
        # paramiko waits for the reply without end, and misses a channel that closed just before.
        self._line.waking.append(channel.event)
        try:
            channel.exec_command(command)  # nosec B601 - the collector's one line, no part of it from outside
        except BROKEN as error:
            broken = self._broken(error, "SSH command")
            if transport.is_active() and broken.reason is not Reason.TIMEOUT:
                raise ProbeError(f"no command for user {self._user}", reason=Reason.DENIED) from None
            raise broken from None
        return channel

    def _broken(self, error: Exception, step: str) -> ProbeError:
        transport = self._line.transport
        transport.join(_DYING_S)  # it lets go of its channels before it says that it ends
        return _error(_gap(self._line, error if transport.is_active() else transport.get_exception(), step))

    def _send(self, channel: paramiko.Channel, stdin: bytes) -> None:
        channel.settimeout(self._line.left_s)
        try:
            channel.sendall(stdin)
            channel.shutdown_write()
        except (OSError, EOFError):
            if self._line.late:
                raise
            # Whoever wants no more input may still have something to say.

    def _receive(self, channel: paramiko.Channel) -> None:
        channel.settimeout(_POLL_S)
        while self._line.left_s:
            while channel.recv_stderr_ready():
                self._noise += channel.recv_stderr(STDERR_MAX)
                if len(self._noise) > STDERR_MAX:
                    raise TooLarge(f"more than {STDERR_MAX} bytes of errors")
            try:
                data = channel.recv(65536)
            except TimeoutError:
                continue
            if not data:
                return self._ended(channel)
            seen = max(0, len(self._output) - 32)
            self._output += data
            if _END.search(self._output, seen):
                return None
            if len(self._output) > BYTES_MAX:
                raise TooLarge(f"more than {BYTES_MAX} bytes")
        raise TimedOut("collector")

    def _ended(self, channel: paramiko.Channel) -> None:
        """The output is over: since the command ended, or since the connection did."""
        channel.status_event.wait(min(_STATUS_S, self._line.left_s))
        while channel.recv_stderr_ready() and len(self._noise) < STDERR_MAX:
            self._noise += channel.recv_stderr(STDERR_MAX)
        if channel.exit_status < 0 and not self._line.transport.is_active():
            raise _error(_gap(self._line, self._line.transport.get_exception(), "collector"))


def _gap(line: Line, error: Exception | None, step: str) -> Missing:
    return Missing(Reason.TOO_LARGE, step) if line.tap.full else line.why(error, step)


def _error(gap: Missing) -> ProbeError:
    return ProbeError(gap.detail, reason=gap.reason)
