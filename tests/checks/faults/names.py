"""A DNS server between the scan and the lab's: it moves the lab's addresses into the hostile world, and breaks
what a test wants broken."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

Move = Callable[[str], str]
Broken = Callable[["Asked"], Awaitable[bytes | None]]
"""The bytes that go back; None for silence."""

_SOA = "ns.test. root.test. 1 3600 600 86400 60"


class Asked:
    """One question on its way through."""

    def __init__(self, query: dns.message.QueryMessage, honest: dns.message.Message, *, tcp: bool) -> None:
        self.query, self.honest, self.tcp = query, honest, tcp

    @property
    def kind(self) -> str:
        return dns.rdatatype.to_text(self.query.question[0].rdtype)

    @property
    def name(self) -> dns.name.Name:
        return self.query.question[0].name

    def reply(self) -> dns.message.Message:
        """An empty answer to this question."""
        return dns.message.make_response(self.query, recursion_available=True)


async def pass_on(asked: Asked) -> bytes | None:
    return asked.honest.to_wire(max_size=65535)


async def nobody(asked: Asked) -> bytes | None:
    """Nobody listens at all: the world opens no port for this one."""
    raise AssertionError("never asked")


async def silence(asked: Asked) -> bytes | None:
    return None


def rcode(name: str) -> Broken:
    async def broken(asked: Asked) -> bytes | None:
        reply = asked.reply()
        reply.set_rcode(dns.rcode.from_text(name))
        return reply.to_wire()

    return broken


async def garbage(asked: Asked) -> bytes | None:
    return b"\x00\xff" * 40


async def cut_over_tcp_too(asked: Asked) -> bytes | None:
    reply = asked.reply()
    reply.flags |= dns.flags.TC
    return reply.to_wire()


async def cut_then_silent(asked: Asked) -> bytes | None:
    return None if asked.tcp else await cut_over_tcp_too(asked)


async def cut_then_garbage(asked: Asked) -> bytes | None:
    return await garbage(asked) if asked.tcp else await cut_over_tcp_too(asked)


async def alias_only(asked: Asked) -> bytes | None:
    return _with(asked, dns.rrset.from_text(asked.name, 60, "IN", "CNAME", "elsewhere.test."))


async def alias_loop(asked: Asked) -> bytes | None:
    other = dns.name.from_text("loop.test.")
    return _with(
        asked,
        dns.rrset.from_text(asked.name, 60, "IN", "CNAME", "loop.test."),
        dns.rrset.from_text(other, 60, "IN", "CNAME", asked.name.to_text()),
    )


async def wrong_id(asked: Asked) -> bytes | None:
    wire = asked.honest.to_wire(max_size=65535)
    return bytes([wire[0] ^ 0xFF]) + wire[1:]


async def another_question(asked: Asked) -> bytes | None:
    other = dns.message.make_query("another.test.", asked.query.question[0].rdtype, id=asked.query.id)
    return dns.message.make_response(other, recursion_available=True).to_wire()


async def truncated(asked: Asked) -> bytes | None:
    """Half of the message, with counts that promise the whole."""
    wire = asked.honest.to_wire(max_size=65535)
    return wire[: 12 + (len(wire) - 12) // 2]


async def header_alone(asked: Asked) -> bytes | None:
    return asked.reply().to_wire()[:4] + bytes(8)


async def referral(asked: Asked) -> bytes | None:
    reply = asked.reply()
    reply.authority.append(dns.rrset.from_text("test.", 60, "IN", "NS", "ns.test."))
    return reply.to_wire()


async def far_too_many(asked: Asked) -> bytes | None:
    """More records than anybody needs."""
    texts = [f'"v=spf1 ip4:198.51.100.{n} -all"' for n in range(200)]
    if asked.kind != "TXT":
        return await pass_on(asked)
    return _with(asked, dns.rrset.from_text(asked.name, 60, "IN", "TXT", *texts))


async def slow(asked: Asked) -> bytes | None:
    await asyncio.sleep(1.2)
    return await pass_on(asked)


async def too_slow(asked: Asked) -> bytes | None:
    await asyncio.sleep(8)
    return await pass_on(asked)


def _with(asked: Asked, *records: dns.rrset.RRset) -> bytes:
    reply = asked.reply()
    reply.answer.extend(records)
    return reply.to_wire(max_size=65535)


class Relay:
    """Asks `upstream` everything, moves addresses by `move`, breaks what `spares` does not spare."""

    def __init__(self, upstream: str, move: Move, broken: Broken, spares: Callable[[str], bool]) -> None:
        self._upstream, self._move, self._broken, self._spares = upstream, move, broken, spares

    async def answer(self, wire: bytes, *, tcp: bool) -> bytes | None:
        query = dns.message.from_wire(wire)
        assert isinstance(query, dns.message.QueryMessage)
        honest = dns.message.from_wire(await self._ask(wire))
        asked = Asked(query, self._moved(honest), tcp=tcp)
        return await (pass_on if self._spares(asked.kind) else self._broken)(asked)

    async def _ask(self, wire: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(self._upstream, 53)
        try:
            writer.write(len(wire).to_bytes(2, "big") + wire)
            return await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
        finally:
            writer.transport.abort()

    def _moved(self, honest: dns.message.Message) -> dns.message.Message:
        """IPv4 addresses of the hostile world; no IPv6 ones, since there is only one /64 of them."""
        kept = []
        for rrset in honest.answer:
            if rrset.rdtype == dns.rdatatype.A:
                moved = [self._move(record.to_text()) for record in rrset]
                kept.append(dns.rrset.from_text(rrset.name, rrset.ttl, "IN", "A", *moved))
            elif rrset.rdtype != dns.rdatatype.AAAA:
                kept.append(rrset)
            else:
                honest.authority.append(dns.rrset.from_text(dns.name.root, 60, "IN", "SOA", _SOA))
        honest.answer = kept
        return honest


class Datagrams(asyncio.DatagramProtocol):
    """UDP face of a relay."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._tasks: set[asyncio.Task[None]] = set()
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(data, addr))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, data: bytes, addr: tuple[str, int]) -> None:
        reply = await self._relay.answer(data, tcp=False)
        if reply is not None and not self._transport.is_closing():
            self._transport.sendto(reply, addr)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._transport.close()


async def over_tcp(relay: Relay, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """TCP face of a relay; silence keeps the connection open."""
    with suppress(asyncio.IncompleteReadError):
        while True:
            size = int.from_bytes(await reader.readexactly(2), "big")
            reply = await relay.answer(await reader.readexactly(size), tcp=True)
            if reply is not None:
                writer.write(len(reply).to_bytes(2, "big") + reply)
                await writer.drain()
