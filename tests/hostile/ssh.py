"""SSH servers that mean harm: before, at and behind the key exchange, at the login, at the command."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_PARTIALLY_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    cMSG_CHANNEL_CLOSE,
    cMSG_CHANNEL_DATA,
    cMSG_CHANNEL_WINDOW_ADJUST,
    cMSG_DEBUG,
    cMSG_DISCONNECT,
    cMSG_GLOBAL_REQUEST,
    cMSG_IGNORE,
    cMSG_USERAUTH_BANNER,
    cMSG_USERAUTH_INFO_REQUEST,
)

from tests.checks.inside.hostile import message
from tests.checks.inside.servers import Behaviour as AtCommand
from tests.checks.inside.servers import Host
from tests.hostile.http_answers import EVIL, EVIL_TEXT
from tests.hostile.model import Behaviour, Place, Service
from tests.hostile.ssh_server import (
    REPORT,
    Raw,
    behaviour,
    bytes_of,
    host,
    look_at_the_script,
    look_twice,
)

_LOST, _LATE, _BAD = "connection_lost", "timeout", "malformed"
_NO_LOGIN = "nothing"
_LOGIN = "publickey"
_SESSION = "publickey-session"
_COMMAND = "publickey-session-fedisec-collect"

# ---- before the key exchange: bytes on a socket ---------------------------------------------------------------


def _says(first: bytes, again: bytes = b"", pause_s: float = 0.0, *, stays: bool = True) -> Raw:
    """`first`, then `again` for ever; with neither `again` nor `stays` the connection ends."""

    def behave(connection: socket.socket, ended: threading.Event) -> None:
        connection.sendall(first)
        while again and not ended.wait(pause_s):
            connection.sendall(again)
        if stays:
            ended.wait(20)

    return behave


def _key_exchange(names: bytes) -> bytes:
    """A whole KEXINIT with one text in place of each list of names."""
    lists = (struct.pack(">I", len(names)) + names) * 10
    payload = b"\x14" + bytes(16) + lists + bytes(5)
    padding = 8 - (len(payload) + 5) % 8 + 8
    return struct.pack(">IB", len(payload) + padding + 1, padding) + payload + bytes(padding)


_BANNER = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"
_BYTES: dict[str, tuple[Raw, str]] = {
    "silent": (_says(b""), _LATE),
    "bye-at-once": (_says(b"", stays=False), f"{_LOST} {_BAD}"),
    "banner-and-bye": (_says(_BANNER, stays=False), _LOST),
    "banner-of-escapes": (_says(b"SSH-2.0-" + EVIL + b"\r\n", stays=False), f"{_LOST} {_BAD}"),
    "banner-drips": (_says(b"SSH-2.0-", b"x", 0.1), f"{_LATE} {_BAD}"),
    "banner-without-end": (_says(b"SSH-2.0-", b"x" * 65536), f"{_BAD} too_large"),
    "lines-without-end": (_says(b"", b"hello there \x1b[2J\r\n" * 2000), f"{_BAD} too_large"),
    "says-http": (_says(b"HTTP/1.1 400 Bad Request\r\n\r\n", stays=False), f"{_BAD} {_LOST}"),
    "says-tls": (_says(b"\x15\x03\x03\x00\x02\x02\x28"), f"{_BAD} {_LATE}"),
    "protocol-1": (_says(b"SSH-1.5-OpenSSH_1.2\r\n"), f"{_BAD} not_built"),
    "packet-of-4-gigabytes": (_says(_BANNER + b"\xff\xff\xff\xf4\x04", bytes(65536)), f"{_BAD} too_large"),
    "packets-of-nothing": (_says(_BANNER, b"\0\0\0\x0c\x0a\x02" + bytes(10)), f"{_BAD} too_large {_LOST} {_LATE}"),
    "names-of-100-kilobytes": (_says(_BANNER + _key_exchange(b"x" * 3000)), "not_built " + _BAD),
    "names-of-escapes": (_says(_BANNER + _key_exchange(EVIL)), "not_built " + _BAD),
    "names-cut": (_says(_BANNER + _key_exchange(b"a,b")[:200], stays=False), _LOST),
}  # fmt: skip

# ---- the key exchange -----------------------------------------------------------------------------------------


class _Forger(paramiko.ECDSAKey):
    """Shows the confirmed key, and does not own it."""

    def sign_ssh_data(self, data: bytes, algorithm: str | None = None) -> paramiko.Message:
        return super().sign_ssh_data(data[::-1], algorithm)


def _lie_in_the_signature(transport: paramiko.Transport) -> None:
    for key in list(transport.server_key_dict.values()):
        key.__class__ = _Forger


def _never_agrees(transport: paramiko.Transport) -> None:
    """Reads the client's proposal, and answers nothing."""

    def waits(message: paramiko.Message) -> None:
        while transport.is_active():
            time.sleep(0.05)

    _table(transport)[20] = waits


def _agrees_slowly(transport: paramiko.Transport) -> None:
    usual = _table(transport)[20]

    def slowly(message: paramiko.Message) -> None:
        time.sleep(1.5)
        usual(message)

    _table(transport)[20] = slowly


def _other_ciphers(transport: paramiko.Transport) -> None:
    transport.get_security_options().ciphers = ("aes256-cbc", "3des-cbc")


def _table(transport: paramiko.Transport) -> dict[int, Any]:
    return transport._handler_table  # type: ignore[attr-defined,no-any-return]


def _another_key(place_key: Callable[[], paramiko.PKey]) -> Service:
    """Told is one key, shown is another, from the first connection on."""

    @contextmanager
    def service(place: Place) -> Iterator[Mapping[str, Any] | None]:
        with host(lambda: Host(_reports))(place) as nothing:
            key = place_key()
            place.told["host_key"] = f"{key.get_name()} {key.get_base64()}"
            yield nothing

    return service


# ---- the login ------------------------------------------------------------------------------------------------


def _waits(host: Host) -> None:
    host.ended.wait(20)


def _prompts(host: Host) -> None:
    host.send(message(cMSG_USERAUTH_INFO_REQUEST, EVIL, EVIL, b"", 1, EVIL + b" password: ", False))
    host.ended.wait(20)


def _banners(host: Host) -> None:
    while not host.ended.is_set():
        host.send(message(cMSG_USERAUTH_BANNER, EVIL * 1000, b""))


def _farewell(host: Host) -> None:
    host.send(message(cMSG_DISCONNECT, 2, EVIL * 1000, b""))
    host.ended.wait(20)


def _hangs_up(host: Host) -> None:
    host.transport.sock.shutdown(socket.SHUT_RDWR)


def _forges(host: Host) -> None:
    host.transport.sock.sendall(b"\0\0\0\x20" + b"EVIL" * 12)
    host.ended.wait(20)


def _stray(host: Host) -> None:
    host.send(message(cMSG_CHANNEL_DATA, 4_000_000_000, EVIL))


def _asks_for_everything(host: Host) -> None:
    """Global requests that want an answer, without end."""
    while not host.ended.is_set():
        host.send(message(cMSG_GLOBAL_REQUEST, EVIL, True, b"0.0.0.0", 22))


_AT_LOGIN: dict[str, tuple[Callable[[Host], None], str]] = {
    "mute-at-login": (_waits, _LATE),
    "prompts-at-login": (_prompts, _BAD),
    "banners-at-login": (_banners, "too_large"),
    "farewell-of-escapes": (_farewell, "key_refused"),
    "gone-at-login": (_hangs_up, _LOST),
    "forged-packet": (_forges, _BAD),
    "requests-at-login": (_asks_for_everything, f"too_large {_LATE} {_BAD} {_LOST}"),
}

# ---- the command ----------------------------------------------------------------------------------------------


def _reports(host: Host, channel: paramiko.Channel) -> None:
    channel.sendall(REPORT.encode())
    channel.send_exit_status(0)
    channel.close()


def _mute(host: Host, channel: paramiko.Channel) -> None:
    host.ended.wait(20)


def _opens_channels(host: Host, channel: paramiko.Channel) -> None:
    """Wants in where we are; what it was answered stands in the diary."""
    there = ("127.0.0.1", 6379)
    for kind in ("session", "x11", "forwarded-tcpip", "direct-tcpip", "auth-agent@openssh.com"):
        try:
            host.transport.open_channel(kind, there, there, timeout=3)
            host.asked.append(f"opened {kind}")
        except (paramiko.SSHException, EOFError):
            continue
    _reports(host, channel)


def _floods(kind: bytes, *parts: bytes | int | bool) -> AtCommand:
    def behave(host: Host, channel: paramiko.Channel) -> None:
        while not host.ended.is_set():
            host.send(message(kind, *parts))

    return behave


def _new_keys(host: Host, channel: paramiko.Channel) -> None:
    while not host.ended.is_set():
        host.transport.renegotiate_keys()


def _new_keys_never(host: Host, channel: paramiko.Channel) -> None:
    _table(host.transport)[20] = lambda message: host.ended.wait(20)
    host.transport._send_kex_init()  # type: ignore[attr-defined]
    host.ended.wait(20)


def _unknown_message(host: Host, channel: paramiko.Channel) -> None:
    host.send(message(b"\xc8", EVIL))
    host.ended.wait(20)


def _closes_a_thousand_times(host: Host, channel: paramiko.Channel) -> None:
    for _ in range(1000):
        host.send(message(cMSG_CHANNEL_CLOSE, channel.remote_chanid))
    host.ended.wait(20)


def _reads_slowly(host: Host, channel: paramiko.Channel) -> None:
    while not host.ended.wait(0.02):
        host.send(message(cMSG_CHANNEL_WINDOW_ADJUST, channel.remote_chanid, 1))


def _opens_the_window(host: Host, channel: paramiko.Channel) -> None:
    for _ in range(50):
        host.send(message(cMSG_CHANNEL_WINDOW_ADJUST, channel.remote_chanid, 0xFFFFFFFF))
    host.ended.wait(20)


def _goes_in_the_middle(host: Host, channel: paramiko.Channel) -> None:
    channel.sendall(REPORT[:30].encode())
    time.sleep(0.2)
    with contextlib.suppress(OSError):
        host.transport.sock.shutdown(socket.SHUT_RDWR)


def _narrow(transport: paramiko.Transport) -> None:
    transport.default_window_size = 1000


_AT_COMMAND: dict[str, tuple[AtCommand, str]] = {
    "ignores-without-end": (_floods(cMSG_IGNORE, EVIL * 200), f"too_large {_LATE}"),
    "debug-lines-without-end": (_floods(cMSG_DEBUG, True, EVIL * 200, b""), f"too_large {_LATE}"),
    "requests-without-end": (_floods(cMSG_GLOBAL_REQUEST, EVIL, True), f"too_large {_LATE}"),
    "new-keys-without-end": (_new_keys, f"{_LATE} {_BAD}"),
    "new-keys-never": (_new_keys_never, _LATE),
    "unknown-message": (_unknown_message, _BAD),
    "window-beyond-bounds": (_opens_the_window, f"{_LATE} {_BAD} {_LOST}"),
    "gone-in-the-middle": (_goes_in_the_middle, _LOST),
    "closes-a-thousand-times": (_closes_a_thousand_times, f"{_BAD} {_LOST}"),
    "mute-at-the-command": (_mute, _LATE),
}


def _login(name: str, reason: str, **fields: Any) -> Behaviour:
    return behaviour(name, host(lambda: Host(_reports, **fields)), reason, asked=_LOGIN)


def _session(name: str, reason: str, asked: str, **fields: Any) -> Behaviour:
    return behaviour(name, host(lambda: Host(_reports, **fields)), reason, asked=asked)


BEHAVIOURS: tuple[Behaviour, ...] = (
    *(behaviour(name, bytes_of(how), came, asked=_NO_LOGIN) for name, (how, came) in _BYTES.items()),
    # Nobody may be asked for a login, let alone for a command.
    behaviour("other-key", _another_key(paramiko.ECDSAKey.generate), "host_key_changed", asked=_NO_LOGIN),
    behaviour("key-of-another-type", _another_key(lambda: paramiko.RSAKey.generate(2048)), "host_key_changed",
              asked=_NO_LOGIN),
    behaviour("key-swapped-between-looks", host(lambda: Host(_reports), paramiko.ECDSAKey.generate),
              "host_key_changed", asked=_NO_LOGIN, look=look_twice, quick=True),
    behaviour("key-of-somebody-else", host(lambda: Host(_reports), before=_lie_in_the_signature), _BAD,
              asked=_NO_LOGIN),
    behaviour("agrees-never", host(lambda: Host(_reports), before=_never_agrees), f"{_LATE} {_LOST}", asked=_NO_LOGIN),
    behaviour("agrees-slowly", host(lambda: Host(_reports), before=_agrees_slowly), f"report {_LATE}"),
    behaviour("ciphers-of-the-past", host(lambda: Host(_reports), before=_other_ciphers), "not_built", asked=_NO_LOGIN),
    _login("half-a-login", "key_refused", login=AUTH_PARTIALLY_SUCCESSFUL,
           offers=f"password,keyboard-interactive,{EVIL_TEXT}"),
    _login("key-refused", "key_refused", login=AUTH_FAILED, offers="publickey,password,keyboard-interactive"),
    *(_login(name, came, at_login=trap) for name, (trap, came) in _AT_LOGIN.items()),
    _session("no-session", "denied", _SESSION, may_open=OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED),
    _session("mute-at-the-session", _LATE, _SESSION, at_open=_waits),
    _session("gone-at-the-session", _LOST, _SESSION, at_open=_hangs_up),
    _session("no-command", "denied", _COMMAND, runs=False),
    _session("late-for-the-command", _LATE, _COMMAND, at_exec=_waits),
    _session("stray-data", _LOST, _COMMAND, at_exec=_stray),
    behaviour("opens-channels-back", host(lambda: Host(_opens_channels)), "report", asked=_COMMAND),
    *(behaviour(name, host(lambda how=how: Host(how)), came, asked=_COMMAND)  # type: ignore[misc]
      for name, (how, came) in _AT_COMMAND.items()),
    behaviour("does-not-take-the-script", host(lambda: Host(_mute), before=_narrow), _LATE, asked="publickey-session-sh--s",
              look=look_at_the_script),
    behaviour("takes-the-script-slowly", host(lambda: Host(_reads_slowly), before=_narrow), _LATE,
              asked="publickey-session-sh--s", look=look_at_the_script),
)  # fmt: skip
