"""Behaviours of a TCP port, hostile or merely broken.  Each owns its connection until it returns."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

Reader: TypeAlias = asyncio.StreamReader
Writer: TypeAlias = asyncio.StreamWriter
Behaviour = Callable[[Reader, Writer, tuple[str, int]], Awaitable[None]]
"""(reader, writer, the honest server behind this port)."""

GARBAGE = random.Random(77).randbytes(4096)
_PAUSE_S = 0.4


@dataclass(frozen=True)
class NoListener:
    """The port itself misbehaves: `drops` swallows every SYN, otherwise every SYN is refused."""

    drops: bool = False


REFUSED, FILTERED = NoListener(), NoListener(drops=True)


def reset(writer: Writer) -> None:
    """Ends the connection with RST."""
    plain = writer.get_extra_info("socket")
    if plain is not None:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def forward(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
    await _relay(reader, writer, honest, _all)


async def silent(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
    while await reader.read(65536):
        pass


async def early_eof(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
    """Accepts and closes at once."""


async def reset_at_once(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
    reset(writer)


async def drip(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
    """The honest answer, but one byte now and then."""

    async def slowly(source: Reader, sink: Writer) -> None:
        while byte := await source.read(1):
            sink.write(byte)
            await sink.drain()
            await asyncio.sleep(_PAUSE_S)

    await _relay(reader, writer, honest, slowly)


def reset_after(count: int) -> Behaviour:
    """The honest answer up to so many bytes, then RST."""

    async def behave(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
        await _relay(reader, writer, honest, _first(count))
        await asyncio.sleep(0.05)  # the bytes shall arrive before the RST throws them away
        reset(writer)

    return behave


def ends_after(count: int) -> Behaviour:
    """The honest answer up to so many bytes, then the end of the stream."""

    async def behave(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
        await _relay(reader, writer, honest, _first(count))

    return behave


def stalls_after(count: int) -> Behaviour:
    """The honest answer up to so many bytes, then nothing more."""

    async def behave(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
        await _relay(reader, writer, honest, _first(count))
        await silent(reader, writer, honest)

    return behave


def says(text: bytes, *, stays: bool = True) -> Behaviour:
    """The same bytes to everybody: another protocol, or noise."""

    async def behave(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
        writer.write(text)
        await writer.drain()
        if stays:
            await silent(reader, writer, honest)

    return behave


def endless(opening: bytes, again: bytes) -> Behaviour:
    """`opening`, then `again` for ever."""

    async def behave(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
        writer.write(opening)
        block = again * (16384 // len(again) + 1)
        while not writer.is_closing():
            writer.write(block)
            await writer.drain()
            await asyncio.sleep(0)  # drain need not wait, and would never hear that the client has gone

    return behave


_Pump = Callable[[Reader, Writer], Awaitable[None]]


async def _all(source: Reader, sink: Writer) -> None:
    while data := await source.read(65536):
        sink.write(data)
        await sink.drain()


def _first(count: int) -> _Pump:
    async def pump(source: Reader, sink: Writer) -> None:
        left = count
        while left and (data := await source.read(left)):
            left -= len(data)
            sink.write(data)
            await sink.drain()

    return pump


async def _relay(reader: Reader, writer: Writer, honest: tuple[str, int], down: _Pump) -> None:
    """Everything up, and as much down as `down` lets through; ends when `down` ends."""
    source, sink = await asyncio.open_connection(*honest)
    up = asyncio.create_task(_all(reader, sink))
    try:
        await down(source, writer)
    finally:
        up.cancel()
        sink.transport.abort()
        with suppress(asyncio.CancelledError, OSError):
            await up


def full_listener(where: tuple[str, int]) -> list[socket.socket]:
    """A listener whose queue is full drops every further SYN, as a firewall does.  To be closed by the caller."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(where)
    listener.listen(0)
    held = [listener]
    for _ in range(3):
        client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        held.append(client)
        client.setblocking(False)
        with suppress(BlockingIOError):
            client.connect(where)
    return held
