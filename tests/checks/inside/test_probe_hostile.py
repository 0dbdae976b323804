"""The probe of the inside against servers that were trusted once and mean harm: each ends as unknown, in time,
with the right reason, and leaves nothing behind."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko
import pytest
from paramiko.common import (
    AUTH_FAILED,
    AUTH_PARTIALLY_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    cMSG_CHANNEL_CLOSE,
    cMSG_CHANNEL_DATA,
    cMSG_CHANNEL_EXTENDED_DATA,
    cMSG_CHANNEL_WINDOW_ADJUST,
    cMSG_DISCONNECT,
    cMSG_IGNORE,
    cMSG_USERAUTH_BANNER,
    cMSG_USERAUTH_INFO_REQUEST,
)

from checks.errors import Reason
from checks.facts.inside import Inside
from checks.probes import inside
from checks.probes.ssh_client import Client
from tests.checks.inside.servers import KEY, REPORT, Behaviour, Enrolled, Host, gap_of, hosted, look_inside
from tests.checks.inside.test_probe import _nothing_left  # noqa: F401 - for this module as well
from tests.checks.ssh.servers import speaker
from tests.lab.processes import wait_until

SHORT_S = 2.0
LONG_S = 30.0  # for servers that must be caught at something else than the time


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Nothing that a server says reaches a log or a terminal."""
    caplog.set_level(logging.DEBUG)
    yield
    ours = [r for r in caplog.records if not r.name.startswith("paramiko.transport")]  # the servers' own
    assert not [r for r in ours if "EVIL" in r.getMessage() or r.name.startswith("checks.ssh")]
    out, err = capfd.readouterr()
    assert "EVIL" not in out + err


def gap_within(
    server: Enrolled, monkeypatch: pytest.MonkeyPatch, wall_s: float, forced: bool = True
) -> Reason:
    monkeypatch.setattr(inside, "WALL_S", wall_s)
    begun = time.monotonic()
    gap = gap_of(server.access(forced=forced))
    assert time.monotonic() - begun < wall_s + 8
    assert not [t for t in threading.enumerate() if isinstance(t, (Client, threading.Timer)) and ours(t)]
    assert "\x1b" not in gap.detail and len(gap.detail) < 600
    return gap.reason


def ours(thread: threading.Thread) -> bool:
    return not (isinstance(thread, paramiko.Transport) and thread.server_mode)


# ---- before the login -----------------------------------------------------------------------------------------


def _silent(connection: socket.socket, ended: threading.Event) -> None:
    ended.wait(20)


def _drip(connection: socket.socket, ended: threading.Event) -> None:
    connection.sendall(b"SSH-2.0-EVIL\r\n")
    while not ended.wait(0.1):
        connection.sendall(b"\0")


def _huge_banner(connection: socket.socket, ended: threading.Event) -> None:
    while not ended.is_set():
        connection.sendall(b"EVIL" * 16384)


def _huge_packet(connection: socket.socket, ended: threading.Event) -> None:
    connection.sendall(b"SSH-2.0-EVIL\r\n\xff\xff\xff\xf4\x04")
    while not ended.is_set():
        connection.sendall(b"\0" * 65536)


def _bye(connection: socket.socket, ended: threading.Event) -> None:
    connection.sendall(b"SSH-2.0-EVIL\r\n")


@pytest.mark.parametrize(
    ("behave", "wall_s", "reasons"),
    [
        (_silent, SHORT_S, {Reason.TIMEOUT}),
        (_drip, SHORT_S, {Reason.TIMEOUT, Reason.MALFORMED}),
        (_huge_banner, LONG_S, {Reason.MALFORMED, Reason.TOO_LARGE}),
        (_huge_packet, LONG_S, {Reason.MALFORMED, Reason.TOO_LARGE}),
        (_bye, LONG_S, {Reason.CONNECTION_LOST}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_server_that_agrees_on_no_keys(
    behave: Callable[[socket.socket, threading.Event], None],
    wall_s: float,
    reasons: set[Reason],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with speaker(behave) as port:
        assert gap_within(Enrolled(port, KEY.public, Path()), monkeypatch, wall_s) in reasons


def test_a_key_that_changes_on_the_second_visit_is_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(lambda host, channel: _whole(channel))
    with hosted(host, paramiko.ECDSAKey.generate()) as server:
        assert look_inside(server.access(forced=True)).get(Inside).uid == 0
        asked = list(host.asked)
        assert gap_within(server, monkeypatch, LONG_S) is Reason.HOST_KEY_CHANGED
    assert host.asked == asked == ["publickey", "session", "fedisec-collect"]


# ---- at the login ---------------------------------------------------------------------------------------------


def test_a_key_that_is_taken_for_half_a_login_is_followed_by_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(login=AUTH_PARTIALLY_SUCCESSFUL, offers="password,keyboard-interactive,EVIL\x1b[31m")
    with hosted(host) as server:
        assert gap_within(server, monkeypatch, LONG_S) is Reason.KEY_REFUSED
    assert host.asked == ["publickey"]


def test_a_refused_key_is_offered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(login=AUTH_FAILED, offers="publickey,password,keyboard-interactive")
    with hosted(host) as server:
        assert gap_within(server, monkeypatch, LONG_S) is Reason.KEY_REFUSED
    assert host.asked == ["publickey"]


def _message(kind: bytes, *parts: bytes | int | bool) -> paramiko.Message:
    message = paramiko.Message()
    message.add_byte(kind)
    for part in parts:
        if isinstance(part, bool):
            message.add_boolean(part)
        elif isinstance(part, int):
            message.add_int(part)
        else:
            message.add_string(part)
    return message


def _says_nothing(host: Host) -> None:
    host.ended.wait(20)


def _prompts(host: Host) -> None:
    host.send(_message(cMSG_USERAUTH_INFO_REQUEST, b"EVIL", b"EVIL", b"", 1, b"EVIL password: ", False))
    host.ended.wait(20)


def _banners(host: Host) -> None:
    while not host.ended.is_set():
        host.send(_message(cMSG_USERAUTH_BANNER, b"EVIL\x1b[2J" * 1000, b""))


def _disconnects(host: Host) -> None:
    host.send(_message(cMSG_DISCONNECT, 2, b"EVIL\x1b[2J" * 1000, b""))
    host.ended.wait(20)


def _stray(host: Host) -> None:
    host.send(_message(cMSG_CHANNEL_DATA, 4_000_000_000, b"EVIL"))


def _hangs_up(host: Host) -> None:
    host.transport.sock.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("at_login", "wall_s", "reason"),
    [
        (_says_nothing, SHORT_S, Reason.TIMEOUT),
        (_prompts, LONG_S, Reason.MALFORMED),
        (_banners, LONG_S, Reason.TOO_LARGE),
        (_disconnects, LONG_S, Reason.KEY_REFUSED),
        (_hangs_up, LONG_S, Reason.CONNECTION_LOST),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_server_that_misbehaves_at_the_login(
    at_login: Callable[[Host], None], wall_s: float, reason: Reason, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = Host(at_login=at_login)
    with hosted(host) as server:
        assert gap_within(server, monkeypatch, wall_s) is reason
    assert host.asked == ["publickey"]


def test_a_message_that_was_tampered_with_is_no_bug_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an AEAD cipher it is the cryptography library that objects, in words of its own."""

    def narrow(transport: paramiko.Transport) -> None:
        transport.get_security_options().ciphers = ("aes256-gcm@openssh.com",)

    def forge(host: Host) -> None:
        host.transport.sock.sendall(b"\0\0\0\x20" + b"EVIL" * 12)
        host.ended.wait(20)

    with hosted(Host(at_login=forge), before=narrow) as server:
        assert gap_within(server, monkeypatch, LONG_S) is Reason.MALFORMED


# ---- at the command -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "wall_s", "reason"),
    [
        (Host(may_open=OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED), LONG_S, Reason.DENIED),
        (Host(runs=False), LONG_S, Reason.DENIED),
        (Host(at_open=_says_nothing), SHORT_S, Reason.TIMEOUT),
        (Host(at_exec=_says_nothing), SHORT_S, Reason.TIMEOUT),
        (Host(at_open=_hangs_up), LONG_S, Reason.CONNECTION_LOST),
        (Host(at_exec=_hangs_up), LONG_S, Reason.CONNECTION_LOST),
        (Host(at_exec=_stray), LONG_S, Reason.CONNECTION_LOST),
    ],
    ids=[
        "no session",
        "no command",
        "mute at open",
        "mute at exec",
        "gone at open",
        "gone at exec",
        "stray at exec",
    ],
)
def test_a_server_that_runs_nothing(
    host: Host, wall_s: float, reason: Reason, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hosted(host) as server:
        assert gap_within(server, monkeypatch, wall_s) is reason


def test_a_channel_that_closes_just_before_we_wait_for_it_is_no_trap(monkeypatch: pytest.MonkeyPatch) -> None:
    """paramiko forgets what happened before it begins to wait, and waits without end."""

    def close(host: Host) -> None:
        threading.Timer(0.3, host.send, [_message(cMSG_CHANNEL_CLOSE, 0)]).start()

    def forget(channel: paramiko.Channel) -> None:
        assert wait_until(lambda: channel.closed, 5)
        usual(channel)

    usual = paramiko.Channel._event_pending  # type: ignore[attr-defined]
    monkeypatch.setattr(paramiko.Channel, "_event_pending", forget)
    with hosted(Host(at_open=close)) as server:
        assert gap_within(server, monkeypatch, SHORT_S) is Reason.TIMEOUT


def _whole(channel: paramiko.Channel) -> None:
    channel.sendall(REPORT.encode())
    channel.send_exit_status(0)
    channel.close()


def _mute(host: Host, channel: paramiko.Channel) -> None:
    host.ended.wait(20)


def _slow(host: Host, channel: paramiko.Channel) -> None:
    while not host.ended.wait(0.05):
        channel.sendall(b"\n")
        channel.sendall_stderr(b"\n")


def _endless(host: Host, channel: paramiko.Channel) -> None:
    while not host.ended.is_set():
        channel.sendall(b"EVIL" * 8192)


def _endless_errors(host: Host, channel: paramiko.Channel) -> None:
    while not host.ended.is_set():
        channel.sendall_stderr(b"EVIL" * 8192)


def _beyond_the_window(host: Host, channel: paramiko.Channel) -> None:
    while not host.ended.is_set():
        host.send(_message(cMSG_CHANNEL_DATA, channel.remote_chanid, b"EVIL" * 8192))


def _errors_beyond_the_window(host: Host, channel: paramiko.Channel) -> None:
    while not host.ended.is_set():
        host.send(_message(cMSG_CHANNEL_EXTENDED_DATA, channel.remote_chanid, 1, b"EVIL" * 8192))


def _endless_nothing(host: Host, channel: paramiko.Channel) -> None:
    while not host.ended.is_set():
        host.send(_message(cMSG_IGNORE, b"EVIL" * 8192))


def _long_report(host: Host, channel: paramiko.Channel) -> None:
    lines = " EVIL\n" * 350_000
    channel.sendall(f"@fedisec 1\n@sec meta\n{lines} =rc 0\n@end meta ms=1\n@done 0\n".encode())
    host.ended.wait(20)


def _gone_in_the_middle(host: Host, channel: paramiko.Channel) -> None:
    channel.sendall(REPORT[:30].encode())
    time.sleep(0.2)
    host.transport.sock.shutdown(socket.SHUT_RDWR)


def _closed_in_the_middle(host: Host, channel: paramiko.Channel) -> None:
    channel.sendall(REPORT[:30].encode())
    channel.close()


def _end_without_a_close(host: Host, channel: paramiko.Channel) -> None:
    channel.sendall(REPORT[:30].encode())
    channel.shutdown_write()
    host.ended.wait(20)


def _new_keys_for_ever(host: Host, channel: paramiko.Channel) -> None:
    while not host.ended.is_set():
        host.transport.renegotiate_keys()


def _new_keys_never(host: Host, channel: paramiko.Channel) -> None:
    host.transport._handler_table[20] = lambda message: host.ended.wait(20)  # type: ignore[attr-defined]
    host.transport._send_kex_init()  # type: ignore[attr-defined]
    host.ended.wait(20)


def _unknown_message(host: Host, channel: paramiko.Channel) -> None:
    host.send(_message(b"\xc8", b"EVIL"))
    host.ended.wait(20)


def _other_channel(host: Host, channel: paramiko.Channel) -> None:
    host.send(_message(cMSG_CHANNEL_DATA, 4_000_000_000, b"EVIL"))
    host.ended.wait(20)


@pytest.mark.parametrize(
    ("behave", "wall_s", "reasons"),
    [
        (_mute, SHORT_S, {Reason.TIMEOUT}),
        (_slow, SHORT_S, {Reason.TIMEOUT}),
        (_endless, LONG_S, {Reason.TOO_LARGE}),
        (_endless_errors, LONG_S, {Reason.TOO_LARGE}),
        (_beyond_the_window, LONG_S, {Reason.TOO_LARGE}),
        (_errors_beyond_the_window, LONG_S, {Reason.TOO_LARGE}),
        (_endless_nothing, LONG_S, {Reason.TOO_LARGE}),
        (_long_report, LONG_S, {Reason.TOO_LARGE}),
        (_gone_in_the_middle, LONG_S, {Reason.CONNECTION_LOST}),
        (_closed_in_the_middle, LONG_S, {Reason.MALFORMED}),
        (_end_without_a_close, LONG_S, {Reason.MALFORMED}),
        (_new_keys_for_ever, SHORT_S, {Reason.TIMEOUT}),
        (_new_keys_never, SHORT_S, {Reason.TIMEOUT}),
        (_unknown_message, LONG_S, {Reason.MALFORMED}),
        (_other_channel, LONG_S, {Reason.CONNECTION_LOST}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_server_that_misbehaves_at_the_command(
    behave: Behaviour, wall_s: float, reasons: set[Reason], monkeypatch: pytest.MonkeyPatch
) -> None:
    with hosted(Host(behave)) as server:
        assert gap_within(server, monkeypatch, wall_s) in reasons


def _reads_slowly(host: Host, channel: paramiko.Channel) -> None:
    while not host.ended.wait(0.02):
        host.send(_message(cMSG_CHANNEL_WINDOW_ADJUST, channel.remote_chanid, 1))


@pytest.mark.parametrize(
    ("behave", "wall_s", "reason"),
    [
        (_mute, SHORT_S, Reason.TIMEOUT),
        (_reads_slowly, SHORT_S, Reason.TIMEOUT),
        (_beyond_the_window, LONG_S, Reason.TOO_LARGE),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_server_that_does_not_take_the_script(
    behave: Behaviour, wall_s: float, reason: Reason, monkeypatch: pytest.MonkeyPatch
) -> None:
    def narrow(transport: paramiko.Transport) -> None:
        transport.default_window_size = 1000

    host = Host(behave)
    with hosted(host, before=narrow) as server:
        assert gap_within(server, monkeypatch, wall_s, forced=False) is reason
    assert host.asked == ["publickey", "session", "sh -s"]


def test_nothing_is_opened_from_the_far_side() -> None:
    opened: list[str] = []

    def behave(host: Host, channel: paramiko.Channel) -> None:
        for kind in ("session", "x11", "forwarded-tcpip", "direct-tcpip", "auth-agent@openssh.com"):
            try:
                there = ("127.0.0.1", 1)
                host.transport.open_channel(kind, there, there, timeout=5)
                opened.append(kind)
            except paramiko.ChannelException as refused:
                assert refused.code == OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
                opened.append("refused")
        _whole(channel)

    host = Host(behave)
    with hosted(host) as server:
        assert look_inside(server.access(forced=True)).get(Inside).uid == 0
    assert opened == ["refused"] * 5
    assert host.asked == ["publickey", "session", "fedisec-collect"], "no terminal, no agent, no variable"
