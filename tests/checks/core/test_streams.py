"""A connection of the dialler on real sockets: byte caps, time limits, the end."""

from __future__ import annotations

import asyncio
import ssl
import time

import pytest

from checks.errors import (
    ConnectionLost,
    Starved,
    TimedOut,
    TooLarge,
)
from checks.target import Limits
from tests.checks.core.sockets import (
    LOCAL,
    connected,
    endless,
    listening,
    net,
    resetting,
    saying,
    silent,
)


def test_a_stream_reads_no_more_than_its_cap() -> None:
    async def run() -> None:
        async with connected(endless, wire_bytes=10_000) as (stream, _):
            heard = b""
            with pytest.raises(TooLarge):
                while True:
                    heard += await stream.read(3000)
            assert len(heard) == 10_000

    asyncio.run(run())


def test_a_connection_may_have_a_cap_of_its_own() -> None:
    async def run() -> None:
        async with listening(endless) as met:
            stream = await net().connect(LOCAL, met.port, "tcp", max_bytes=100)
            assert len(await stream.read_exactly(60)) == 60
            with pytest.raises(TooLarge):
                await stream.read_exactly(41)
            assert len(await stream.read_exactly(40)) == 40
            with pytest.raises(TooLarge):
                await stream.read(1)
            stream.close()

    asyncio.run(run())


def test_a_flood_that_nobody_reads_stays_in_the_kernel() -> None:
    async def run() -> None:
        async with connected(endless) as (stream, _):
            await asyncio.sleep(0.3)
            assert len(stream._reader._buffer) <= 4 * 2**16  # type: ignore[attr-defined]

    asyncio.run(run())


@pytest.mark.parametrize("step", ["read", "read_exactly"])
def test_silence_is_a_timeout_and_the_cap_is_left_alone(step: str) -> None:
    async def run() -> None:
        async with connected(silent) as (stream, _):
            begun = time.monotonic()
            with pytest.raises(TimedOut):
                await getattr(stream, step)(10, timeout_s=0.1)
            assert time.monotonic() - begun < 1
            assert stream._left == Limits().wire_bytes

    asyncio.run(run())


def test_one_time_limit_holds_for_all_bytes_that_are_wanted_exactly() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    async def run() -> None:
        async with connected(drip) as (stream, _):
            begun = time.monotonic()
            with pytest.raises(TimedOut):
                await stream.read_exactly(1000, timeout_s=0.3)
            assert time.monotonic() - begun < 1.5

    asyncio.run(run())


def test_the_end_of_the_stream_is_empty_for_read_and_a_loss_for_read_exactly() -> None:
    async def short(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"abc")

    async def run() -> None:
        async with connected(short) as (stream, _):
            assert await stream.read_exactly(3) == b"abc"
            assert await stream.read() == b""
        async with connected(short) as (stream, _):
            with pytest.raises(ConnectionLost):
                await stream.read_exactly(4)

    asyncio.run(run())


def test_a_reset_is_a_lost_connection() -> None:
    async def run() -> None:
        async with connected(resetting) as (stream, _):
            with pytest.raises(ConnectionLost):
                await stream.read()

    asyncio.run(run())


def test_a_write_that_the_far_side_never_takes_ends_in_time() -> None:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async def run() -> None:
        async with connected(deaf) as (stream, _):
            begun = time.monotonic()
            with pytest.raises(TimedOut):
                await stream.write(bytes(32 << 20), timeout_s=0.2)
            assert time.monotonic() - begun < 2

    asyncio.run(run())


def test_a_handshake_with_somebody_who_keeps_silent_ends_in_time() -> None:
    async def run() -> None:
        async with connected(silent) as (stream, _):
            begun = time.monotonic()
            with pytest.raises(TimedOut):
                await stream.start_tls(ssl.create_default_context(), "a.example", timeout_s=0.2)
            assert time.monotonic() - begun < 2

    asyncio.run(run())


@pytest.mark.parametrize(
    "garbage", [b"SSH-2.0-x\r\n", b"HTTP/1.1 400 Bad\r\n\r\n", b"\x15\x03\x03\x00\x02\x02\x28"]
)
def test_a_handshake_with_garbage_is_left_to_the_caller(garbage: bytes) -> None:
    async def run() -> None:
        async with connected(saying(garbage)) as (stream, _):
            with pytest.raises(ssl.SSLError):
                await stream.start_tls(ssl.create_default_context(), "a.example")

    asyncio.run(run())


def test_closing_never_waits_and_net_closes_what_is_left() -> None:
    async def run() -> None:
        async with listening(silent) as met:
            dialler = net()
            one = await dialler.connect(LOCAL, met.port, "tcp")
            await dialler.connect(LOCAL, met.port, "tcp")
            await asyncio.sleep(0.05)
            assert met.now == 2
            one.close()
            one.close()
            dialler.close()
            assert not dialler.open
            await asyncio.sleep(0.05)
            assert met.now == 0

    asyncio.run(run())


def test_a_time_limit_that_our_own_delay_broke_is_told_apart() -> None:
    async def run() -> None:
        async with connected(silent) as (stream, _):
            with pytest.raises(TimedOut) as patient:
                await stream.read(timeout_s=0.1)
            assert not isinstance(patient.value, Starved)
            asyncio.get_running_loop().call_later(0.02, time.sleep, 0.3)
            with pytest.raises(Starved):
                await stream.read(timeout_s=0.1)

    asyncio.run(run())
