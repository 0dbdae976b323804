"""A fall that follows from news alone, of which people are told by that news."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from checks.model import Status
from fedisec.scans.settle import CALM_AFTER, Kind, Look, Open, State, settle

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
WAIT = timedelta(minutes=5)
MET = State("pass", NOW - timedelta(days=9), seen=3, rules="1")


def _look(status: Status, minutes: int = 0, number: int = 0) -> Look:
    at = NOW + timedelta(minutes=minutes)
    return Look(status, at, at, "1", number)


@pytest.mark.parametrize("quiet", [False, True])
def test_it_falls_at_once_and_nobody_is_told_by_the_machine(quiet: bool) -> None:
    step = settle(MET, _look(Status.FAIL), WAIT, heard=True, quiet=quiet)
    assert step.change is not None and step.confirm_at is None
    assert (step.change.kind, step.change.told) == (Kind.REGRESSED, False)
    assert (step.state.settled, step.state.candidate) == ("fail", "")
    assert step.state.incident is (Open.UNTOLD if quiet else Open.TOLD)
    assert settle(step.state, _look(Status.FAIL, 9, 4), WAIT).change is None, (
        "the next look has nothing to say"
    )


def test_what_was_suspected_before_is_settled_by_it() -> None:
    waiting = settle(MET, _look(Status.FAIL, number=4), WAIT).state
    assert waiting.candidate == "fail"
    step = settle(waiting, _look(Status.FAIL, 1), WAIT, heard=True)
    assert step.state.settled == "fail" and step.change is not None and not step.change.told


def test_its_end_is_told_after_a_second_look() -> None:
    fallen = settle(MET, _look(Status.FAIL), WAIT, heard=True).state
    first = settle(fallen, _look(Status.PASS, 10, 5), WAIT)
    assert first.change is None and first.confirm_at is not None
    second = settle(first.state, _look(Status.PASS, 20, 6), WAIT)
    assert second.change is not None and (second.change.kind, second.change.told) == (Kind.RECOVERED, True)


@pytest.mark.parametrize("status", [Status.PASS, Status.WARN, Status.UNKNOWN])
def test_what_is_no_fall_goes_its_usual_way(status: Status) -> None:
    for state in (MET, State("fail", NOW, incident=Open.TOLD, rules="1")):
        assert settle(state, _look(status), WAIT, heard=True) == settle(state, _look(status), WAIT)


def test_what_flaps_or_was_judged_by_other_rules_is_not_hastened() -> None:
    flapping = State("pass", NOW, calm_at=NOW + CALM_AFTER, window="0", rules="1")
    other = State("pass", NOW, rules="0")
    for state in (flapping, other):
        assert settle(state, _look(Status.FAIL), WAIT, heard=True) == settle(state, _look(Status.FAIL), WAIT)
