"""What the tests of hostile servers share: the time they are given, and what they must not leave behind."""

from __future__ import annotations

import gc
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator

import paramiko
import pytest
from paramiko.common import cMSG_CHANNEL_DATA

from checks.errors import Reason
from checks.probes import inside
from checks.probes.ssh_client import Client
from tests.checks.inside.servers import REPORT, Enrolled, Host, gap_of
from tests.lab.processes import wait_until

SHORT_S = 2.0
LONG_S = 30.0  # for servers that must be caught at something else than the time


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No thread and no descriptor outlives a look."""
    gc.collect()
    threads, files = set(threading.enumerate()), os.listdir("/proc/self/fd")
    yield

    def gone() -> bool:
        gc.collect()
        return set(threading.enumerate()) <= threads and len(os.listdir("/proc/self/fd")) <= len(files)

    assert wait_until(gone, 8), (set(threading.enumerate()) - threads, os.listdir("/proc/self/fd"), files)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
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
    assert wait_until(lambda: not any(map(ours, threading.enumerate())), 8), threading.enumerate()
    assert "\x1b" not in gap.detail and len(gap.detail) < 600
    return gap.reason


def ours(thread: threading.Thread) -> bool:
    """A thread of a look, not of the server that it looks at."""
    if isinstance(thread, paramiko.Transport) and thread.server_mode:
        return False
    return isinstance(thread, (Client, threading.Timer))


def message(kind: bytes, *parts: bytes | int | bool) -> paramiko.Message:
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


def says_nothing(host: Host) -> None:
    host.ended.wait(20)


def stray(host: Host) -> None:
    host.send(message(cMSG_CHANNEL_DATA, 4_000_000_000, b"EVIL"))


def hangs_up(host: Host) -> None:
    host.transport.sock.shutdown(socket.SHUT_RDWR)


def reports(channel: paramiko.Channel) -> None:
    channel.sendall(REPORT.encode())
    channel.send_exit_status(0)
    channel.close()
