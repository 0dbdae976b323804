"""Probe of the ports phase: does an address that may be the origin serve the site past the CDN?"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Iterable
from typing import TypeVar

from checks.data.network import cdn_in_front, cdn_of_address
from checks.errors import ConnectionLost, ParseError, ProbeError, Refused
from checks.facts import Fact, Missing, MissingFact
from checks.facts.dns import Addresses, Lookup
from checks.facts.edge import DirectAnswer, OriginExposure
from checks.facts.mail import MailRoutes, SpfAnswers
from checks.parse.greetings import http_status
from checks.parse.spf import is_spf, parse_spf
from checks.probes.http_dial import lenient_context
from checks.probes.look import Look

_FROM_DNS_MAX = 4  # addresses taken from DNS records; each costs one TLS connection
# Names below the domain that are often left on the machine itself when a shield is put in front.
_NEIGHBOURS = ("origin", "direct", "www", "mail", "ssh", "ftp")
_READ_MAX = 16 * 1024
_STEP_S = 4.0  # for the handshake, and for each piece of the answer
_PATH = "/.well-known/nodeinfo"  # served by all fediverse software, and names its own host

F = TypeVar("F", bound=Fact)


async def gather_origins(look: Look) -> Iterable[Fact]:
    addresses = await look.need(Addresses)
    cdn = cdn_in_front(addresses)
    if cdn is None:
        return (OriginExposure(""),)
    named = dict.fromkeys(look.target.origins, "admin")
    leaks: dict[str, str] = {}
    outside = [a for a in addresses.v4 + addresses.v6 if cdn_of_address(a) is None]
    if len(outside) < len(addresses.v4 + addresses.v6):  # else the CDN is known by its alias alone
        leaks = {a: f"{'AAAA' if ':' in a else 'A'} {addresses.host}" for a in outside}
    leaks |= _from_mail(look, await _maybe(look, MailRoutes), await _maybe(look, SpfAnswers))
    for address, by in (await _from_neighbours(look)).items():
        leaks.setdefault(address, by)
    fresh = [(a, by) for a, by in leaks.items() if a not in named and look.net.may_dial(a)]
    asked = [*named.items(), *fresh[:_FROM_DNS_MAX]]
    answers = await asyncio.gather(*(_ask(look, address, by) for address, by in asked))
    return (OriginExposure(cdn.name, tuple(answers)),)


async def _maybe(look: Look, kind: type[F]) -> F | None:
    try:
        return await look.need(kind)
    except MissingFact:
        return None


def _from_mail(look: Look, routes: MailRoutes | None, spf: SpfAnswers | None) -> dict[str, str]:
    """Addresses that the domain's mail records name as its own; a mail provider's hosts are left alone."""
    found: dict[str, str] = {}
    own = {look.target.domain, look.target.mail_domain}
    for host in routes.hosts if routes else ():
        if any(host.name == domain or host.name.endswith("." + domain) for domain in own):
            for lookup in (host.v4, host.v6):
                if isinstance(lookup, Lookup):
                    found |= dict.fromkeys(lookup.records, f"MX {host.name}")
    for asked in spf.asked[:1] if spf else ():
        records = asked.answer.records if isinstance(asked.answer, Lookup) else ()
        found |= dict.fromkeys(_single_hosts(records), f"SPF {asked.name}")
    return {a: by for a, by in found.items() if cdn_of_address(a) is None}


async def _from_neighbours(look: Look) -> dict[str, str]:
    """Addresses of neighbouring names outside the CDN; one may be another machine, which the answer shows."""
    names = [f"{name}.{look.target.domain}" for name in _NEIGHBOURS]
    answers = await asyncio.gather(*(look.dns.ask(name, "A") for name in names))
    found = {
        address: f"A {name}"
        for name, answer in zip(names, answers, strict=True)
        if isinstance(answer, Lookup)
        for address in answer.records
    }
    return {a: by for a, by in found.items() if cdn_of_address(a) is None}


def _single_hosts(records: Iterable[str]) -> list[str]:
    """The ip4: and ip6: terms of an SPF record that name one address."""
    hosts = []
    for record in filter(is_spf, records):
        try:
            terms = parse_spf(record).terms
        except ParseError:
            continue
        networks = [ipaddress.ip_network(t.network, strict=False) for t in terms if t.network]
        hosts += [str(n.network_address) for n in networks if n.num_addresses == 1]
    return hosts


async def _ask(look: Look, address: str, named_by: str) -> DirectAnswer:
    """The site's own NodeInfo address is in its answer; a stranger's default page does not know it."""
    domain = look.target.domain
    try:
        stream = await look.net.connect(address, 443, "tls", timeout_s=3.0)
    except (Refused, ConnectionLost):
        return DirectAnswer(address, named_by, None)
    except ProbeError as error:
        return DirectAnswer(address, named_by, Missing.of(error))
    request = f"GET {_PATH} HTTP/1.1\r\nHost: {domain}\r\nUser-Agent: {look.net.user_agent}\r\n"
    heard = b""
    try:
        await stream.start_tls(lenient_context(), domain, timeout_s=_STEP_S)
        await stream.write((request + "Accept: */*\r\nConnection: close\r\n\r\n").encode("ascii"))
        while len(heard) < _READ_MAX and (
            more := await stream.read(_READ_MAX - len(heard), timeout_s=_STEP_S)
        ):
            heard += more
    except ssl.SSLError:
        return DirectAnswer(address, named_by, None)
    except ProbeError as error:
        if not heard:
            return DirectAnswer(address, named_by, Missing.of(error))
    finally:
        stream.close()
    status = http_status(heard)
    return DirectAnswer(address, named_by, status, status == 200 and f"//{domain}/".encode() in heard)
