"""Connecting by the scan's own selector: every end is told, and no descriptor is left behind."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.probes.connecting import Connector

HOST = "127.0.0.1"


@pytest.fixture
def listener() -> Iterator[int]:
    with socket.create_server((HOST, 0), backlog=8) as server:
        yield server.getsockname()[1]


@pytest.fixture
def silent() -> Iterator[int]:
    """A port whose queue is full: the kernel drops further handshakes, as a firewall does."""
    with socket.create_server((HOST, 0), backlog=0) as server:
        port = server.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex((HOST, port))
        yield port
        for one in waiting:
            one.close()


def _closed_port() -> int:
    with socket.create_server((HOST, 0)) as server:
        return int(server.getsockname()[1])


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0


def test_open_closed_and_silent_side_by_side(listener: int, silent: int) -> None:
    async def ends() -> list[object]:
        connector = Connector()
        wanted = [listener, _closed_port(), silent] * 5
        try:
            return list(
                await asyncio.gather(
                    *(connector.connect(HOST, port, 0.3) for port in wanted), return_exceptions=True
                )
            )
        finally:
            connector.close()

    before = _descriptors()
    told = asyncio.run(ends())
    for good, refused, late in zip(told[0::3], told[1::3], told[2::3], strict=True):
        assert isinstance(good, socket.socket)
        assert good.getpeername() == (HOST, listener)
        assert not good.getblocking()
        good.close()
        assert isinstance(refused, ConnectionRefusedError)
        assert isinstance(late, TimeoutError)
        assert not isinstance(late, ConnectionError)
    assert _descriptors() == before


def test_a_cancelled_wait_leaves_nothing_behind(silent: int) -> None:
    async def cancelled() -> None:
        connector = Connector()
        tasks = [asyncio.ensure_future(connector.connect(HOST, silent, 5)) for _ in range(3)]
        await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended)
        connector.close()

    before = _descriptors()
    asyncio.run(cancelled())
    assert _descriptors() == before


def test_closing_first_does_not_break_who_still_waits(silent: int) -> None:
    async def closed_first() -> None:
        connector = Connector()
        waiting = asyncio.ensure_future(connector.connect(HOST, silent, 0.2))
        await asyncio.sleep(0.05)
        connector.close()
        with pytest.raises(TimeoutError):
            await waiting

    before = _descriptors()
    asyncio.run(closed_first())
    assert _descriptors() == before
