"""Probes of the zone: suffixes, CAA, DNSSEC of every name in use, the name servers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime

import dns.flags
import dns.rcode
import dns.rdatatype

from checks.clean import clean
from checks.data.suffixes import public_suffix, registrable, same_registrable
from checks.errors import ForbiddenAddress, NoSuchName, ProbeError, Reason, ResolverFailed, TimedOut
from checks.facts import Fact, Missing, MissingFact
from checks.facts.dns import (
    Asked,
    CaaClimb,
    Dnssec,
    DomainName,
    Lookup,
    NameServer,
    NameServers,
    Outcome,
    ServerReply,
    SignedName,
)
from checks.facts.mail import MailRoutes
from checks.probes.dns_chain import walk_all
from checks.probes.dns_wire import Server, exchange, parse_name
from checks.probes.look import Look, Probe

SERVERS_ASKED = 4
_CLIMB_MAX = 8
_SERVER_PORT = 53
_SERVER_S = (2.0, 3.0)


async def gather_name(look: Look) -> Iterable[Fact]:
    name = look.target.domain
    return (DomainName(name, public_suffix(name), registrable(name)),)


def climb(name: str) -> tuple[str, ...]:
    """The name and its parents down to the top-level domain, nearest first."""
    labels = name.split(".")
    return tuple(".".join(labels[i:]) for i in range(len(labels)))[:_CLIMB_MAX]


async def ask_all(look: Look, questions: Iterable[tuple[str, str]]) -> tuple[Asked, ...]:
    """All questions at once; the answers in the order of the questions."""
    wanted = tuple(questions)
    answers = await asyncio.gather(*(look.dns.ask(name, rdtype) for name, rdtype in wanted))
    return tuple(Asked(name, rdtype, a) for (name, rdtype), a in zip(wanted, answers, strict=True))


async def gather_caa(look: Look) -> Iterable[Fact]:
    names = climb(look.target.domain)
    steps = await ask_all(look, ((name, "CAA") for name in names))
    _, dot, unasked = names[-1].partition(".")
    if dot:  # the climb did not reach the top
        steps += (Asked(unasked, "CAA", Missing(Reason.BUDGET, f"{_CLIMB_MAX} names")),)
    return (CaaClimb(steps),)


async def gather_dnssec(look: Look) -> Iterable[Fact]:
    web, mail = look.target.domain, look.target.mail_domain
    used = [(web, "A"), (web, "AAAA"), (web, "CAA"), (mail, "MX"), (mail, "TXT"), (f"_dmarc.{mail}", "TXT")]
    asked = [*await ask_all(look, used), *await ask_all(look, await _mail_hosts(look))]
    broken = await asyncio.gather(*(_is_broken(look, question) for question in asked))
    try:
        delegation = await look.dns.ask((await look.need(NameServers)).zone, "DS")
    except MissingFact as gap:
        delegation = gap.missing
    now = datetime.now(UTC)
    names = [
        SignedName(q.name, q.rdtype, bad, q.answer, any(same_registrable(q.name, own) for own in (web, mail)))
        for q, bad in zip(asked, broken, strict=True)
    ]
    await look.after("spf", "dmarc")  # they need their questions more than the walk needs its own
    return (Dnssec(await walk_all(look, names, now), delegation, now),)


async def _mail_hosts(look: Look) -> list[tuple[str, str]]:
    try:
        routes = await look.need(MailRoutes)
    except MissingFact:
        return []
    return [(host.name, "A") for host in routes.hosts if host.name != "."]


async def _is_broken(look: Look, question: Asked) -> bool:
    """Refused with checking, answered without: only then is it the signature (insecure is not bogus)."""
    answer = question.answer
    if not isinstance(answer, Missing) or answer.reason is not Reason.RESOLVER_FAILED:
        return False
    if "SERVFAIL" not in answer.detail:
        return False
    return isinstance(await look.dns.ask(question.name, question.rdtype, cd=True), Lookup)


async def gather_servers(look: Look) -> Iterable[Fact]:
    zone, names = await _zone(look)
    asked = names[:SERVERS_ASKED]
    servers = await asyncio.gather(*(_server(look, zone, name) for name in asked))
    return (NameServers(zone, len(names), tuple(servers)),)


async def _zone(look: Look) -> tuple[str, tuple[str, ...]]:
    """The zone of the web name, and its NS set.  An NS answer behind an alias belongs to another zone."""
    own = registrable(look.target.domain) or look.target.domain
    names = [name for name in climb(look.target.domain) if name == own or name.endswith("." + own)]
    for asked in await ask_all(look, ((name, "NS") for name in names)):
        if isinstance(asked.answer, Missing):
            raise ProbeError(asked.answer.detail, reason=asked.answer.reason)
        if asked.answer.outcome is Outcome.FOUND and not asked.answer.aliases:
            return asked.name, asked.answer.records
    raise NoSuchName(f"NS {own}")


async def _server(look: Look, zone: str, name: str) -> NameServer:
    try:
        addresses = await _addresses(look, name)
    except ProbeError as error:
        return NameServer(name, Missing.of(error), Missing.of(error))
    try:
        return NameServer(name, addresses, await _reply(look, zone, addresses[0]))
    except ProbeError as error:
        return NameServer(name, addresses, Missing.of(error))


async def _addresses(look: Look, name: str) -> tuple[str, ...]:
    """IPv4, and IPv6 only where there is none: half the questions of `addresses_of`."""
    found = await look.dns.query(name, "A")
    if found.outcome is not Outcome.FOUND:
        found = await look.dns.query(name, "AAAA")
    if not found.records:
        raise NoSuchName(name)
    refused = [a for a in found.records if not look.net.may_dial(a)]
    if refused:
        raise ForbiddenAddress(f"{name} has {refused[0]}")
    return found.records[:4]


async def _reply(look: Look, zone: str, address: str) -> ServerReply:
    look.net.vet(address)
    for timeout_s in _SERVER_S:
        look.net.spend("dns")
        try:
            wait = min(timeout_s, look.net.remaining_s())
            answer = await exchange(
                Server(address, _SERVER_PORT), parse_name(zone), "SOA", wait, recurse=False
            )
        except TimedOut:
            continue
        if answer.rcode() in (dns.rcode.FORMERR, dns.rcode.NOTIMP):
            raise ResolverFailed(f"name server {address}: our question is not understood")
        rcode = clean(dns.rcode.to_text(answer.rcode()), 20, newlines=False)
        soa = [r for r in answer.answer if r.rdtype == dns.rdatatype.SOA]
        serial = int(next(iter(soa[0])).serial) if soa else None
        return ServerReply(rcode, bool(answer.flags & dns.flags.AA), serial)
    raise TimedOut(f"name server {address}")


PROBES: tuple[Probe, ...] = (
    Probe("name", "dns", (DomainName,), gather_name),
    Probe("caa", "dns", (CaaClimb,), gather_caa),
    Probe("dnssec", "dns", (Dnssec,), gather_dnssec),
    Probe("nameservers", "dns", (NameServers,), gather_servers),
)
