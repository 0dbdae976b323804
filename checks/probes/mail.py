"""Probes of mail: where it goes, who may send it, and what receivers are told about it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable

from checks.data.suffixes import same_registrable
from checks.errors import ProbeError
from checks.facts import Fact, Missing
from checks.facts.dns import Asked, Lookup, Outcome
from checks.facts.http import Page
from checks.facts.mail import DmarcAnswers, MailHost, MailRoutes, MtaSts, SpfAnswers
from checks.parse.dmarc import discover, report_name, walk_names
from checks.parse.mta_sts import is_sts
from checks.parse.spf_tree import kept
from checks.parse.spf_walk import MAX_QUESTIONS, walk
from checks.probes import mail_dkim, mail_message, mail_smtp
from checks.probes.dns_zone import ask_all
from checks.probes.look import Look, Probe

HOSTS_ASKED = 4
_REPORTS_ASKED = 3
_POLICY_BYTES = 64 * 1024  # RFC 8461 3.3
_MX = re.compile(r"(\d{1,5}) (\S+)")


async def gather_routes(look: Look) -> Iterable[Fact]:
    domain = look.target.mail_domain
    mx = await look.dns.ask(domain, "MX")
    if isinstance(mx, Missing):
        return (MailRoutes(domain, mx),)
    if mx.outcome is not Outcome.FOUND:
        return (MailRoutes(domain, mx, (), await look.dns.ask(domain, "A")),)
    found = sorted((int(m[1]), m[2]) for m in map(_MX.fullmatch, mx.records) if m is not None)
    hosts = await asyncio.gather(*(_host(look, rank, name) for rank, name in found[:HOSTS_ASKED]))
    return (MailRoutes(domain, mx, tuple(hosts)),)


async def _host(look: Look, preference: int, name: str) -> MailHost:
    if name == ".":
        return MailHost(preference, name)
    if same_registrable(name, look.target.mail_domain):  # it will be dialled, which takes both
        await asyncio.gather(look.dns.ask(name, "A"), look.dns.ask(name, "AAAA"))
    v4 = await look.dns.ask(name, "A")
    if isinstance(v4, Lookup) and v4.outcome is Outcome.FOUND:
        return MailHost(preference, name, v4)
    return MailHost(preference, name, v4, await look.dns.ask(name, "AAAA"))


async def gather_spf(look: Look) -> Iterable[Fact]:
    """Walks the tree in rounds: each asks at once all that the walk needs next."""
    domain = look.target.mail_domain
    answers: dict[tuple[str, str], Lookup | Missing] = {}
    while needed := walk(domain, answers).needed:
        room = MAX_QUESTIONS - len(answers)
        if room <= 0:
            break
        for asked in await ask_all(look, needed[:room]):
            answers[asked.name, asked.rdtype] = kept(asked.answer)
    asked_all = tuple(Asked(name, rdtype, answer) for (name, rdtype), answer in answers.items())
    return (SpfAnswers(domain, asked_all, bool(needed)),)


async def gather_dmarc(look: Look) -> Iterable[Fact]:
    domain = look.target.mail_domain
    names = walk_names(domain)
    asked = await ask_all(look, ((f"_dmarc.{name}", "TXT") for name in names))
    policy = discover(domain, {name: a.answer for name, a in zip(names, asked, strict=True)})
    addresses = policy.record.rua if policy.record else ()
    outside = {a.rpartition("@")[2] for a in addresses}
    external = sorted(d for d in outside if not same_registrable(d, policy.found_at))[:_REPORTS_ASKED]
    reports = await ask_all(look, ((report_name(policy.found_at, d), "TXT") for d in external))
    return (DmarcAnswers(domain, asked, reports),)


async def gather_mta_sts(look: Look) -> Iterable[Fact]:
    domain = look.target.mail_domain
    txt, reports = await asyncio.gather(
        look.dns.ask(f"_mta-sts.{domain}", "TXT"), look.dns.ask(f"_smtp._tls.{domain}", "TXT")
    )
    wanted = isinstance(txt, Lookup) and any(is_sts(record) for record in txt.records)
    return (MtaSts(domain, txt, await _policy(look, domain) if wanted else None, reports),)


async def _policy(look: Look, domain: str) -> Page | Missing:
    """The policy as a mail server gets it: with a good certificate, redirects not followed (3.3)."""
    url = f"https://mta-sts.{domain}/.well-known/mta-sts.txt"
    try:
        return await look.http.get(url, max_body=_POLICY_BYTES, verify=True)
    except ProbeError as error:
        return Missing.of(error)


PROBES: tuple[Probe, ...] = (
    Probe("routes", "mail", (MailRoutes,), gather_routes),
    Probe("spf", "mail", (SpfAnswers,), gather_spf),
    Probe("dmarc", "mail", (DmarcAnswers,), gather_dmarc),
    Probe("mta_sts", "mail", (MtaSts,), gather_mta_sts),
    *mail_dkim.PROBES,
    *mail_message.PROBES,
    *mail_smtp.PROBES,
)
