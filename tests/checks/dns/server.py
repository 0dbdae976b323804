"""A name server for tests on 127.0.0.1: answers from a table, and misbehaves where the table says so."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from checks.probes import dns as dns_probe
from checks.probes.net import Net
from checks.target import Limits, Vantage


@dataclass(frozen=True)
class Say:
    """One answer.  `records` are presentation texts of the asked type; `chain` alias targets before them."""

    records: tuple[str, ...] = ()
    chain: tuple[str, ...] = ()
    rcode: str = "NOERROR"
    ad: bool = False
    aa: bool = False
    soa: bool = True  # an empty answer carries the SOA of the denying zone
    cut_udp: bool = False
    cut_tcp: bool = False
    silent: int = 0  # so many questions go unanswered first; -1 = all
    garbage: bytes | None = None
    referral: bool = False
    delay_s: float = 0.0
    ede: int | None = None


SILENT = Say(silent=-1)
SERVFAIL = Say(rcode="SERVFAIL")
NOBODY = Say(rcode="NXDOMAIN")
EMPTY = Say()

Table = Mapping[tuple[str, str], Say | tuple[str, ...]]


@dataclass
class NameServer:
    """Names not in the table do not exist; other types of a name in the table are empty.  A type "TXT+cd"
    answers only questions with checking disabled.  `asked` counts questions on the wire."""

    table: Table
    default: Say | None = None
    port: int = 0
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)

    def answer(self, wire: bytes, *, tcp: bool) -> tuple[bytes | None, float]:
        query = dns.message.from_wire(wire)
        assert isinstance(query, dns.message.QueryMessage)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        rdtype = dns.rdatatype.to_text(question.rdtype)
        self.asked[name, rdtype] += 1
        say = self._say(name, rdtype, bool(query.flags & dns.flags.CD))
        if say.silent < 0 or self.asked[name, rdtype] <= say.silent:
            return None, 0
        if say.garbage is not None:
            return say.garbage, say.delay_s
        return self._build(query, say, tcp=tcp).to_wire(max_size=65535), say.delay_s

    def _say(self, name: str, rdtype: str, cd: bool) -> Say:
        found = self.table.get((name, f"{rdtype}+cd")) if cd else None
        found = found if found is not None else self.table.get((name, rdtype))
        if found is None:
            known = any(n == name or n.endswith("." + name) for n, _ in self.table)
            found = self.default or (EMPTY if known else NOBODY)
        return found if isinstance(found, Say) else Say(found)

    def _build(self, query: dns.message.QueryMessage, say: Say, *, tcp: bool) -> dns.message.Message:
        response = dns.message.make_response(query, recursion_available=True)
        if say.ede is not None:
            response.use_edns(options=[dns.edns.EDEOption(dns.edns.EDECode(say.ede))])
        response.set_rcode(dns.rcode.from_text(say.rcode))
        response.flags |= dns.flags.AD if say.ad else dns.flags.Flag(0)
        response.flags |= dns.flags.AA if say.aa else dns.flags.Flag(0)
        if say.cut_tcp if tcp else say.cut_udp:
            response.flags |= dns.flags.TC
            return response
        owner = query.question[0].name
        for target in say.chain:
            response.answer.append(dns.rrset.from_text(owner, 60, "IN", "CNAME", target))
            owner = dns.name.from_text(target)
        if say.records:
            rdtype = dns.rdatatype.to_text(query.question[0].rdtype)
            response.answer.append(dns.rrset.from_text(owner, 300, "IN", rdtype, *say.records))
        elif say.referral:
            response.authority.append(dns.rrset.from_text("test.", 60, "IN", "NS", "ns.test."))
        elif say.soa:
            soa = "ns.test. root.test. 1 3600 600 86400 60"
            response.authority.append(
                dns.rrset.from_text(owner.parent() if len(owner) > 2 else owner, 60, "IN", "SOA", soa)
            )
        return response


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self.server = server

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        wire, delay_s = self.server.answer(data, tcp=False)
        if wire is not None:
            asyncio.get_running_loop().call_later(delay_s, self._send, wire, addr)

    def _send(self, wire: bytes, addr: tuple[str, int]) -> None:
        if not self.transport.is_closing():
            self.transport.sendto(wire, addr)


@asynccontextmanager
async def name_server(table: Table, default: Say | None = None) -> AsyncIterator[NameServer]:
    """A running server on a free port of 127.0.0.1, UDP and TCP."""
    server = NameServer(table, default)
    loop = asyncio.get_running_loop()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = int.from_bytes(await reader.readexactly(2), "big")
        wire, _ = server.answer(await reader.readexactly(size), tcp=True)
        if wire is not None:
            writer.write(len(wire).to_bytes(2, "big") + wire)
            await writer.drain()
        writer.close()

    tcp = await asyncio.start_server(serve, "127.0.0.1", 0)
    server.port = tcp.sockets[0].getsockname()[1]
    udp, _ = await loop.create_datagram_endpoint(lambda: _Udp(server), local_addr=("127.0.0.1", server.port))
    try:
        yield server
    finally:
        udp.close()
        tcp.close()
        await tcp.wait_closed()


def vantage(server: NameServer, **more: object) -> Vantage:
    return replace(Vantage(resolver=f"127.0.0.1:{server.port}"), **more)  # type: ignore[arg-type]


def resolver(server: NameServer, limits: Limits | None = None, **more: object) -> dns_probe.Resolver:
    view = vantage(server, **more)
    return dns_probe.Resolver(view, Net(view, limits or Limits()))
