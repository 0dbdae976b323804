"""Servers on loopback that misbehave, and a dialler that may reach them."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

from checks.probes.net import Net, Stream
from checks.target import Limits, Vantage

LOCAL = "127.0.0.1"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Met:
    """A server of the test, and how many connections it saw at once."""

    port: int = 0
    now: int = 0
    most: int = 0
    all: int = 0


@asynccontextmanager
async def listening(serve: Serve, host: str = LOCAL) -> AsyncIterator[Met]:
    met = Met()
    tasks: set[asyncio.Task[None]] = set()

    async def counted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.now, met.all = met.now + 1, met.all + 1
        met.most = max(met.most, met.now)
        try:
            with suppress(ConnectionError):
                await serve(reader, writer)
        finally:
            met.now -= 1
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(counted(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, host, 0)
    met.port = server.sockets[0].getsockname()[1]
    try:
        yield met
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)


def net(**limits: object) -> Net:
    given = replace(Limits(wall_s=5.0, connect_s=1.0), **limits)  # type: ignore[arg-type]
    return Net(Vantage(allow_networks=("127.0.0.0/8",)), given)


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


def saying(data: bytes) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        await reader.read()

    return serve


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x" * 4096)
        await writer.drain()
        await asyncio.sleep(0)


async def resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOCAL, 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def dropping() -> AsyncIterator[int]:
    """A port that drops every SYN, as a firewall does: a listener whose queue is full."""
    with socket.socket() as listener, socket.socket() as one, socket.socket() as two:
        listener.bind((LOCAL, 0))
        listener.listen(0)
        for client in (one, two):
            client.setblocking(False)
            with suppress(BlockingIOError):
                client.connect(listener.getsockname())
        yield int(listener.getsockname()[1])


@asynccontextmanager
async def connected(serve: Serve, **limits: object) -> AsyncIterator[tuple[Stream, Net]]:
    async with listening(serve) as met:
        dialler = net(**limits)
        stream = await dialler.connect(LOCAL, met.port, "tcp")
        try:
            yield stream, dialler
        finally:
            stream.close()
