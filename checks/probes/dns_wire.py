"""One DNS question on the wire, and what its answer means.

Only two answers mean "absent": NXDOMAIN, and NOERROR without records.  A truncated answer over TCP, an alias
that leads nowhere and a referral say nothing, however much they look like an empty answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import dataclass
from datetime import UTC, datetime

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.rrset

from checks.clean import clean
from checks.errors import Malformed, ResolverFailed, TimedOut, TooLarge, Unreachable
from checks.facts.dns import Lookup, Outcome, Signature

MAX_RECORDS = 100
MAX_BYTES = 64 * 1024
MAX_ALIASES = 16
# Of all sections together, by the header.  64 KiB hold thousands, whose names take seconds to unpack.
MAX_COUNTED = 250
_RECORD_MIN = 11  # bytes: a root name, type, class, TTL, length
_STRAYS_MAX = 16  # datagrams of the server that are no answer to the question
_DATAGRAM_MAX = 65_535
_PAYLOAD = 1232  # what passes every path unfragmented (DNS flag day 2020)
# Types whose whole content, or last field, is a host name: shown lower case and without the final dot.
_NAME_LAST = frozenset({"NS", "CNAME", "PTR", "MX", "DNAME"})


@dataclass(frozen=True, slots=True)
class Server:
    """A name server: an address without brackets, and its port."""

    address: str
    port: int = 53


def parse_name(name: str) -> dns.name.Name:
    """The absolute name; Malformed for what cannot stand in the DNS."""
    try:
        return dns.name.from_text(name if name.endswith(".") else name + ".")
    except (dns.exception.DNSException, ValueError) as error:
        raise Malformed(f"no DNS name: {clean(name, 80, newlines=False)}") from error


async def exchange(
    server: Server,
    name: dns.name.Name,
    rdtype: str,
    timeout_s: float,
    *,
    cd: bool = False,
    recurse: bool = True,
) -> dns.message.Message:
    """One question and its answer, over TCP when UDP says it is cut.  Raises TimedOut, Malformed, TooLarge,
    ResolverFailed (nobody listens there) or Unreachable."""
    flags = (dns.flags.RD | dns.flags.AD if recurse else 0) | (dns.flags.CD if cd else 0)
    try:
        query = dns.message.make_query(
            name, rdtype, use_edns=0, want_dnssec=True, payload=_PAYLOAD, flags=dns.flags.Flag(flags)
        )
        async with asyncio.timeout(timeout_s):
            answer = await _over_udp(server, query)
            if answer.flags & dns.flags.TC:
                answer = await _over_tcp(server, query)
    except (TimeoutError, dns.exception.Timeout) as error:
        raise TimedOut(f"{rdtype} {name}") from error
    except ConnectionRefusedError as error:
        raise ResolverFailed(f"nothing listens on {server.address} port {server.port}") from error
    except OSError as error:
        raise Unreachable(f"name server {server.address}") from error
    except (dns.exception.DNSException, EOFError, ValueError) as error:
        raise Malformed(f"{rdtype} {name}: {type(error).__name__}") from error
    if answer.flags & dns.flags.TC:
        raise Malformed(f"{rdtype} {name}: cut although over TCP")
    return answer


async def _over_udp(server: Server, query: dns.message.Message) -> dns.message.Message:
    """The answer to this very question; a datagram with another id or question is passed over.  The socket is
    connected: only the server's datagrams arrive, and a closed port is heard at once.

    A datagram that waits already is read without a pause, so a server that sends more of them than we can
    read would never let the clock of the scan, or another scan, have its turn."""
    loop = asyncio.get_running_loop()
    with socket.socket(
        socket.AF_INET6 if ":" in server.address else socket.AF_INET, socket.SOCK_DGRAM
    ) as link:
        link.setblocking(False)
        link.connect((server.address, server.port))
        await loop.sock_sendall(link, query.to_wire())
        for _ in range(_STRAYS_MAX):
            answer = _parse(await loop.sock_recv(link, _DATAGRAM_MAX))
            if query.is_response(answer):
                return answer
            await asyncio.sleep(0)
        raise Malformed(f"name server {server.address}: answers to other questions")


async def _over_tcp(server: Server, query: dns.message.Message) -> dns.message.Message:
    """The first message on a connection of its own (RFC 7766); Malformed when it answers something else."""
    reader, writer = await asyncio.open_connection(server.address, server.port)
    try:
        wire = query.to_wire()
        writer.write(len(wire).to_bytes(2, "big") + wire)
        await writer.drain()
        answer = _parse(await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big")))
    finally:
        writer.transport.abort()
    if not query.is_response(answer):
        raise Malformed(f"name server {server.address}: an answer to another question")
    return answer


def _parse(wire: bytes) -> dns.message.Message:
    """Raises TooLarge, by the counts of the header (RFC 1035 4.1.1), before anything is unpacked; EOFError
    or a DNSException for what is no message."""
    counted = sum(int.from_bytes(wire[at : at + 2], "big") for at in (6, 8, 10))
    if counted * _RECORD_MIN > len(wire):
        raise EOFError("counts of records beyond the end")
    if counted > MAX_COUNTED:
        raise TooLarge(f"{counted} records in one answer")
    return dns.message.from_wire(wire)


def read_answer(name: dns.name.Name, rdtype: str, answer: dns.message.Message) -> Lookup:
    """The answer as a Lookup.  Raises ResolverFailed (with rcode and extended error), Malformed, TooLarge."""
    shown = show_name(name)
    where = f"{rdtype} {shown}"
    rcode = answer.rcode()
    if rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        raise ResolverFailed(f"{where}: {dns.rcode.to_text(rcode)}{_extended_error(answer)}")
    secure = bool(answer.flags & dns.flags.AD)
    end, aliases, ttl = _follow(name, answer, where)
    names = tuple(show_name(alias) for alias in aliases)
    if rcode == dns.rcode.NXDOMAIN:
        if _rrset(answer, end, dns.rdatatype.from_text(rdtype)) is not None:
            raise Malformed(f"{where}: no such name, and yet its records")
        return Lookup(shown, rdtype, Outcome.NO_NAME, (), secure, names, 0)
    found = _rrset(answer, end, dns.rdatatype.from_text(rdtype))
    if found is None:
        _refuse_unless_absent(answer, end, aliases, where)
        return Lookup(shown, rdtype, Outcome.NO_DATA, (), secure, names, 0)
    if len(found) > MAX_RECORDS:
        raise TooLarge(f"{where}: {len(found)} records")
    records = tuple(sorted(_show(rdtype, rdata) for rdata in found))  # resolvers rotate them
    if sum(map(len, records)) > MAX_BYTES:
        raise TooLarge(where)
    signatures = _signatures(answer, end, found.rdtype)
    return Lookup(shown, rdtype, Outcome.FOUND, records, secure, names, min(ttl, found.ttl), signatures)


def show_name(name: dns.name.Name) -> str:
    """Lower case, without the final dot; the root stays "."."""
    return clean(name.to_text(omit_final_dot=True).lower(), 1100, newlines=False)


def _follow(
    name: dns.name.Name, answer: dns.message.Message, where: str
) -> tuple[dns.name.Name, list[dns.name.Name], int]:
    """The end of the alias chain, the names on the way, the smallest TTL."""
    aliases: list[dns.name.Name] = []
    ttl = 2**31
    seen = {name}
    while (alias := _rrset(answer, name, dns.rdatatype.CNAME)) is not None:
        if where.startswith("CNAME "):
            break
        name, ttl = next(iter(alias)).target, min(ttl, alias.ttl)
        aliases.append(name)
        if name in seen or len(aliases) > MAX_ALIASES:
            raise Malformed(f"{where}: alias chain without end")
        seen.add(name)
    return name, aliases, ttl


def _refuse_unless_absent(
    answer: dns.message.Message, end: dns.name.Name, aliases: list[dns.name.Name], where: str
) -> None:
    """An empty answer is "no such record" only when it may be: behind an alias the SOA of the zone that
    denies must be there (RFC 2308, 2.2); name servers without a SOA make it a referral."""
    kinds = {rrset.rdtype for rrset in answer.authority}
    soa = [r for r in answer.authority if r.rdtype == dns.rdatatype.SOA and end.is_subdomain(r.name)]
    if aliases and not soa:
        raise Malformed(f"{where}: an alias and nothing behind it")
    if dns.rdatatype.NS in kinds and dns.rdatatype.SOA not in kinds:
        raise ResolverFailed(f"{where}: a referral, no answer")


def _rrset(
    answer: dns.message.Message, name: dns.name.Name, rdtype: dns.rdatatype.RdataType
) -> dns.rrset.RRset | None:
    for rrset in answer.answer:
        if rrset.name == name and rrset.rdtype == rdtype and len(rrset):
            return rrset
    return None


def _signatures(
    answer: dns.message.Message, name: dns.name.Name, covers: dns.rdatatype.RdataType
) -> tuple[Signature, ...]:
    found: list[Signature] = []
    for rrset in answer.answer:
        if rrset.name == name and rrset.rdtype == dns.rdatatype.RRSIG and rrset.covers == covers:
            times = [(int(s.algorithm), s.inception, s.expiration) for s in rrset]
            found += [
                Signature(a, datetime.fromtimestamp(b, UTC), datetime.fromtimestamp(e, UTC))
                for a, b, e in times
            ]
    return tuple(sorted(found, key=lambda s: s.ends)[:8])


def _show(rdtype: str, rdata: dns.rdata.Rdata) -> str:
    if rdtype == "TXT":
        joined: bytes = b"".join(rdata.strings)  # type: ignore[attr-defined]
        return clean(joined.decode("latin-1"), MAX_BYTES)
    text = clean(rdata.to_text(), MAX_BYTES, newlines=False)
    if rdtype in _NAME_LAST:
        text = text.lower()
        return text if text.endswith((" .", "\\.")) or text == "." else text.removesuffix(".")
    return text


def _extended_error(answer: dns.message.Message) -> str:
    for option in answer.options:
        if isinstance(option, dns.edns.EDEOption):
            with contextlib.suppress(ValueError):
                return f" (EDE {int(option.code)})"
    return ""
