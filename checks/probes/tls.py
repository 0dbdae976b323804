"""Probe of the tls phase: versions, suites and certificates of the web server, from its first flights alone.

No handshake is ever completed and no known attack is sent.  The first address is looked at in full; on the
others what differs between careless machines: versions, broken suites and the certificate.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime

from checks.errors import ProbeError, Reason
from checks.facts import Fact, Missing
from checks.facts.dns import Addresses
from checks.facts.tls import TlsEndpoint, TlsOffer, TlsOffer12, WebCertificates
from checks.probes.look import Look, Probe
from checks.probes.tls_chain import matches, roots_from
from checks.probes.tls_crl import look_up
from checks.probes.tls_families import ask_rest, every_question, weak_questions
from checks.probes.tls_findings import read_certificates, read_endpoint
from checks.probes.tls_flight import Refusal
from checks.probes.tls_hello import SSL3, TLS10, TLS11, TLS12, TLS13, X25519MLKEM768
from checks.probes.tls_issuer import complete
from checks.probes.tls_prober import (
    SSL2_QUESTION,
    VERSIONS,
    Prober,
    Question,
    again_question,
    post_quantum_question,
    reversed_question,
    version_question,
)
from checks.probes.tls_shown import lacks_staple, other_key_question

PORT = 443
_STAPLE_S = 2.0  # what nginx may take to fetch its first staple after a reload


async def gather_tls(look: Look) -> Iterable[Fact]:
    addresses = await look.need(Addresses)
    if not addresses.dialled:
        raise ProbeError("no IPv4 address", reason=Reason.NO_IPV6)
    host = addresses.host
    probers = [Prober(look.net, address, PORT) for address in addresses.dialled]
    looks = [_look(prober, host, in_full=not number) for number, prober in enumerate(probers)]
    www, _ = await asyncio.gather(_www_points_here(look, addresses), asyncio.gather(*looks))
    now = datetime.now(UTC)
    sent = (read_certificates(prober, host, now, look.vantage.trust_pem) for prober in probers)
    completed = await asyncio.gather(*(complete(look, one, now) for one in sent))
    served = await look_up(look, tuple(completed), now)
    shown = [c for s in served if not isinstance(s.shown, Missing) for c in s.shown]
    covered = bool(shown) and all(matches(f"www.{host}", c.names) for c in shown)
    return (
        TlsOffer(host, tuple(read_endpoint(prober) for prober in probers)),
        WebCertificates(host, served, now, www, covered, roots_from()),
    )


async def _look(prober: Prober, host: str, *, in_full: bool) -> None:
    await (look_in_full if in_full else look_briefly)(prober, host)
    if lacks_staple(prober):
        await asyncio.sleep(_STAPLE_S)
        await prober.ask(again_question(host, TLS13 if prober.speaks_13 else TLS12))


async def look_in_full(prober: Prober, host: str) -> None:
    """Eleven or twelve connections where all is well, 22 at most.

    A server that refuses the common suites of TLS 1.2, and does not say that the version is the reason, is
    asked with all others: it may have a rare one."""
    if not await prober.open(version_question(host, TLS13), version_question(host, TLS12)):
        return
    questions = [version_question(host, version) for version in (TLS11, TLS10, SSL3)] + [SSL2_QUESTION]
    known = prober.older
    questions += _about_suites(host, known)
    tls13 = prober.flight(VERSIONS[TLS13])
    if tls13 is not None and tls13.hello.version == TLS13 and tls13.retry_group != X25519MLKEM768:
        questions.append(post_quantum_question(host))
    await prober.ask_all(questions)
    await prober.mend()
    refused = prober.answers[VERSIONS[TLS12]]
    if known is None and prober.older is not None:
        await prober.ask_all(_about_suites(host, prober.older))
        await prober.mend()
    elif known is None and isinstance(refused, Refusal) and not refused.is_of_version:
        await prober.ask_all([*every_question(host, TLS12)])
        await prober.mend()
    await ask_rest(prober, host)
    await _ask_for_other_key(prober, host)


async def _ask_for_other_key(prober: Prober, host: str) -> None:
    """A server with two certificates shows both to two orders, unless it goes by one of its own."""
    seen = read_endpoint(prober)
    older = seen.older if isinstance(seen, TlsEndpoint) else None
    question = other_key_question(prober, host)
    if question is not None and isinstance(older, TlsOffer12) and older.server_decides is True:
        await prober.ask(question)


def _about_suites(host: str, version: int | None) -> list[Question]:
    return [] if version is None else [reversed_question(host, version), *weak_questions(host, version)]


async def look_briefly(prober: Prober, host: str) -> None:
    """Four connections where all is well.  The hello for TLS 1.1 brings out 1.0 and SSL 3.0 as well, where
    the server has nothing between; the first list of weak suites holds the broken ones."""
    if await prober.open(version_question(host, TLS13), version_question(host, TLS12)):
        broken = () if prober.older is None else (next(weak_questions(host, prober.older)),)
        await prober.ask_all([version_question(host, TLS11), *broken])
        await prober.mend()


async def _www_points_here(look: Look, addresses: Addresses) -> bool | Missing:
    if addresses.host.startswith("www."):
        return False
    for kind, own in (("A", addresses.v4), ("AAAA", addresses.v6)):
        found = await look.dns.ask(f"www.{addresses.host}", kind) if own else None
        if isinstance(found, Missing):
            return found
        if found is not None and set(found.records) & set(own):
            return True
    return False


PROBES: tuple[Probe, ...] = (Probe("tls", "tls", (TlsOffer, WebCertificates), gather_tls),)
