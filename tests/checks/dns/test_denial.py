"""Proofs of absence, against a model: a zone as a set of names, whose NSEC and NSEC3 records are made here."""

from __future__ import annotations

import base64
from itertools import pairwise

import dns.name
import dns.rrset
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from checks.parse.dnssec_denial import Denied, denial_of_closer, denial_of_ds, nsec3_hash, proofs_of
from tests.checks.dns.signing import name, records

ZONE = name("z.")
SALT = bytes.fromhex("aabbccdd")


@pytest.mark.parametrize(
    ("owner", "wanted"),
    [
        ("example.", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"),
        ("a.example.", "35mthgpgcu1qg68fab165klnsnk3dpvl"),
        ("ai.example.", "gjeqe526plbf1g8mklp59enfd789njgi"),
        ("*.w.example.", "r53bq7cc2uvmubfu5ocmm6pers9tk9en"),
    ],
)
def test_hashes_are_those_of_rfc_5155(owner: str, wanted: str) -> None:
    assert base64.b32hexencode(nsec3_hash(name(owner), SALT, 12)).decode().lower() == wanted


LABELS = st.sampled_from(["a", "b", "c", "m", "x", "*"])
NAMES = st.lists(LABELS, min_size=1, max_size=3).map(lambda labels: name(".".join(labels) + ".z."))
ZONES = st.dictionaries(NAMES, st.sampled_from(["A", "NS"]), max_size=6)
ASKED = NAMES.filter(lambda n: not n.is_wild())


def clean(zone: dict[dns.name.Name, str]) -> dict[dns.name.Name, str]:
    """A zone that can be: nothing below a delegation, no delegation at a wildcard."""
    kept = {n: t for n, t in zone.items() if not (t == "NS" and n.is_wild())}
    cuts = [n for n, t in kept.items() if t == "NS"]
    return {n: t for n, t in kept.items() if not any(n != c and n.is_subdomain(c) for c in cuts)}


def truth(zone: dict[dns.name.Name, str], asked: dns.name.Name) -> Denied:
    if any(t == "NS" and asked != n and asked.is_subdomain(n) for n, t in zone.items()):
        return Denied.UNPROVEN  # below a delegation this zone has nothing to say
    if asked in zone:
        return Denied.NO_DS if zone[asked] == "NS" else Denied.NO_CUT
    return Denied.NO_CUT if any(n.is_subdomain(asked) for n in zone) else Denied.NO_NAME


def with_apex(zone: dict[dns.name.Name, str]) -> dict[dns.name.Name, str]:
    return {ZONE: "NS SOA", **zone}


def nsec_of(zone: dict[dns.name.Name, str]) -> list[dns.rrset.RRset]:
    whole = with_apex(zone)
    order = sorted(whole)
    return [
        records(o.to_text(), "NSEC", f"{after.to_text()} {whole[o]} RRSIG NSEC")
        for o, after in pairwise([*order, order[0]])
    ]


def nsec3_of(
    zone: dict[dns.name.Name, str], *, opt_out: bool = False, iterations: int = 1
) -> list[dns.rrset.RRset]:
    """Empty non-terminals have records too; with opt-out the unsigned delegations have none."""
    kept = {n: t for n, t in zone.items() if not (opt_out and t == "NS")}
    whole = with_apex(kept)
    for owner in list(kept):
        while (owner := owner.parent()) != ZONE:
            whole.setdefault(owner, "")
    hashed = sorted((nsec3_hash(n, SALT, iterations), t) for n, t in whole.items())
    flags = int(opt_out)
    return [
        records(f"{_b32(h)}.z.", "NSEC3", f"1 {flags} {iterations} {SALT.hex()} {_b32(after)} {types}")
        for (h, types), (after, _) in pairwise([*hashed, hashed[0]])
    ]


def _b32(digest: bytes) -> str:
    return base64.b32hexencode(digest).decode().lower()


@settings(max_examples=60)
@given(ZONES.map(clean), ASKED)
def test_a_whole_chain_shows_the_truth(zone: dict[dns.name.Name, str], asked: dns.name.Name) -> None:
    for sets in (nsec_of(zone), nsec3_of(zone)):
        proofs = proofs_of(ZONE, sets)
        assert len(proofs.nsec) + len(proofs.nsec3) == min(len(sets), 12)  # more are not looked at
        if len(sets) <= 12:
            assert denial_of_ds(asked, proofs) is truth(zone, asked)


@settings(max_examples=60)
@given(ZONES.map(clean), ASKED, st.data())
def test_a_part_of_a_chain_shows_the_truth_or_nothing(
    zone: dict[dns.name.Name, str], asked: dns.name.Name, data: st.DataObject
) -> None:
    for sets in (nsec_of(zone), nsec3_of(zone)):
        some = data.draw(st.lists(st.sampled_from(sets), max_size=12))
        assert denial_of_ds(asked, proofs_of(ZONE, some)) in (truth(zone, asked), Denied.UNPROVEN)


@settings(max_examples=60)
@given(ZONES.map(clean), ASKED)
def test_opt_out_leaves_delegations_open(zone: dict[dns.name.Name, str], asked: dns.name.Name) -> None:
    sets = nsec3_of(zone, opt_out=True)
    assume(len(sets) <= 12)
    found = denial_of_ds(asked, proofs_of(ZONE, sets))
    wanted = truth(zone, asked)
    if (
        wanted is Denied.NO_CUT
        and asked not in zone
        and all(t == "NS" for n, t in zone.items() if n.is_subdomain(asked))
    ):  # an empty non-terminal above unsigned delegations alone has no record either
        wanted = Denied.NO_NAME
    assert found is (wanted if wanted is Denied.NO_CUT else Denied.OPT_OUT)


@settings(max_examples=60)
@given(ZONES.map(clean), ASKED)
def test_too_many_iterations_show_nothing(zone: dict[dns.name.Name, str], asked: dns.name.Name) -> None:
    proofs = proofs_of(ZONE, nsec3_of(zone, iterations=101))
    assert denial_of_ds(asked, proofs) is Denied.ITERATIONS


@settings(max_examples=60)
@given(ZONES.map(clean), ASKED, st.integers(1, 3))
def test_nothing_closer_is_shown_only_where_nothing_is(
    zone: dict[dns.name.Name, str], asked: dns.name.Name, labels: int
) -> None:
    if labels >= len(asked) - 1:
        return
    closer = dns.name.Name(asked.labels[-(labels + 2) :])
    for sets in (nsec_of(zone), nsec3_of(zone)):
        if len(sets) > 12:
            continue
        found = denial_of_closer(asked, labels, proofs_of(ZONE, sets))
        assert found is (Denied.NO_NAME if truth(zone, closer) is Denied.NO_NAME else Denied.UNPROVEN) or (
            truth(zone, closer) is Denied.UNPROVEN
        )


def test_records_of_another_zone_are_passed_over() -> None:
    other = records("y.", "NSEC", "zz. A NSEC")
    deep = records(f"{_b32(bytes(20))}.x.z.", "NSEC3", f"1 0 0 - {_b32(bytes(20))} A")
    odd = records(f"{_b32(bytes(20))}.z.", "NSEC3", f"2 0 0 - {_b32(bytes(20))} A")
    flagged = records(f"{_b32(bytes(20))}.z.", "NSEC3", f"1 4 0 - {_b32(bytes(20))} A")
    no_hash = records("nohash.z.", "NSEC3", f"1 0 0 - {_b32(bytes(20))} A")
    proofs = proofs_of(ZONE, [other, deep, odd, flagged, no_hash])
    assert (proofs.nsec, proofs.nsec3) == ((), ())


def test_a_delegation_says_nothing_about_what_is_below() -> None:
    sets = [records("b.z.", "NSEC", "c.z. NS RRSIG NSEC")]
    assert denial_of_ds(name("x.b.z."), proofs_of(ZONE, sets)) is Denied.UNPROVEN
    sets = [records("b.z.", "NSEC", "c.z. DNAME RRSIG NSEC")]
    assert denial_of_ds(name("x.b.z."), proofs_of(ZONE, sets)) is Denied.UNPROVEN


def test_records_hashed_in_another_way_are_passed_over() -> None:
    zone = {name("a.z."): "NS"}
    sets = nsec3_of(zone)
    proofs = proofs_of(ZONE, [*sets, *nsec3_of(zone, iterations=9)])
    assert len(proofs.nsec3) == len(sets)
    assert denial_of_ds(name("a.z."), proofs) is Denied.NO_DS
