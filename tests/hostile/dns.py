"""Name servers that mean harm on the wire: messages that are wrong, late, endless, or somebody else's."""

from __future__ import annotations

import asyncio
import struct

import dns.flags
import dns.name
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.rrset

from tests.checks.faults import names
from tests.checks.faults.streams import Reader, Writer, reset
from tests.hostile.dns_server import Answer, Answers, Asked, OverTcp, Relay
from tests.hostile.groups import EVERYTHING, MAIL, NAME, ZONE
from tests.hostile.model import Allows, Behaviour, World
from tests.lab import places as at

ADDRESSES = frozenset({"A", "AAAA"})
RESOLVER = (at.RESOLVER_IP, 53)


def on(answer: Answer, *kinds: str) -> Answer:
    """`answer` for questions of these types; all others are answered honestly."""

    async def some(asked: Asked) -> bytes | None:
        return await (answer if asked.kind in kinds else names.pass_on)(asked)

    return some


def but(answer: Answer, *kinds: str) -> Answer:
    """`answer` for all questions but those of these types."""

    async def most(asked: Asked) -> bytes | None:
        return await (names.pass_on if asked.kind in kinds else answer)(asked)

    return most


async def wrong_port(asked: Asked) -> bytes | None:
    """The honest answer, from another port of the same address."""
    if asked.tcp:
        return await names.pass_on(asked)
    asked.send(await names.pass_on(asked) or b"", (_home(asked), 5353))
    return None


async def wrong_address(asked: Asked) -> bytes | None:
    """The honest answer, from port 53 of a neighbour."""
    if asked.tcp:
        return await names.pass_on(asked)
    head, _, _ = _home(asked).rpartition(".")
    asked.send(await names.pass_on(asked) or b"", (f"{head}.99", 53))
    return None


def _home(asked: Asked) -> str:
    return asked.where[0]


def flood(data: int, seconds: float = 20.0) -> Answer:
    """Datagrams with another id as fast as they go, in place of an answer: a reader that passes them over without
    a pause serves nobody else meanwhile."""

    async def send(asked: Asked) -> bytes | None:
        if asked.tcp:
            return None
        reply = asked.reply()
        reply.id ^= 0xFFFF
        reply.answer.append(
            dns.rrset.from_text(asked.name, 60, "IN", "TXT", *(f'"{n}"' for n in range(data)))
        )
        wire = reply.to_wire(max_size=65535)
        ends = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < ends:
            for _ in range(20):
                asked.send(wire, None)
            await asyncio.sleep(0.001)
        return None

    return send


async def echo(asked: Asked) -> bytes | None:
    """The question itself, which is no answer."""
    return asked.query.to_wire()


async def late_and_twice(asked: Asked) -> bytes | None:
    """The same answer five times: those behind the first must not be taken for answers to later questions."""
    wire = await names.pass_on(asked)
    if not asked.tcp and wire is not None:
        for _ in range(4):
            asked.send(wire, None)
    return wire


def raw(body: bytes) -> Answer:
    """These bytes behind the id of the question."""

    async def answer(asked: Asked) -> bytes | None:
        return struct.pack("!H", asked.query.id) + body

    return answer


def _question(asked: Asked) -> bytes:
    return asked.query.question[0].name.to_wire() + struct.pack("!HH", asked.query.question[0].rdtype, 1)  # type: ignore[operator]


def built(answers: bytes, counts: tuple[int, int, int] = (1, 0, 0), flags: int = 0x8180) -> Answer:
    """The right header and question, then bytes written by hand."""

    async def answer(asked: Asked) -> bytes | None:
        return struct.pack("!HHHHHH", asked.query.id, flags, 1, *counts) + _question(asked) + answers

    return answer


def chain(length: int) -> Answer:
    """An alias of an alias of an alias; at its end the honest records."""

    async def answer(asked: Asked) -> bytes | None:
        links, owner = [], asked.name
        for n in range(length):
            target = dns.name.from_text(f"a{n}.fedi.test.")
            links.append(dns.rrset.from_text(owner, 60, "IN", "CNAME", target.to_text()))
            owner = target
        for rrset in asked.honest.answer:
            if rrset.rdtype == asked.query.question[0].rdtype:
                links.append(dns.rrset.from_rdata_list(owner, 60, list(rrset)))
        return asked.with_records(*links)

    return answer


async def no_name_with_data(asked: Asked) -> bytes | None:
    """NXDOMAIN, and the records all the same."""
    asked.honest.set_rcode(dns.rcode.NXDOMAIN)
    return await names.pass_on(asked)


async def other_opcode(asked: Asked) -> bytes | None:
    asked.honest.set_opcode(dns.opcode.UPDATE)
    return await names.pass_on(asked)


async def referral_round(asked: Asked) -> bytes | None:
    """Downwards to the very name that was asked for, whose servers are below it, without glue."""
    reply = asked.reply()
    for n in range(20):
        reply.authority.append(dns.rrset.from_text(asked.name, 60, "IN", "NS", f"ns{n}.{asked.name}"))
    return reply.to_wire(max_size=65535)


async def glueless(asked: Asked) -> bytes | None:
    """Two zones that each name the other's servers."""
    reply = asked.reply()
    reply.authority.append(dns.rrset.from_text("a.test.", 60, "IN", "NS", "ns.b.test."))
    reply.additional.append(dns.rrset.from_text("b.test.", 60, "IN", "NS", "ns.a.test."))
    return reply.to_wire(max_size=65535)


def ttl(value: int) -> Answer:
    async def answer(asked: Asked) -> bytes | None:
        wire = bytearray(await names.pass_on(asked) or b"")
        for rrset in asked.honest.answer:
            packed = struct.pack("!HHI", rrset.rdtype, 1, rrset.ttl)
            at_ = wire.find(packed, 12)
            while at_ >= 0:
                wire[at_ + 4 : at_ + 8] = struct.pack("!I", value)
                at_ = wire.find(packed, at_ + 8)
        return bytes(wire)

    return answer


# Over TCP, to which a cut answer sends the asker.


def over_tcp(serve: OverTcp, *spared: str) -> Answers:
    return Answers(but(names.cut_over_tcp_too, *spared), serve)


async def _whole(reader: Reader, relay: Relay) -> bytes:
    wire = await relay.read(reader)
    asked = await relay.asked(wire, tcp=True)
    reply = asked.honest.to_wire(max_size=65535)
    return struct.pack("!H", len(reply)) + reply


async def tcp_drip(reader: Reader, writer: Writer, relay: Relay) -> None:
    for byte in await _whole(reader, relay):
        writer.write(bytes((byte,)))
        await writer.drain()
        await asyncio.sleep(0.5)


async def tcp_endless(reader: Reader, writer: Writer, relay: Relay) -> None:
    await relay.read(reader)
    while True:
        writer.write(b"\xff\xff" + bytes(65535))
        await writer.drain()
        await asyncio.sleep(0)


async def tcp_promises(reader: Reader, writer: Writer, relay: Relay) -> None:
    """The length of a message, and none."""
    await relay.read(reader)
    writer.write(b"\xff\xff")
    await reader.read()


async def tcp_byte_and_end(reader: Reader, writer: Writer, relay: Relay) -> None:
    writer.write((await _whole(reader, relay))[:1])


async def tcp_reset(reader: Reader, writer: Writer, relay: Relay) -> None:
    await relay.read(reader)
    reset(writer)


async def tcp_reset_midway(reader: Reader, writer: Writer, relay: Relay) -> None:
    writer.write((await _whole(reader, relay))[:20])
    await writer.drain()
    await asyncio.sleep(0.05)
    reset(writer)


async def tcp_half_close(reader: Reader, writer: Writer, relay: Relay) -> None:
    await relay.read(reader)
    writer.write_eof()
    await reader.read()


async def tcp_empty_messages(reader: Reader, writer: Writer, relay: Relay) -> None:
    await relay.read(reader)
    while True:
        writer.write(b"\x00\x00" * 8192)
        await writer.drain()
        await asyncio.sleep(0)


async def tcp_silent(reader: Reader, writer: Writer, relay: Relay) -> None:
    await reader.read()


async def tcp_other_question(reader: Reader, writer: Writer, relay: Relay) -> None:
    wire = await relay.read(reader)
    reply = await names.another_question(await relay.asked(wire, tcp=True)) or b""
    writer.write(struct.pack("!H", len(reply)) + reply)


# A name that points at itself, at what lies behind it, and labels that promise more than there is.
_RR = struct.pack("!HHIH", 16, 1, 60, 2) + b"\x01x"
_LOOP = b"\xc0\xff" + _RR
_SELF = [
    ("pointer-to-itself", built(b"\xc0\x0c" + struct.pack("!HHIH", 5, 1, 60, 2) + b"\xc0\x0c", (1, 0, 0))),
    ("pointer-forward", built(b"\xc1\xff" + _RR)),
    ("pointer-ladder", built(b"".join(struct.pack("!H", 0xC000 | max(12, 40 + 2 * n)) for n in range(2000)) + _RR)),
    ("label-too-long", built(b"\x7f" + b"a" * 127 + b"\x00" + _RR)),
    ("name-too-long", built(b"\x3f" + b"a" * 63 + (b"\x3f" + b"a" * 63) * 5 + b"\x00" + _RR)),
    ("counts-lie", built(b"", (65535, 65535, 65535))),
    ("rdata-longer-than-message", built(b"\xc0\x0c" + struct.pack("!HHIH", 16, 1, 60, 65535) + b"\x01x")),
    ("txt-string-beyond-rdata", built(b"\xc0\x0c" + struct.pack("!HHIH", 16, 1, 60, 2) + b"\xffx")),
    ("option-beyond-end", built(b"\x00" + struct.pack("!HHIH", 41, 1232, 0, 4) + b"\x00\x0f\xff\xff", (0, 0, 1))),
    ("two-options", built((b"\x00" + struct.pack("!HHIH", 41, 1232, 0, 0)) * 2, (0, 0, 2))),
    ("extended-rcode", built(b"\x00" + struct.pack("!HHIH", 41, 1232, 0x01000000, 0), (0, 0, 1))),
]  # fmt: skip


def many_names(count: int) -> Answer:
    """Records whose names are each of 120 labels, in a few bytes: unpacking them all takes seconds."""

    async def answer(asked: Asked) -> bytes | None:
        if not asked.tcp:
            return await names.cut_over_tcp_too(asked)
        head = struct.pack("!HHHHHH", asked.query.id, 0x8580, 1, count + 1, 0, 0) + _question(asked)
        record = struct.pack("!HHIH", 16, 1, 60, 2) + b"\x01x"
        first = b"\x01a" * 120 + b"\x00" + record
        back = struct.pack("!H", 0xC000 | (len(head) + 2))
        more = (struct.pack("!BBB", 2, 97 + n % 26, 97 + n // 26) + back + record for n in range(count))
        return head + first + b"".join(more)

    return answer


_WIRE: dict[str, Answer] = {
    "silence": names.silence,
    "garbage": names.garbage,
    "wrong-id": names.wrong_id,
    "wrong-question": names.another_question,
    "wrong-port": wrong_port,
    "wrong-address": wrong_address,
    "flood-small": flood(1),
    "flood-large": flood(2500),
    "echo": echo,
    "other-opcode": other_opcode,
    "truncated": names.truncated,
    "header-alone": names.header_alone,
    "empty-datagram": raw(b""),
    "three-bytes": raw(b"\x81"),
    "cut-over-tcp-too": names.cut_over_tcp_too,
    "alias-alone": names.alias_only,
    "alias-ring": names.alias_loop,
    "alias-chain-100": chain(100),
    "servfail": names.rcode("SERVFAIL"),
    "refused": names.rcode("REFUSED"),
    "formerr": names.rcode("FORMERR"),
    "notimp": names.rcode("NOTIMP"),
    "nxdomain-with-data": no_name_with_data,
    "referral": names.referral,
    "referral-round": referral_round,
    "glueless-round": glueless,
    "too-slow": names.too_slow,
    "many-names": many_names(3500),
    **dict(_SELF),
}
_TCP: dict[str, OverTcp] = {
    "tcp-drip": tcp_drip,
    "tcp-endless": tcp_endless,
    "tcp-length-alone": tcp_promises,
    "tcp-byte-and-end": tcp_byte_and_end,
    "tcp-reset": tcp_reset,
    "tcp-reset-midway": tcp_reset_midway,
    "tcp-half-close": tcp_half_close,
    "tcp-empty-messages": tcp_empty_messages,
    "tcp-silent": tcp_silent,
    "tcp-wrong-question": tcp_other_question,
}
_RECORDS = Allows((*MAIL, *ZONE))
_SERVERS = Allows(("domain.nameservers",))
# A whole answer that does not claim the zone: definite words of a server about itself.
_LAME = Allows(true={"domain.nameservers": "fail unknown"})
_NOT_THEIRS = frozenset({"pointer-to-itself"})


def _behaviours() -> list[Behaviour]:
    made = [
        Behaviour(
            f"dns-all-{name}",
            "dns",
            World(names=Answers(answer)),
            Allows(EVERYTHING, NAME),
            quick=name == "alias-ring",
        )
        for name, answer in _WIRE.items()
    ]
    # The addresses are known; everything else that the DNS holds is not.
    made += [
        Behaviour(f"dns-records-{name}", "dns", World(names=over_tcp(serve, *ADDRESSES)), _RECORDS)
        for name, serve in _TCP.items()
    ]
    # The zone's own servers are asked directly: nobody stands between them and fedisec.
    servers: dict[str, Answers] = {name: Answers(_WIRE[name]) for name in _AT_SERVERS}
    servers |= {name: over_tcp(serve) for name, serve in _TCP.items()}
    made += [
        Behaviour(
            f"dns-server-{name}", "dns", World(authority=answers), _LAME if name in _NOT_THEIRS else _SERVERS
        )
        for name, answers in servers.items()
    ]
    return made


_AT_SERVERS = (
    "silence", "garbage", "wrong-id", "wrong-question", "wrong-port", "flood-small", "flood-large", "echo",
    "many-names", "truncated", "cut-over-tcp-too", "counts-lie", "pointer-to-itself", "formerr", "notimp",
)  # fmt: skip

BEHAVIOURS: tuple[Behaviour, ...] = tuple(_behaviours())
