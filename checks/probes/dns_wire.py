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

import dns.asyncquery
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
    """One question and its answer, over TCP when UDP says it is cut.  Raises TimedOut, Malformed,
    ResolverFailed (nobody listens there) or Unreachable."""
    flags = (dns.flags.RD | dns.flags.AD if recurse else 0) | (dns.flags.CD if cd else 0)
    try:
        query = dns.message.make_query(
            name, rdtype, use_edns=0, want_dnssec=True, payload=_PAYLOAD, flags=dns.flags.Flag(flags)
        )
        async with asyncio.timeout(timeout_s):
            answer = await _over_udp(server, query)
            if answer.flags & dns.flags.TC:
                answer = await dns.asyncquery.tcp(query, server.address, port=server.port)
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
    connected: only the server's datagrams arrive, and a closed port is heard at once."""
    loop = asyncio.get_running_loop()
    with socket.socket(
        socket.AF_INET6 if ":" in server.address else socket.AF_INET, socket.SOCK_DGRAM
    ) as link:
        link.setblocking(False)
        link.connect((server.address, server.port))
        await loop.sock_sendall(link, query.to_wire())
        while True:
            answer = dns.message.from_wire(await loop.sock_recv(link, _DATAGRAM_MAX))
            if query.is_response(answer):
                return answer


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
