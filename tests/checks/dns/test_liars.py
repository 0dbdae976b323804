"""A resolver, or a box in front of it, that changes answers: what it can make up never passes, warns or fails."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import dns.flags
import dns.message
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.rrset
import pytest

from checks.evaluate import evaluate
from checks.items import all_items
from checks.probes import dns as dns_probe
from checks.probes import dns_zone, gather
from checks.target import Target
from tests.checks.dns.made import short
from tests.checks.dns.relay import Change, relay
from tests.checks.dns.test_chain import PROBES
from tests.checks.dns.zones import RESOLVER, World

pytestmark = pytest.mark.lab

PROOFS = (dns.rdatatype.NSEC, dns.rdatatype.NSEC3)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_probe, "_TRIES_S", (20.0, 20.0))
    monkeypatch.setattr(dns_zone, "_SERVER_S", (20.0, 20.0))


def judged(zones: World, domain: str, *changes: Change) -> str:
    def change(answer: dns.message.Message) -> None:
        for each in changes:
            each(answer)

    async def run() -> str:
        async with relay(RESOLVER, change) as between:
            view = replace(zones.vantage(), resolver=f"127.0.0.1:{between.port}")
            facts = (await gather(Target(domain), view, probes=PROBES)).facts
        item = all_items()["domain.dnssec"]
        return short(evaluate(facts, [item])[item.id])

    return asyncio.run(run())


def kind(answer: dns.message.Message) -> dns.rdatatype.RdataType:
    return answer.question[0].rdtype


def no_ad(answer: dns.message.Message) -> None:
    answer.flags &= ~dns.flags.AD


def no_signatures(answer: dns.message.Message) -> None:
    answer.answer = [r for r in answer.answer if r.rdtype != dns.rdatatype.RRSIG]


def no_proofs(answer: dns.message.Message) -> None:
    answer.authority = [r for r in answer.authority if r.rdtype not in (*PROOFS, dns.rdatatype.RRSIG)]


def another_address(answer: dns.message.Message) -> None:
    answer.answer = [
        dns.rrset.from_text(r.name, r.ttl, "IN", "A", "127.67.0.99") if r.rdtype == dns.rdatatype.A else r
        for r in answer.answer
    ]


def no_keys(answer: dns.message.Message) -> None:
    if kind(answer) == dns.rdatatype.DNSKEY:
        answer.answer = []


def refuses_keys(answer: dns.message.Message) -> None:
    if kind(answer) == dns.rdatatype.DNSKEY:
        answer.answer = []
        answer.set_rcode(dns.rcode.SERVFAIL)


def no_ds(answer: dns.message.Message) -> None:
    """As if the zone had never been signed; the proof of that is what is lacking."""
    if kind(answer) == dns.rdatatype.DS:
        answer.answer = []


def foreign_ds(answer: dns.message.Message) -> None:
    """A DS of another key, in the place of the signed one: its signature no longer fits."""
    changed = []
    for rrset in answer.answer:
        if rrset.rdtype == dns.rdatatype.DS:
            other = dns.rdata.from_text("IN", "DS", f"1 13 2 {'00' * 32}")
            rrset = dns.rrset.from_rdata(rrset.name, rrset.ttl, other)
        changed.append(rrset)
    answer.answer = changed


GOOD, OPEN = "www.rsa.test", "www.insecure.test"


@pytest.mark.parametrize(
    ("domain", "changes", "wanted"),
    [
        (GOOD, (), "pass:secure"),
        (GOOD, (no_ad,), "pass:proved"),
        (GOOD, (no_ad, no_signatures), "unknown:not_validating"),
        (GOOD, (no_ad, another_address), "unknown:not_validating"),
        (GOOD, (no_ad, no_keys), "unknown:not_validating"),
        (GOOD, (no_ad, refuses_keys), "unknown:not_validating"),
        (GOOD, (no_ad, no_ds), "unknown:not_validating"),
        (GOOD, (no_ad, no_ds, no_proofs), "unknown:not_validating"),
        (GOOD, (no_ad, no_ds, no_signatures), "unknown:not_validating"),
        (GOOD, (no_ad, foreign_ds), "unknown:not_validating"),
        (OPEN, (no_ad,), "warn:no_ds"),
        (OPEN, (no_ad, no_proofs), "unknown:not_validating"),
        ("www.expired.test", (no_ad,), "fail:expired"),
        ("www.badset.test", (no_ad,), "fail:bad_signature"),
        ("www.nosig.test", (no_ad,), "fail:unsigned"),
        ("www.expired.test", (no_ad, no_signatures), "unknown:resolver_failed"),
        ("www.wildcard.test", (no_ad, no_proofs), "unknown:not_validating"),
    ],
)
def test_without_its_word_a_resolver_can_only_hide(
    zones: World, domain: str, changes: tuple[Change, ...], wanted: str
) -> None:
    assert judged(zones, domain, *changes) == wanted


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ((no_signatures,), "pass:secure"),
        ((no_proofs,), "pass:secure"),
        ((no_keys,), "pass:secure"),
        ((refuses_keys,), "pass:secure"),
        ((another_address,), "unknown:disagree"),
        ((foreign_ds,), "unknown:disagree"),
    ],
)
def test_a_trusted_resolver_is_believed_unless_the_answer_itself_speaks_against_it(
    zones: World, changes: tuple[Change, ...], wanted: str
) -> None:
    assert judged(zones, GOOD, *changes) == wanted
