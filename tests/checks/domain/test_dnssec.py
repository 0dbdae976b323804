"""domain.dnssec where the resolver's word and fedisec's own walk meet, from hand-made facts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from checks.errors import Reason
from checks.facts import Missing
from checks.facts.dns import Chain, ChainStatus, ChainStep, Dnssec, ResolverHealth, SignedName, StepKind
from checks.model import Status
from checks.parse.dnssec_words import told
from tests.checks.dns.made import NOW, SERVFAIL, VALIDATING, Answer, found, short, signed, verdict

ZONES = (".", "test", "a.test")
DS256 = found("a.test", "DS", "1 13 2 ab")
BLIND = ResolverHealth("x", False)


def ended(
    kind: StepKind, status: ChainStatus = ChainStatus.BOGUS, *, alias: str = "", **more: object
) -> Chain:
    step = ChainStep(kind, "a.test", "DS" if "ds" in kind else "A", "a.test", (7,), **more)  # type: ignore[arg-type]
    return Chain(status, ZONES[:2], step, alias)


SECURE = Chain(ChainStatus.SECURE, ZONES, None, "", (signed(400, 600),))
UNCLEAR = ended(StepKind.LIMIT, ChainStatus.INDETERMINATE)
LEFT = ChainStatus.INSECURE


def name(chain: Chain | None, *, secure: bool = True, own: bool = True) -> SignedName:
    answer = found("a.test", "A", "192.0.2.1", secure=secure, signatures=(signed(400, 600),))
    return SignedName("a.test", "A", False, answer, own, chain)


def broken(chain: Chain | None, own: bool = True, answer: Answer = SERVFAIL) -> SignedName:
    return SignedName("a.test", "A", True, answer, own, chain)


def judged(health: ResolverHealth, *names: SignedName) -> str:
    return short(verdict("domain.dnssec", health, Dnssec(names, DS256, NOW)))


@pytest.mark.parametrize("kind", [k for k in StepKind if k.value in (
    "expired", "not_yet", "wrong_ds", "no_keys", "bad_signature", "unknown_key", "unsigned", "no_proof",
)])  # fmt: skip
def test_a_bogus_name_fails_with_its_step(kind: StepKind) -> None:
    assert judged(VALIDATING, name(SECURE), broken(ended(kind))) == f"fail:{kind.value}"


@pytest.mark.parametrize("chain", [None, UNCLEAR], ids=["no walk", "unclear walk"])
def test_bogus_without_a_known_step_is_still_bogus(chain: Chain | None) -> None:
    assert judged(VALIDATING, broken(chain)) == "fail:bogus"


def test_a_foreign_name_that_is_bogus_fails() -> None:
    assert judged(VALIDATING, name(SECURE), broken(ended(StepKind.WRONG_DS), own=False)) == "fail:wrong_ds"


@pytest.mark.parametrize(
    ("chain", "wanted"),
    [
        (ended(StepKind.NO_DS, LEFT), "warn:no_ds"),
        (ended(StepKind.OPT_OUT, LEFT), "warn:no_ds"),
        (ended(StepKind.ISLAND, LEFT), "warn:island"),
        (ended(StepKind.UNSUPPORTED, LEFT), "warn:unsupported"),
        (ended(StepKind.ITERATIONS, LEFT), "warn:iterations"),
        (ended(StepKind.NO_DS, LEFT, alias="cdn.test"), "warn:alias_leaves"),
        (UNCLEAR, "warn:insecure"),
        (ended(StepKind.NO_PROOF), "warn:insecure"),
        (None, "warn:insecure"),
    ],
)
def test_an_insecure_name_warns_with_its_step(chain: Chain | None, wanted: str) -> None:
    assert judged(VALIDATING, name(chain, secure=False)) == wanted


@pytest.mark.parametrize(
    "names",
    [
        (broken(SECURE),),
        (broken(ended(StepKind.NO_DS, LEFT)),),
        (name(ended(StepKind.BAD_SIGNATURE)),),
        (name(ended(StepKind.WRONG_DS)),),
        (name(SECURE, secure=False),),
        (name(ended(StepKind.WRONG_DS), secure=False),),
    ],
    ids=[
        "bogus/secure",
        "bogus/insecure",
        "secure/bogus",
        "secure/wrong ds",
        "insecure/secure",
        "insecure/bogus",
    ],
)
def test_a_contradiction_is_never_judged(names: tuple[SignedName, ...]) -> None:
    made = verdict("domain.dnssec", VALIDATING, Dnssec(names, DS256, NOW))
    assert (made.status, made.code) == (Status.UNKNOWN, "disagree")
    assert made.evidence


def test_a_contradiction_about_one_name_does_not_hide_another_that_is_bogus() -> None:
    assert judged(VALIDATING, name(SECURE, secure=False), broken(ended(StepKind.NO_KEYS))) == "fail:no_keys"


@pytest.mark.parametrize(
    "chain", [UNCLEAR, None, ended(StepKind.NO_PROOF), ended(StepKind.UNSIGNED), ended(StepKind.NO_DS, LEFT)]
)
def test_what_a_resolver_may_have_taken_out_does_not_spoil_its_word(chain: Chain | None) -> None:
    assert judged(VALIDATING, name(chain)) == "pass:secure"


def test_a_foreign_name_is_not_contradicted() -> None:
    assert judged(VALIDATING, name(SECURE), name(SECURE, secure=False, own=False)) == "pass:secure"


def test_a_signature_in_the_chain_that_just_ended_warns() -> None:
    chain = ended(StepKind.EXPIRED, at=NOW - timedelta(hours=1))
    assert judged(VALIDATING, name(chain)) == "warn:just_ended"


def test_the_signature_over_the_keys_ages_too() -> None:
    old = Chain(ChainStatus.SECURE, ZONES, None, "", (signed(30, 600),))
    assert judged(VALIDATING, name(old)) == "warn:ageing"
    assert (
        judged(VALIDATING, name(Chain(ChainStatus.SECURE, ZONES, None, "", (signed(30, 48),))))
        == "pass:secure"
    )


DAYS_AGO = NOW - timedelta(days=2)


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        ((name(SECURE, secure=False),), "pass:proved"),
        ((name(SECURE, secure=False), name(UNCLEAR, secure=False)), "unknown:not_validating"),
        ((name(SECURE, secure=False), name(UNCLEAR, secure=False, own=False)), "pass:proved"),
        ((name(SECURE, secure=False), name(None, secure=False)), "unknown:not_validating"),
        ((name(None, secure=False),), "unknown:not_validating"),
        ((), "unknown:not_validating"),
        ((name(SECURE, secure=False), SignedName("a.test", "MX", False, SERVFAIL, True)), "unknown:resolver_failed"),
        ((name(ended(StepKind.ISLAND, LEFT), secure=False),), "warn:island"),
        ((name(ended(StepKind.WRONG_DS), secure=False),), "fail:wrong_ds"),
        ((name(SECURE), name(ended(StepKind.WRONG_DS), secure=False, own=False)), "fail:wrong_ds"),
        ((name(ended(StepKind.EXPIRED, at=DAYS_AGO, ttl_s=3600), secure=False),), "fail:expired"),
        ((name(ended(StepKind.EXPIRED, at=DAYS_AGO, ttl_s=90000), secure=False),), "unknown:not_validating"),
        ((name(ended(StepKind.EXPIRED, at=NOW - timedelta(hours=9)), secure=False),), "unknown:not_validating"),
        ((broken(ended(StepKind.UNSIGNED)),), "fail:unsigned"),
        ((broken(UNCLEAR),), "unknown:resolver_failed"),
        ((broken(SECURE),), "unknown:resolver_failed"),
        ((name(ended(StepKind.NOT_YET, at=NOW), secure=False),), "unknown:not_validating"),
        ((name(ended(StepKind.UNSIGNED), secure=False),), "unknown:not_validating"),
        ((name(ended(StepKind.BAD_SIGNATURE), secure=False),), "unknown:not_validating"),
        ((name(ended(StepKind.NO_KEYS), secure=False),), "unknown:not_validating"),
    ],
)  # fmt: skip
def test_without_a_validating_resolver_only_a_proof_decides(
    names: tuple[SignedName, ...], wanted: str
) -> None:
    assert judged(BLIND, *names) == wanted


def test_a_resolver_that_lost_the_root_is_named() -> None:
    lost = ResolverHealth("x", Missing(Reason.NOT_VALIDATING, "SOA .: SERVFAIL"))
    assert judged(lost, name(SECURE)) == "unknown:refuses_all"


def test_a_walk_is_told_in_one_line() -> None:
    assert told(SECURE) == "secure: . > test > a.test"
    assert told(None) == "-"
    chain = ended(StepKind.EXPIRED, alias="b.test", at=NOW)
    assert told(chain) == (
        "bogus: . > test; expired at A a.test (zone a.test, keys 7, 2026-11-21 12:00 UTC), behind the alias b.test"
    )
