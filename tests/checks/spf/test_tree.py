"""The SPF tree as it is shown, and what of the answers is stored for it."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.clean import LINE_MAX
from checks.codec import encode_facts
from checks.errors import Reason
from checks.facts import Facts, Missing
from checks.facts.dns import Asked, Lookup, Outcome
from checks.facts.mail import SpfAnswers
from checks.parse.spf_tree import MAX_LINES, drawn, kept
from checks.parse.spf_walk import walk
from checks.probes import gather, mail
from checks.target import Target
from tests.checks.dns.made import SLOW, verdict
from tests.checks.dns.server import Table, name_server, vantage

Zone = dict[tuple[str, str], Lookup | Missing]


def zone(**records: str | Missing) -> Zone:
    """TXT of names written with _ for dots; an address where the text is one, "" for no such name."""
    found: Zone = {}
    for key, text in records.items():
        name = key.replace("_", ".")
        if isinstance(text, Missing):
            found[name, "TXT"] = text
            continue
        rdtype = "MX" if text.startswith("10 ") else "TXT" if "v=" in text else "A"
        outcome = Outcome.FOUND if text else Outcome.NO_NAME
        found[name, rdtype] = Lookup(name, rdtype, outcome, (text,) if text else ())
    return found


def lines(answers: Zone) -> list[str]:
    return drawn(walk("a.test", answers)).splitlines()


def test_every_look_up_has_its_number_and_every_branch_its_cost() -> None:
    answers = zone(
        a_test="v=spf1 ip4:192.0.2.1 include:b.test mx a:gone.test exists:%{i}.x.test -all",
        b_test="v=spf1 a:h.test include:c.test redirect=d.test",
        c_test="v=spf1 a:void.test -all",
        d_test="v=spf1 ?all",
        h_test="192.0.2.3",
        gone_test="",
        void_test="",
    )
    answers["a.test", "MX"] = Lookup("a.test", "MX", Outcome.FOUND, ("10 mx.a.test.",))
    assert lines(answers) == [
        "a.test   8 look-ups, 2 empty",
        "   1  include:b.test   5 look-ups, 1 empty",
        "     2  a:h.test",
        "     3  include:c.test   2 look-ups, 1 empty",
        "       4  a:void.test   no record",
        "     5  redirect=d.test",
        "   6  mx",
        "   7  a:gone.test   no record",
        "   8  exists:%{i}.x.test   depends on the single mail",
    ]


@pytest.mark.parametrize(
    ("record", "more", "line"),
    [
        ("v=spf1 include:b.test -all", {"b_test": SLOW}, "include:b.test   no answer"),
        ("v=spf1 include:b.test -all", {}, "include:b.test   not asked"),
        ("v=spf1 include:b.test -all", {"b_test": "v=other"}, "include:b.test   no SPF record there"),
        ("v=spf1 redirect=b.test", {"b_test": "v=other"}, "redirect=b.test   no SPF record there"),
        ("v=spf1 include:b.test -all", {"b_test": "v=spf1 oops"}, "include:b.test   syntax error"),
        ("v=spf1 include:a.test -all", {}, "include:a.test   leads back to itself"),
        ("v=spf1 redirect=%{l}.test", {}, "redirect=%{l}.test   depends on the single mail"),
        ("v=spf1 ptr -all", {}, "ptr"),
        ("v=spf1 a:x..test -all", {}, "a:x..test"),
        ("v=spf1 include:" + "l" * 60 + ".test -all", {}, "include:" + "l" * 51 + "…   not asked"),
    ],
)
def test_each_leaf_says_what_became_of_it(record: str, more: dict[str, str | Missing], line: str) -> None:
    assert lines(zone(a_test=record, **more))[1].strip() == f"1  {line}"


def test_what_is_over_the_limit_is_marked() -> None:
    shown = lines(zone(a_test="v=spf1 " + "exists:%{i}.x.test " * 12 + "-all"))
    assert [n for n, line in enumerate(shown) if "over the limit" in line] == [11, 12]
    assert shown[0] == "a.test   12 look-ups"


@pytest.mark.parametrize("width", [1, 2, 6, 20])
def test_a_hostile_tree_is_shown_in_forty_lines(width: int) -> None:
    answers: Zone = {}
    for n in range(400):
        names = " ".join(f"include:n{m}.{'x' * 50}.test" for m in range(width * n + 1, width * (n + 1) + 1))
        name = f"n{n}.{'x' * 50}.test" if n else "a.test"
        answers[name, "TXT"] = Lookup(name, "TXT", Outcome.FOUND, (f"v=spf1 {names} -all",))
    shown = drawn(walk("a.test", answers))
    assert len(shown.splitlines()) <= MAX_LINES and len(shown) < LINE_MAX


@given(
    st.lists(st.sampled_from(["a", "mx", "ptr", "include:a.test", "include:b.test", "exists:%{i}.a", "?"]))
)
def test_the_lines_of_a_tree_add_up(terms: list[str]) -> None:
    walked = walk("a.test", zone(a_test=f"v=spf1 {' '.join(terms)}", b_test="v=spf1 a mx"))
    assert walked.tree[0].lookups == walked.lookups and walked.tree[0].voids == walked.voids
    assert sum(branch.number > 0 for branch in walked.tree) == walked.lookups
    numbers = [branch.number for branch in walked.tree if branch.number]
    assert numbers == sorted(numbers)


def test_the_tree_is_the_first_evidence_of_the_item() -> None:
    answers = zone(a_test="v=spf1 include:b.test -all", b_test="v=spf1 -all")
    made = verdict("mail.spf", SpfAnswers("a.test", tuple(asked(answers))))
    assert made.evidence[0].label == "SPF tree"
    assert made.evidence[0].text.splitlines() == ["a.test   1 look-up", "   1  include:b.test"]


def asked(answers: Zone) -> list[Asked]:
    return [Asked(name, rdtype, answer) for (name, rdtype), answer in answers.items()]


# What is stored


def test_only_what_the_walk_needs_is_kept() -> None:
    texts = ("google-site-verification=x", "v=spf1 -all", "y" * 60_000)
    made = kept(Lookup("a.test", "TXT", Outcome.FOUND, texts))
    assert isinstance(made, Lookup) and made.records == ("v=spf1 -all",)
    assert kept(SLOW) is SLOW


def test_a_record_that_is_too_long_is_missing_not_cut() -> None:
    made = kept(Lookup("a.test", "TXT", Outcome.FOUND, ("v=spf1 " + "a " * 3000,)))
    assert isinstance(made, Missing) and made.reason is Reason.TOO_LARGE
    assert (
        verdict("mail.spf", SpfAnswers("a.test", tuple(asked({("a.test", "TXT"): made})))).reason
        is Reason.TOO_LARGE
    )


def test_the_stored_answers_of_a_hostile_zone_stay_small() -> None:
    giant = " ".join(f'"{"y" * 250}"' for _ in range(200))
    table: dict[tuple[str, str], tuple[str, ...]] = {}
    for n in range(40):
        long = f'"v=spf1 include:n{n + 1}.test "' + ' "ip4:192.0.2.1 "' * 200 + ' "-all"'
        table[f"n{n}.test" if n else "a.test", "TXT"] = (long, giant)
    zone_table: Table = table

    async def run() -> Facts:
        async with name_server(zone_table) as server:
            probes = tuple(p for p in mail.PROBES if p.name == "spf")
            return (await gather(Target("a.test"), vantage(server), probes=probes)).facts

    facts = asyncio.run(run())
    assert len(facts.get(SpfAnswers).asked) > 20
    assert len(json.dumps(encode_facts(facts))) < 32 * 4500
