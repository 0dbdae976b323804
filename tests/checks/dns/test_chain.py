"""Own walks down the chain of trust against real signed zones: each of the table is told apart, and unbound
comes to the same."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from checks.codec import decode_facts, encode_facts
from checks.errors import Reason
from checks.evaluate import evaluate
from checks.facts import Facts, Missing
from checks.facts.dns import (
    Chain,
    ChainStatus,
    ChainStep,
    Dnssec,
    Lookup,
    ResolverHealth,
    SignedName,
    StepKind,
)
from checks.items import all_items
from checks.probes import dns as dns_probe
from checks.probes import dns_chain, gather
from checks.probes.mail import PROBES as MAIL_PROBES
from checks.target import Target
from tests.checks.dns.made import short
from tests.checks.dns.zones import OLD_ANCHOR, PLAIN, RESOLVER, ZONES, World

pytestmark = pytest.mark.lab

PROBES = (*dns_probe.PROBES, *(p for p in MAIL_PROBES if p.name == "routes"))
SECURE, INSECURE, BOGUS = ChainStatus.SECURE, ChainStatus.INSECURE, ChainStatus.BOGUS


def facts_of(zones: World, domain: str, resolver: str = RESOLVER) -> Facts:
    facts = asyncio.run(gather(Target(domain), zones.vantage(resolver), probes=PROBES)).facts
    assert decode_facts(json.loads(json.dumps(encode_facts(facts)))) == facts
    return facts


def address_of(zones: World, domain: str, resolver: str = RESOLVER) -> tuple[SignedName, Chain]:
    """The name's own A record, and the walk to it."""
    first = facts_of(zones, domain, resolver).get(Dnssec).names[0]
    assert (first.name, first.rdtype) == (domain, "A")
    assert first.chain is not None
    return first, first.chain


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        *((z, f"www.{z}.test") for z in (
            "rsa", "rsa512", "ecdsa", "p384", "ed25519", "ed448", "sha1", "nsec3", "salted", "optout", "iterations",
            "wildcard", "wildcard3",
        )),
        ("deep", "a.b.c.deep.test"),
        ("deep3", "a.b.c.deep3.test"),
        ("badset", "badset.test"),
        ("rsa", "www.aliasgood.test"),
        ("rsa", "www.away.dname.test"),
    ],
)  # fmt: skip
def test_a_secure_name_is_walked_from_the_root(zones: World, zone: str, name: str) -> None:
    used, chain = address_of(zones, name)
    assert isinstance(used.answer, Lookup)
    assert used.answer.secure
    assert (chain.status, chain.zones, chain.step) == (SECURE, (".", "test", f"{zone}.test"), None)
    assert chain.key_signatures


@pytest.mark.parametrize(
    ("name", "kind", "where", "alias"),
    [
        ("www.insecure.test", StepKind.NO_DS, "insecure.test", ""),
        ("www.child.optout.test", StepKind.NO_DS, "child.optout.test", ""),
        ("www.child.skipped.test", StepKind.OPT_OUT, "child.skipped.test", ""),
        ("www.isle.skipped.test", StepKind.ISLAND, "isle.skipped.test", ""),
        ("www.child.iterations.test", StepKind.ITERATIONS, "child.iterations.test", ""),
        ("www.island.test", StepKind.ISLAND, "island.test", ""),
        ("www.oddds.test", StepKind.UNSUPPORTED, "oddds.test", ""),
        ("www.alias.test", StepKind.NO_DS, "insecure.test", "www.insecure.test"),
    ],
)
def test_an_insecure_name_tells_where_the_chain_ends(
    zones: World, name: str, kind: StepKind, where: str, alias: str
) -> None:
    used, chain = address_of(zones, name)
    assert isinstance(used.answer, Lookup)
    assert not used.answer.secure
    assert chain.step is not None
    assert (chain.status, chain.step.kind, chain.step.name) == (INSECURE, kind, where)
    assert chain.alias == alias


@pytest.mark.parametrize(
    ("name", "kind", "where", "rdtype"),
    [
        ("www.expired.test", StepKind.EXPIRED, "expired.test", "DNSKEY"),
        ("www.future.test", StepKind.NOT_YET, "future.test", "DNSKEY"),
        ("www.wrongds.test", StepKind.WRONG_DS, "wrongds.test", "DNSKEY"),
        ("www.nokeys.test", StepKind.NO_KEYS, "nokeys.test", "DNSKEY"),
        ("www.badkeys.test", StepKind.BAD_SIGNATURE, "badkeys.test", "DNSKEY"),
        ("www.badset.test", StepKind.BAD_SIGNATURE, "www.badset.test", "A"),
        ("www.nosig.test", StepKind.UNSIGNED, "www.nosig.test", "A"),
        ("a.b.c.deepnosig.test", StepKind.UNSIGNED, "a.b.c.deepnosig.test", "A"),
        ("www.aliasbad.test", StepKind.EXPIRED, "expired.test", "DNSKEY"),
    ],
)
def test_a_bogus_name_tells_the_step_that_fails(
    zones: World, name: str, kind: StepKind, where: str, rdtype: str
) -> None:
    used, chain = address_of(zones, name)
    assert used.broken
    assert chain.step is not None
    assert (chain.status, chain.step.kind) == (BOGUS, kind)
    assert (chain.step.name, chain.step.rdtype) == (where, rdtype)


def step_of(zones: World, name: str) -> ChainStep:
    step = address_of(zones, name)[1].step
    assert step is not None
    return step


@pytest.mark.parametrize("zone", ZONES)
def test_the_walk_and_unbound_never_contradict_each_other(zones: World, zone: str) -> None:
    """Of every name of every zone that has an answer: AD and secure, SERVFAIL and bogus, neither and insecure."""
    for domain in (f"{zone}.test", f"www.{zone}.test"):
        for used in facts_of(zones, domain).get(Dnssec).names:
            if used.chain is None:
                continue
            word = BOGUS if used.broken else INSECURE
            if isinstance(used.answer, Lookup) and used.answer.secure:
                word = SECURE
            assert used.chain.status is word, (used.name, used.rdtype)


def test_dates_and_key_tags_are_told(zones: World) -> None:
    now = datetime.now(UTC)
    expired, future = step_of(zones, "www.expired.test"), step_of(zones, "www.future.test")
    assert expired.at is not None and now - timedelta(days=3) < expired.at < now
    assert future.at is not None and now < future.at < now + timedelta(days=3)
    assert expired.keys and step_of(zones, "www.wrongds.test").keys


def test_the_same_is_seen_through_a_resolver_that_checks_nothing(zones: World) -> None:
    for name in (
        "www.rsa.test",
        "www.island.test",
        "www.expired.test",
        "www.wrongds.test",
        "www.badset.test",
    ):
        with_checks, without = address_of(zones, name)[1], address_of(zones, name, PLAIN)[1]
        assert without == with_checks, name


def test_a_strange_anchor_says_nothing_about_the_zone(zones: World) -> None:
    view = replace(zones.vantage(), anchors=())  # the real root's
    facts = asyncio.run(gather(Target("www.rsa.test"), view, probes=PROBES)).facts
    chain = facts.get(Dnssec).names[0].chain
    assert chain is not None
    assert chain.step is not None
    assert (chain.status, chain.step.kind) == (ChainStatus.INDETERMINATE, StepKind.ANCHOR)


def test_a_foreign_mail_host_is_walked_as_well(zones: World) -> None:
    names = {n.name: n for n in facts_of(zones, "mail.test").get(Dnssec).names}
    chain = names["mx.insecure.test"].chain
    assert not names["mx.insecure.test"].own
    assert chain is not None
    assert chain.status is INSECURE


def test_the_walk_ends_with_its_questions(zones: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_chain, "MAX_QUESTIONS", 1)
    chain = address_of(zones, "www.rsa.test")[1]
    assert chain.step is not None
    assert (chain.status, chain.step.kind) == (ChainStatus.INDETERMINATE, StepKind.LIMIT)


def test_the_walk_adds_few_questions(zones: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root, top level and zone: three key sets and one DS; the rest is there already."""

    async def cost(domain: str) -> Counter[str]:
        return Counter((await gather(Target(domain), zones.vantage(), probes=PROBES)).connections)

    with_walk = asyncio.run(cost("www.rsa.test"))
    monkeypatch.setattr(dns_chain, "MAX_QUESTIONS", 0)
    without = asyncio.run(cost("www.rsa.test"))
    assert with_walk["dns"] - without["dns"] == 4


def judged(zones: World, domain: str, resolver: str = RESOLVER) -> str:
    item = all_items()["domain.dnssec"]
    return short(evaluate(facts_of(zones, domain, resolver), [item])[item.id])


VERDICTS = [
    ("www.rsa.test", "pass:secure", "pass:proved"),
    ("www.ed25519.test", "pass:secure", "pass:proved"),
    ("www.nsec3.test", "pass:secure", "pass:proved"),
    ("www.optout.test", "pass:secure", "pass:proved"),
    ("www.wildcard.test", "pass:secure", "pass:proved"),
    ("mail.test", "pass:secure", "pass:proved"),
    ("www.sha1.test", "warn:weak", "warn:weak"),
    ("www.insecure.test", "warn:no_ds", "warn:no_ds"),
    ("www.child.optout.test", "warn:no_ds", "warn:no_ds"),
    ("www.child.skipped.test", "warn:no_ds", "warn:no_ds"),
    ("www.child.iterations.test", "warn:iterations", "warn:iterations"),
    ("www.island.test", "warn:island", "warn:island"),
    ("www.oddds.test", "warn:unsupported", "warn:unsupported"),
    ("www.alias.test", "warn:alias_leaves", "warn:alias_leaves"),
    ("www.expired.test", "fail:expired", "fail:expired"),
    ("www.aliasbad.test", "fail:expired", "fail:expired"),
    ("www.wrongds.test", "fail:wrong_ds", "fail:wrong_ds"),
    ("www.future.test", "fail:not_yet", "unknown:not_validating"),
    ("www.nokeys.test", "fail:no_keys", "unknown:not_validating"),
    ("www.badset.test", "fail:bad_signature", "unknown:not_validating"),
    ("www.badkeys.test", "fail:bad_signature", "unknown:not_validating"),
    ("www.nosig.test", "fail:unsigned", "unknown:not_validating"),
]


@pytest.mark.parametrize(("domain", "checked", "unchecked"), VERDICTS)
def test_the_item_tells_them_apart(zones: World, domain: str, checked: str, unchecked: str) -> None:
    assert judged(zones, domain) == checked
    assert judged(zones, domain, PLAIN) == unchecked


def test_a_resolver_with_an_old_anchor_is_found_out(zones: World) -> None:
    """As after a roll of the root's key that the resolver missed: SERVFAIL for every name, signed or not."""
    facts = facts_of(zones, "www.rsa.test", OLD_ANCHOR)
    health = facts.get(ResolverHealth)
    assert isinstance(health.validates, Missing)
    assert health.validates.reason is Reason.NOT_VALIDATING
    assert "trust anchor" in health.validates.detail
    assert judged(zones, "www.rsa.test", OLD_ANCHOR) == "unknown:refuses_all"
    assert judged(zones, "www.expired.test", OLD_ANCHOR) == "unknown:refuses_all"
