"""The probe of the inside against servers that let it in and mean harm: each ends as unknown, in time, with the
right reason, and leaves nothing behind."""

from __future__ import annotations

import socket
import threading
import time

import paramiko
import pytest
from paramiko.common import (
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    cMSG_CHANNEL_CLOSE,
    cMSG_CHANNEL_DATA,
    cMSG_CHANNEL_EXTENDED_DATA,
    cMSG_CHANNEL_WINDOW_ADJUST,
    cMSG_IGNORE,
)

from checks.errors import Reason
from checks.facts.inside import Inside
from tests.checks.inside.hostile import (  # noqa: F401 - fixtures for all tests here
    LONG_S,
    SHORT_S,
    gap_within,
    hangs_up,
    message,
    nothing_left,
    quiet,
    reports,
    says_nothing,
    stray,
)
from tests.checks.inside.servers import REPORT, Behaviour, Host, hosted, look_inside
from tests.lab.processes import wait_until


@pytest.mark.parametrize(
    ("host", "wall_s", "reason"),
    [
        (Host(may_open=OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED), LONG_S, Reason.DENIED),
        (Host(runs=False), LONG_S, Reason.DENIED),
        (Host(at_open=says_nothing), SHORT_S, Reason.TIMEOUT),
        (Host(at_exec=says_nothing), SHORT_S, Reason.TIMEOUT),
        (Host(at_open=hangs_up), LONG_S, Reason.CONNECTION_LOST),
        (Host(at_exec=hangs_up), LONG_S, Reason.CONNECTION_LOST),
        (Host(at_exec=stray), LONG_S, Reason.CONNECTION_LOST),
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
        threading.Timer(0.3, host.send, [message(cMSG_CHANNEL_CLOSE, 0)]).start()

    def forget(channel: paramiko.Channel) -> None:
        assert wait_until(lambda: channel.closed, 5)
        usual(channel)

    usual = paramiko.Channel._event_pending  # type: ignore[attr-defined]
    monkeypatch.setattr(paramiko.Channel, "_event_pending", forget)
    with hosted(Host(at_open=close)) as server:
        assert gap_within(server, monkeypatch, SHORT_S) is Reason.TIMEOUT


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
        host.send(message(cMSG_CHANNEL_DATA, channel.remote_chanid, b"EVIL" * 8192))


def _errors_beyond_the_window(host: Host, channel: paramiko.Channel) -> None:
    while not host.ended.is_set():
        host.send(message(cMSG_CHANNEL_EXTENDED_DATA, channel.remote_chanid, 1, b"EVIL" * 8192))


def _endless_nothing(host: Host, channel: paramiko.Channel) -> None:
    while not host.ended.is_set():
        host.send(message(cMSG_IGNORE, b"EVIL" * 8192))


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
    host.send(message(b"\xc8", b"EVIL"))
    host.ended.wait(20)


def _other_channel(host: Host, channel: paramiko.Channel) -> None:
    host.send(message(cMSG_CHANNEL_DATA, 4_000_000_000, b"EVIL"))
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
        host.send(message(cMSG_CHANNEL_WINDOW_ADJUST, channel.remote_chanid, 1))


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
        reports(channel)

    host = Host(behave)
    with hosted(host) as server:
        assert look_inside(server.access(forced=True)).get(Inside).uid == 0
    assert opened == ["refused"] * 5
    assert host.asked == ["publickey", "session", "fedisec-collect"], "no terminal, no agent, no variable"
