"""Judging: a gap is UNKNOWN with its reason, a bug of ours is ERROR, and neither is ever a verdict on the server."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest

from checks.errors import Reason
from checks.evaluate import evaluate, judge
from checks.facts import Facts, Missing, MissingFact
from checks.facts.dns import Addresses
from checks.items import all_items
from checks.model import (
    INSIDE,
    MANUAL,
    OUTSIDE,
    SELF,
    Check,
    Fix,
    Item,
    Level,
    Settles,
    Status,
    Text,
    Verdict,
    failed,
    not_applicable,
    passed,
    unknown,
    warned,
)

_TEXT = Text("a", "あ")


def item(check: Check | None = None, *settles: Settles) -> Item:
    made = Item(
        "checks.items.plan.made_up", Level.REQUIRED, settles or (OUTSIDE,), (), _TEXT, _TEXT, _TEXT, Fix(_TEXT), _TEXT
    )  # fmt: skip
    if check is not None:
        made.check(check)
    return made


def raising(error: Exception) -> Check:
    def check(facts: Facts) -> Verdict:
        raise error

    return check


@pytest.mark.parametrize(
    "error",
    [ValueError("x"), KeyError("x"), AssertionError(), RecursionError(), TypeError(), ZeroDivisionError()],
    ids=lambda error: type(error).__name__,
)
def test_a_check_that_raises_is_an_error_of_ours_and_is_logged(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "checks.evaluate"):
        verdict = judge(item(raising(error)), Facts())
    assert (verdict.status, verdict.reason, verdict.code) == (Status.ERROR, Reason.BUG, "")
    (record,) = caplog.records
    assert "plan.made_up" in record.getMessage()
    assert record.exc_info is not None and record.exc_info[1] is error


def test_the_bug_of_one_item_leaves_the_others_alone(caplog: pytest.LogCaptureFixture) -> None:
    good = item(lambda facts: passed("fine"))
    good.module = "checks.items.plan.other"
    verdicts = evaluate(Facts(), [item(raising(ValueError())), good])
    assert {key: v.status for key, v in verdicts.items()} == {
        "plan.made_up": Status.ERROR,
        "plan.other": Status.PASS,
    }


def test_a_fail_without_evidence_is_an_error_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "checks.evaluate"):
        verdict = judge(item(lambda facts: failed("bad")), Facts())
    assert (verdict.status, verdict.reason) == (Status.ERROR, Reason.BUG)
    assert "bad" in verdict.detail and "bad" in caplog.text


@pytest.mark.parametrize(
    "verdict",
    [
        failed("bad").seen("GET /", "HTTP 200"),
        warned("meh"),
        passed("fine"),
        not_applicable("none"),
        unknown("why", Reason.WITHHELD),
    ],
    ids=lambda verdict: verdict.status.value,
)
def test_a_sound_verdict_passes_through_unchanged(verdict: Verdict) -> None:
    assert judge(item(lambda facts: verdict), Facts()) is verdict


@pytest.mark.parametrize("reason", list(Reason))
def test_a_missing_fact_is_unknown_with_its_reason(reason: Reason) -> None:
    gap = Missing(reason, "what was tried")

    def check(facts: Facts) -> Verdict:
        facts.get(Addresses)
        return passed("never")

    verdict = judge(item(check), Facts({}, {Addresses: gap}))
    assert (verdict.status, verdict.reason, verdict.detail) == (Status.UNKNOWN, reason, "what was tried")
    assert judge(item(raising(MissingFact(gap))), Facts()) == verdict


def test_a_fact_that_nobody_promised_is_unknown_as_not_asked() -> None:
    def check(facts: Facts) -> Verdict:
        facts.get(Addresses)
        return passed("never")

    assert judge(item(check), Facts()) == Verdict(Status.UNKNOWN, reason=Reason.NOT_ASKED)


@pytest.mark.parametrize(
    ("settles", "expected"),
    [
        ((OUTSIDE,), Verdict(Status.UNKNOWN, reason=Reason.NOT_BUILT)),
        ((OUTSIDE, INSIDE), Verdict(Status.UNKNOWN, reason=Reason.NOT_CONNECTED)),
        ((INSIDE, MANUAL), Verdict(Status.UNKNOWN, reason=Reason.NOT_CONNECTED)),
        ((SELF, MANUAL), Verdict(Status.UNKNOWN, reason=Reason.DASHBOARD_ONLY)),
        ((MANUAL,), Verdict(Status.MANUAL)),
    ],
    ids=str,
)
def test_an_item_without_a_check_says_who_can_settle_it(
    settles: tuple[Settles, ...], expected: Verdict
) -> None:
    assert judge(item(None, *settles), Facts()) == expected


def test_without_facts_the_whole_catalogue_is_unknown_or_for_a_person() -> None:
    verdicts = evaluate(Facts())
    assert list(verdicts) == list(all_items())
    assert {v.status for v in verdicts.values()} == {Status.UNKNOWN, Status.MANUAL}


def test_evidence_is_cleaned_and_capped_whatever_a_check_puts_in() -> None:
    hostile: dict[str, Any] = {"host": "a\x1b[31m\x00\u202e" + "x" * 10_000}
    verdict = judge(
        item(lambda facts: failed("bad", **hostile).seen("la\nbel", "\x1b]0;t\x07" * 9999)), Facts()
    )
    shown = [str(verdict.data["host"]), *(e.label + e.text for e in verdict.evidence)]
    assert verdict.status is Status.FAIL
    assert not any(c in text for text in shown for c in "\x1b\x00\x07\u202e\n")
    assert all(len(text) < 10_000 for text in shown)
    assert replace(verdict) == verdict
