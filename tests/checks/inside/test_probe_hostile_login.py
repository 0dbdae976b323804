"""The probe of the inside against servers that mean harm before it is in: each ends as unknown, in time, with the
right reason, and leaves nothing behind."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path

import paramiko
import pytest
from paramiko.common import (
    AUTH_FAILED,
    AUTH_PARTIALLY_SUCCESSFUL,
    cMSG_DISCONNECT,
    cMSG_USERAUTH_BANNER,
    cMSG_USERAUTH_INFO_REQUEST,
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
)
from tests.checks.inside.servers import KEY, Enrolled, Host, hosted, look_inside
from tests.checks.ssh.servers import speaker

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
    host = Host(lambda host, channel: reports(channel))
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


def _prompts(host: Host) -> None:
    host.send(message(cMSG_USERAUTH_INFO_REQUEST, b"EVIL", b"EVIL", b"", 1, b"EVIL password: ", False))
    host.ended.wait(20)


def _banners(host: Host) -> None:
    while not host.ended.is_set():
        host.send(message(cMSG_USERAUTH_BANNER, b"EVIL\x1b[2J" * 1000, b""))


def _disconnects(host: Host) -> None:
    host.send(message(cMSG_DISCONNECT, 2, b"EVIL\x1b[2J" * 1000, b""))
    host.ended.wait(20)


@pytest.mark.parametrize(
    ("at_login", "wall_s", "reason"),
    [
        (says_nothing, SHORT_S, Reason.TIMEOUT),
        (_prompts, LONG_S, Reason.MALFORMED),
        (_banners, LONG_S, Reason.TOO_LARGE),
        (_disconnects, LONG_S, Reason.KEY_REFUSED),
        (hangs_up, LONG_S, Reason.CONNECTION_LOST),
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
