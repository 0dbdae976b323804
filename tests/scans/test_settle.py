"""The state machine of what is settled: sequences of looks, and the changes that must follow."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from checks.model import Status
from fedisec.scans.settle import CALM_AFTER, TWO_LOOKS, Changed, Kind, Open, State, Tick, settle
from tests.scans.sequences import CONFIRM_AFTER, LOOK_LASTS, START, events, last, look, run, story

# Three falls within a day: the third is called flapping.
FLAPS = "0P 10F 16F 20P 26P 30F 36F 40P 46P 50F 56F"
TOLD = "16regressed! 26recovered! 36regressed! 46recovered! 56flapping!"

BASE_LINE = [
    ("0F", ""),
    ("0U 1F", ""),
    ("0M 10M 20M", ""),
    ("0F 10F 20F 30F", ""),
    ("0P 10P 20P", ""),
    ("0N 10F 20F", ""),  # what did not apply before has its first result now
]
FALLS = [
    ("0P 10F", ""),
    ("0P 10F 16F", "16regressed!"),
    ("0P 10F 16F 30F 40F", "16regressed!"),
    ("0W 10F 16F", "16regressed!"),
    ("0P 10F 15F", ""),  # the first look ended at 10:10
    ("0P 10F 15.2F", "15.2regressed!"),
    ("0P 10F 12F 13F 14F", ""),
    ("0P 10F 12F 16F", "16regressed!"),
    ("0P 10F 1450F", "1450regressed!"),  # the daily look confirms where the second did not
]
CONTRADICTED = [
    ("0P 10F 12P 16F", ""),
    ("0P 10F 12W 16F", ""),
    ("0P 10F 12P 16F 22F", "22regressed!"),
    ("0P 10F 20P 30F 40P 50F 60P", ""),
]
UNSEEN = [
    ("0P 10U 20U 30U", ""),
    ("0P 10F 16U", ""),
    ("0P 10F 16U 30F", "30regressed!"),
    ("0P 10U 20F 30E 40N 50F", "50regressed!"),
    ("0P 10N 20F 26F", "26regressed!"),
    ("0F 10U 20P 21U 26P", "26recovered"),
    ("0P 10F 16F 30U 1500E 3000M", "16regressed!"),
]
LAPSED = [
    ("0P 10F 2880F", "2880regressed!"),
    ("0P 10F 2890F", "2890regressed!"),
    ("0P 10F 2891F", ""),
    ("0P 10F 2891F 2897F", "2897regressed!"),
]
RECOVERIES = [
    ("0F 10P", ""),
    ("0F 10P 16P", "16recovered"),  # nobody was told of the fall
    ("0F 10P 16W", "16recovered"),
    ("0F 10P 12F 16P", ""),
    ("0P 10F 16F 30P", "16regressed!"),
    ("0P 10F 16F 30P 36P", "16regressed! 36recovered!"),
    ("0P 10F 16F 30P 36P 50F 56F", "16regressed! 36recovered! 56regressed!"),
    ("0F 10P 16P 30F 36F 50P 56P", "16recovered 36regressed! 56recovered!"),
]
SHADES = [("0P 10W 20P 30W", ""), ("0W 10P 20F 30W 40F", ""), ("0P 10W 16W 30W", "")]
NEW_RULES = [
    ("0P 10F'", "10rejudged"),
    ("0P 10W'", "10rejudged"),
    ("0P 10P' 20F'", ""),
    ("0P 10P' 20F' 26F'", "26regressed!"),
    # What the old rules suspected too is the server's doing; it takes two looks by the new ones.
    ("0P 10F 16F'", ""),
    ("0P 10F 16F' 20F'", ""),
    ("0P 10F 16F' 22F'", "22regressed!"),
    ("0P 10F 2891F'", "2891rejudged"),
    ("0P 10F 16F 20P 26P' 32P'", "16regressed! 32recovered!"),
    ("0P 10F 16P' 20F' 22F'", ""),
    ("0P 10F 16P' 20F' 26F'", "26regressed!"),
    ("0P 10F' 20P' 26P'", "10rejudged 26recovered"),
    ("0P 10F 16F 20P' 30F' 36F'", "16regressed! 20rejudged 36regressed!"),
    ("0P 10U' 20F'", "20rejudged"),
]
NOT_APPLICABLE = [
    ("0P 10N 20N 30N", ""),
    ("0F 10N 20N 30P 40P", "40recovered"),  # a base line has no incident that could end
    ("0P 10F 16F 30N", "16regressed!"),
    ("0P 10F 16F 30N 34N", "16regressed!"),
    ("0P 10F 16F 30N 36N", "16regressed! 36closed"),
    ("0P 10F 16F 30N 32F 36N", "16regressed!"),
    ("0P 10F 16F 30N 32P 36N", "16regressed!"),
    ("0P 10F 16F 30N 32P 38P", "16regressed! 38recovered!"),
    ("0P 10F 16F 30N 36N 40P 50P", "16regressed! 36closed"),
    ("0P 10F 16F 30N 36N 40F 46F", "16regressed! 36closed 46regressed!"),
    ("0P 10F 16F 30N'", "16regressed! 30rejudged"),
]
SET_ASIDE = [
    ("0P 10Fq 16Fq", "16regressed"),
    ("0P 10Fq 16Fq 30P 36P", "16regressed 36recovered"),  # who did not hear of the fall …
    ("0P 10F 16F 30Pq 36Pq", "16regressed! 36recovered"),
    ("0P 10Fq 16Fq 30F 40F", "16regressed"),  # the end of a waiver is a reminder, no regression
    ("0P 10F 16Fq", "16regressed"),
    # What nobody was told of does not count as to and fro.
    (
        "0P 10Fq 16Fq 20P 26P 30F 36F 40P 46P 50F 56F",
        "16regressed 26recovered 36regressed! 46recovered! 56regressed!",
    ),
]
FLAPPING = [
    (FLAPS, TOLD),
    # … nor is the third within a day where the first was a day ago.
    (
        "0P 10F 16F 20P 26P 30F 36F 40P 46P 24.3hF 24.4hF",
        "16regressed! 26recovered! 36regressed! 46recovered! 1464regressed!",
    ),
    (
        "0P 10F 16F 20P 26P 30F 36F 40P 46P 24.1hF 24.2hF",
        "16regressed! 26recovered! 36regressed! 46recovered! 1452flapping!",
    ),
    # Silence, and three looks of five.
    (FLAPS + " 62P 68P", TOLD),
    (FLAPS + " 62P 68P 74P", TOLD + " 74recovered"),
    (FLAPS + " 70P 80F 90P 100F 110P", TOLD + " 110recovered"),
    (FLAPS + " 70P 80P 90F 100F 110F 120P", TOLD),
    (FLAPS + " 62P 63P 64P 65P 66P", TOLD),  # looks in one breath count once
    (FLAPS + " 70P 80U 90P 100M 106F 112P", TOLD + " 112recovered"),
    (FLAPS + " 70P 80P 90P 100F 110F 120F", TOLD + " 90recovered 120regressed"),
    # A day in one state ends it; people hear of it where it is not what they heard last.
    (FLAPS + " 26hF", TOLD + " 1560calmed"),
    (FLAPS + " 26hT", TOLD + " 1560calmed"),
    (FLAPS + " 24hT", TOLD),
    (FLAPS + " 62P 68P 74P 26hT", TOLD + " 74recovered 1560calmed!"),
    (FLAPS + " 62P 68P 74P 25hP", TOLD + " 74recovered"),
    (FLAPS + " 62P 68P 74P 26hP", TOLD + " 74recovered 1560calmed!"),
    (FLAPS + " 62P 68P 74P 26hTq", TOLD + " 74recovered 1560calmed"),
    (FLAPS + " 62P 68P 74P 26hPq", TOLD + " 74recovered 1560calmed"),
    (FLAPS + " 62P 68P 74P 26hW 30hF 30.2hF", TOLD + " 74recovered 1560calmed! 1812regressed!"),
    (FLAPS + " 26hF 30hP 30.2hP", TOLD + " 1560calmed 1812recovered!"),
    (FLAPS + " 62P 68P 74P 20hF 26hT 44hT 44.1hT", TOLD + " 74recovered 2646calmed!"),
    # What cannot be seen does not rest.
    (FLAPS + " 62P 68P 74P 20hU 26hT 49hT", TOLD + " 74recovered"),
    (FLAPS + " 62P 68P 74P 20hU 26hT 50hP", TOLD + " 74recovered 3000calmed!"),
    (FLAPS + " 62P 68P 74P 20hU 21hP 26hT", TOLD + " 74recovered 1560calmed!"),
    # Each move begins to count anew.
    (FLAPS + " 62P 68F 74P 80F 86P 92F", TOLD + " 86recovered"),
    # To the second: a day is a day.
    (FLAPS + " 1496F", TOLD + " 1496calmed"),
    (FLAPS + " 1495F", TOLD),
    ("0P 10F 16F 20P 26P 30F 36F 40P 46P 1440F 1456F", TOLD.replace("56flapping", "1456regressed")),
    ("0P 10F 16F 20P 26P 30F 36F 40P 46P 1440F 1455F", TOLD.replace("56flapping", "1455flapping")),
    # What does not apply is a state like others; chance of this sort brings no further alert.
    (FLAPS + " 62N 68N", TOLD),
    (FLAPS + " 62N 68N 74N", TOLD + " 74closed"),
    (FLAPS + " 62N 68N 74N 80F 86F 92F", TOLD + " 74closed 92regressed"),
    (FLAPS + " 62N 68N 74N 26hT", TOLD + " 74closed 1560calmed"),
    (FLAPS + " 62P 68P 74P 80N 86N 92N 26hN 27hF 27.2hF", TOLD + " 74recovered 1560calmed! 1632regressed!"),
    # Other rules begin to count anew, and nothing else.
    (FLAPS + " 62P 68P 74P' 80P'", TOLD),
    (FLAPS + " 62P 68P 74P' 80P' 86P'", TOLD + " 86recovered"),
]
CLOCKS = [
    ("0P 10F -1000F", ""),
    ("0P 10F -1000F -994F", "-994regressed!"),
    ("0P 10F -1000U 16F", "16regressed!"),
    ("0P 10P 3000P -1000P", ""),
    (FLAPS + " 62P 68P 74P 200hP -10hP 13hT 15hT", TOLD + " 74recovered 12000calmed!"),
    (FLAPS + " 62P 68P 74P -10hP 13hT 15hT", TOLD + " 74recovered 900calmed!"),
    # Falls that a clock put into the future are no falls of this day.
    (
        "100hP 101hF 102hF 103hP 104hP 0F 6F 10P 16P 20F 26F",
        "6120regressed! 6240recovered! 6regressed! 16recovered! 26regressed!",
    ),
]
TABLE = [
    *BASE_LINE,
    *FALLS,
    *CONTRADICTED,
    *UNSEEN,
    *LAPSED,
    *RECOVERIES,
    *SHADES,
    *NEW_RULES,
    *NOT_APPLICABLE,
    *SET_ASIDE,
    *FLAPPING,
    *CLOCKS,
]


@pytest.mark.parametrize(("script", "expected"), TABLE)
def test_a_sequence_of_looks_brings_these_changes(script: str, expected: str) -> None:
    assert story(events(script)) == expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("0F 5F 20F", ""),
        ("0P 10F 16F", ""),
        ("0P 10F 16F 25F", ""),
        ("0P 10F 16F 25.2F", "25.2regressed!"),
        ("0P 10F 16F 26F", "26regressed!"),
        ("0P 10F 16F 18F 20F 26F", "26regressed!"),
        ("0P 10F 16P 26F 32F", ""),
        ("0P 10F 16U 26F", ""),
        ("0P 10F 16U 26F 32F", "32regressed!"),
        ("0P 10F 30F 32F", ""),  # the second of two further looks keeps its distance too
        ("0P 10F 30F 36F", "36regressed!"),
        ("0P 10F 16F 2900F", ""),
        ("0P 10F 16F 26F 40P 46P", "26regressed! 46recovered!"),  # good news needs one
        ("0P 10F 16F 16.1F' 22F' 28F'", ""),
        ("0P 10F 16F 16.1F' 22F' 32F'", "32regressed!"),
    ],
)
def test_a_server_is_gone_after_two_further_looks(script: str, expected: str) -> None:
    assert story(events(script), falls_at=TWO_LOOKS) == expected


@pytest.mark.parametrize(
    ("script", "minute"),
    [
        ("0P", None),
        ("0F", None),
        ("0P 10F", 15 + 1 / 6),
        ("0P 10F 12F", 15 + 1 / 6),  # the wait does not start anew
        ("0P 10F 12U", 15 + 1 / 6),
        ("0P 10F 12N", 15 + 1 / 6),
        ("0P 10F 10U", 15 + 1 / 6),
        ("0P 10F 15U", None),  # ended when the second look was due
        ("0P 10F 16U", None),  # one second look; then the regular ones
        ("0P 10F -5U", None),
        ("0P 10F 12P", None),
        ("0P 10F 16F", None),
        ("0F 10P", 15 + 1 / 6),
        ("0P 10W", None),
        ("0P 10F'", None),
        ("0P 10F 12F'", 17 + 1 / 6),
        ("0P 10F 16F 30N", 35 + 1 / 6),
        (FLAPS + " 60P", 61 + 1 / 6),
        (FLAPS + " 70P", 75 + 1 / 6),
        (FLAPS + " 70P 80P 90P", None),
        (FLAPS + " 60F", None),
        (FLAPS + " 26hT", None),
    ],
)
def test_a_second_look_is_wanted_when_it_can_confirm(script: str, minute: float | None) -> None:
    wanted = last(script).confirm_at
    assert wanted == (None if minute is None else START + timedelta(minutes=minute))


@pytest.mark.parametrize(
    ("script", "minute"),
    [
        ("0P 10F", 15 + 1 / 6),
        ("0P 10F 12U", 15 + 1 / 6),
        ("0P 10F 16F", 25 + 1 / 6),
        ("0P 10F 16U", 25 + 1 / 6),
        ("0P 10F 16F 20U", 25 + 1 / 6),
        ("0P 10F 24F", 29 + 1 / 6),
        ("0P 10F 16F 27U", None),
        ("0P 10F 16F 26F", None),
        ("0P 10F 16F 26F 30P", 35 + 1 / 6),
    ],
)
def test_two_further_looks_are_wanted_one_after_the_other(script: str, minute: float | None) -> None:
    wanted = last(script, falls_at=TWO_LOOKS).confirm_at
    assert wanted == (None if minute is None else START + timedelta(minutes=minute))


@pytest.mark.parametrize(
    ("script", "change"),
    [
        ("0W", Changed(Kind.FIRST, "", "warn")),
        ("0W 10F 16F", Changed(Kind.REGRESSED, "warn", "fail", told=True)),
        ("0W 10Fq 16Fq", Changed(Kind.REGRESSED, "warn", "fail")),
        ("0F 10P 16W", Changed(Kind.RECOVERED, "fail", "warn")),
        ("0P 10F 16F 30N 36N", Changed(Kind.CLOSED, "fail", "not_applicable")),
        ("0P 10F 16F 30N 36N 40F 46F", Changed(Kind.REGRESSED, "not_applicable", "fail", told=True)),
        ("0P 10F'", Changed(Kind.REJUDGED, "pass", "fail")),
        (FLAPS, Changed(Kind.FLAPPING, "pass", "fail", told=True)),
        (FLAPS + " 26hF", Changed(Kind.CALMED, "fail", "fail")),
        (FLAPS + " 62W 68P 74W", Changed(Kind.RECOVERED, "fail", "warn")),
        (FLAPS + " 62P 68P 74P 26hW", Changed(Kind.CALMED, "fail", "warn", told=True)),
    ],
)
def test_a_change_says_from_where_to_where(script: str, change: Changed) -> None:
    assert last(script).change == change


@pytest.mark.parametrize(
    ("script", "incident"),
    [
        ("0F", Open.NO),
        ("0P 10F", Open.NO),
        ("0P 10F 16F", Open.TOLD),
        ("0P 10Fq 16Fq", Open.UNTOLD),
        ("0P 10F 16F 30P", Open.TOLD),
        ("0P 10F 16F 30P 36P", Open.NO),
        ("0P 10F 16F 30N 36N", Open.NO),
        ("0P 10F 16F 20P'", Open.NO),
        (FLAPS, Open.TOLD),
        (FLAPS + " 62P 68P 74P", Open.TOLD),  # one incident for all the to and fro
        (FLAPS + " 62P 68P 74P 26hT", Open.NO),
        (FLAPS + " 26hT", Open.TOLD),
    ],
)
def test_an_incident_is_open_from_the_fall_to_its_end(script: str, incident: Open) -> None:
    assert last(script).state.incident is incident


def test_a_second_look_confirms_however_short_the_wait_is_set() -> None:
    first = settle(State(), look(0, Status.PASS), timedelta(0))
    second = settle(first.state, look(1, Status.FAIL), timedelta(0))
    assert second.change is None and second.confirm_at is not None
    third = settle(second.state, look(1.2, Status.FAIL), timedelta(0))
    assert third.change == Changed(Kind.REGRESSED, "pass", "fail", told=True)


def test_a_clock_set_back_neither_confirms_nor_waits_for_days() -> None:
    suspected = last("0P 2880F").state
    step = settle(suspected, look(10, Status.FAIL), CONFIRM_AFTER)
    assert step.change is None
    assert step.confirm_at == look(10, Status.FAIL).ended + CONFIRM_AFTER


@pytest.mark.parametrize(
    ("script", "minute"),
    [("0P 10U 20P 30F 31P", 0), ("0P 10W", 10), ("0P 10F 16F 20F", 16), (FLAPS + " 62P 68P 74P", 74)],
)
def test_settled_since_is_kept_while_nothing_moves(script: str, minute: int) -> None:
    assert last(script).state.settled_since == look(minute, Status.PASS).ended


@pytest.mark.parametrize(
    ("script", "settled"),
    [
        ("0U", ""),
        ("0W", "warn"),
        ("0P 10F", "pass"),
        ("0P 10W", "warn"),
        ("0P 10F 16F 30N 36N", "not_applicable"),
        ("0P 10F 16F 30N 36N 40W", "warn"),
        (FLAPS + " 62P 68P", "fail"),
        (FLAPS + " 62P 68P 74W", "warn"),
        (FLAPS + " 62P 68P 74W 80N 86N 92N", "warn"),
        (FLAPS + " 62N 68N 74N", "not_applicable"),
        (FLAPS + " 62P 68P 74W 80P", "pass"),
    ],
)
def test_what_is_settled_is_what_was_seen_often_enough(script: str, settled: str) -> None:
    assert last(script).state.settled == settled


def test_a_second_look_counts_from_the_second_on_that_it_is_due() -> None:
    early, in_time = (
        settle(last("0P 10F").state, look(minute, Status.FAIL), CONFIRM_AFTER)
        for minute in (15.16, 15 + 1 / 6)
    )
    assert (early.change is None, in_time.change is None) == (True, False)


@pytest.mark.parametrize("script", ["0P 10F 12P", "0P 10F 16F 18P"])
def test_a_look_that_contradicts_leaves_nothing_of_the_candidate(script: str) -> None:
    found = last(script, falls_at=TWO_LOOKS).state
    assert found == State("pass", look(0, Status.PASS).ended, rules="1")


def test_a_candidate_is_what_was_seen_last() -> None:
    assert last("0F 10P 12W").state.candidate == "warn"


def test_the_clock_ends_flapping_to_the_second() -> None:
    state = last(FLAPS).state
    assert state.calm_at is not None
    assert settle(state, Tick(state.calm_at - timedelta(seconds=1)), CONFIRM_AFTER).change is None
    assert settle(state, Tick(state.calm_at), CONFIRM_AFTER).change is not None


def test_what_flaps_is_counted_at_the_pace_of_second_looks() -> None:
    """The fall was seen until 56:10."""
    early, in_time = (
        settle(last(FLAPS).state, look(m, Status.PASS), CONFIRM_AFTER) for m in (61, 61 + 1 / 6)
    )
    assert (early.state.window, in_time.state.window) == ("", "0")


def test_a_look_that_was_counted_counts_once() -> None:
    steps = list(run([*events("0P 10F", numbered=True), *events("0P 10F 16F", numbered=True)]))
    assert [step.change is not None for _, step in steps] == [True, False, False, False, True]
    suspected = last("0P 10F").state
    same = settle(replace(suspected, seen=2), look(16, Status.FAIL, number=2), CONFIRM_AFTER)
    assert same.change is None and same.state.seen == 2
    twice = events("0P 10F 16F 30P 36P", numbered=True) * 2
    assert story(twice) == "16regressed! 36recovered!"
    blind = [*events("0P 10F 16U", numbered=True), *events("0P 10F 16F", numbered=True)]
    assert story(blind) == ""


def test_the_end_of_flapping_is_known_beforehand() -> None:
    assert last(FLAPS).state.calm_at == look(56, Status.FAIL).ended + CALM_AFTER
    assert last(FLAPS + " 20hP").state.calm_at == look(1200, Status.PASS).ended + CALM_AFTER
    assert last(FLAPS + " 20hF").state.calm_at == look(56, Status.FAIL).ended + CALM_AFTER
    blind = last(FLAPS + " 20hU 26hT").state
    assert blind.calm_at == START + timedelta(hours=26) + CALM_AFTER
    assert last(FLAPS + " 62F 68P 26hF 50hT").state == State(
        "fail", START + timedelta(minutes=56) + LOOK_LASTS, incident=Open.TOLD, rules="1"
    )
