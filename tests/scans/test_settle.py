"""The state machine of what is settled: sequences, then laws that hold for every sequence."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.model import Status
from fedisec.scans.settle import CANDIDATE_LIFE, DEFINITE, Changed, Kind, Look, State, Step, settle

START = datetime(2026, 11, 21, tzinfo=UTC)
CONFIRM_AFTER = timedelta(minutes=5)
LOOK_LASTS = timedelta(seconds=10)

_LETTERS = {
    "P": Status.PASS,
    "W": Status.WARN,
    "F": Status.FAIL,
    "U": Status.UNKNOWN,
    "E": Status.ERROR,
    "N": Status.NOT_APPLICABLE,
    "M": Status.MANUAL,
}


def look(minute: float, status: Status, rules: str = "1") -> Look:
    began = START + timedelta(minutes=minute)
    return Look(status, began, began + LOOK_LASTS, rules)


def looks(script: str) -> list[Look]:
    """ "0P 10F 16F'" : minute, letter of the status, and a ' for each newer version of the checks."""
    found = []
    for word in script.split():
        plain = word.rstrip("'")
        found.append(look(float(plain[:-1]), _LETTERS[plain[-1]], "1" + "'" * (len(word) - len(plain))))
    return found


def run(sequence: Iterable[Look], *, strict: bool = False) -> list[tuple[Look, Step]]:
    state, steps = State(), []
    for one in sequence:
        step = settle(state, one, CONFIRM_AFTER, strict=strict)
        steps.append((one, step))
        state = step.state
    return steps


def story(sequence: Iterable[Look], *, strict: bool = False) -> str:
    """ "16regressed! 30recovered" : minute, what changed, and a ! where people are told."""
    return " ".join(
        f"{(one.began - START).total_seconds() / 60:g}{step.change.kind}{'!' if step.change.told else ''}"
        for one, step in run(sequence, strict=strict)
        if step.change is not None and step.change.kind is not Kind.FIRST
    )


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        # The first definite verdict is the base line, whatever it is.
        ("0F", ""),
        ("0U 1F", ""),
        ("0M 10M 20M", ""),
        ("0F 10F 20F 30F", ""),
        ("0P 10P 20P", ""),
        # Met to not met: two looks, far enough apart.
        ("0P 10F", ""),
        ("0P 10F 16F", "16regressed!"),
        ("0P 10F 16F 30F 40F", "16regressed!"),
        ("0W 10F 16F", "16regressed!"),
        ("0P 10F 15F", ""),  # the first look ended at 10:10
        ("0P 10F 15.2F", "15.2regressed!"),
        ("0P 10F 12F 13F 14F", ""),
        ("0P 10F 12F 16F", "16regressed!"),
        ("0P 10F 1450F", "1450regressed!"),  # the daily look confirms where the second did not
        # A look that contradicts ends the suspicion.
        ("0P 10F 12P 16F", ""),
        ("0P 10F 12W 16F", ""),
        ("0P 10F 12P 16F 22F", "22regressed!"),
        ("0P 10F 20P 30F 40P 50F 60P", ""),
        # What saw nothing moves nothing.
        ("0P 10U 20U 30U", ""),
        ("0P 10F 16U", ""),
        ("0P 10F 16U 30F", "30regressed!"),
        ("0P 10U 20F 30E 40N 50F", "50regressed!"),
        ("0P 10N 20F 26F", "26regressed!"),
        ("0F 10U 20P 21U 26P", "26recovered"),
        # A suspicion does not live for ever.
        ("0P 10F 2880F", "2880regressed!"),
        ("0P 10F 2891F", ""),
        ("0P 10F 2891F 2897F", "2897regressed!"),
        # Not met to met, the same way back; told only who was told of the fall.
        ("0F 10P", ""),
        ("0F 10P 16P", "16recovered"),
        ("0F 10P 16W", "16recovered"),
        ("0F 10P 12F 16P", ""),
        ("0P 10F 16F 30P", "16regressed!"),
        ("0P 10F 16F 30P 36P", "16regressed! 36recovered!"),
        ("0P 10F 16F 30P 36P 50F 56F", "16regressed! 36recovered! 56regressed!"),
        ("0F 10P 16P 30F 36F 50P 56P", "16recovered 36regressed! 56recovered!"),
        # Shades of met.
        ("0P 10W 20P 30W", ""),
        ("0W 10P 20F 30W 40F", ""),
        # Rules of a new version: listed, never told; nor is the way back from there.
        ("0P 10F'", "10rejudged"),
        ("0P 10P' 20F'", ""),
        ("0P 10P' 20F' 26F'", "26regressed!"),
        ("0P 10F 16F'", "16rejudged"),
        ("0P 10F 16P' 20F' 22F'", ""),
        ("0P 10F' 20P' 26P'", "10rejudged 26recovered"),
        ("0P 10F 16F 20P' 30F' 36F'", "16regressed! 20rejudged 36regressed!"),
        ("0P 10U' 20F'", "20rejudged"),
        ("0P 10W'", "10rejudged"),
    ],
)
def test_a_sequence_of_looks_brings_these_changes(script: str, expected: str) -> None:
    assert story(looks(script)) == expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("0P 10W", ""),
        ("0P 10W 16W", "16regressed!"),
        ("0P 10W 16W 30W", "16regressed!"),
        ("0P 10W 16W 30F 36F", "16regressed! 36regressed!"),
        ("0P 10W 16F", ""),
        ("0P 10W 16F 22F", "22regressed!"),
        ("0P 10W 16W 30P 36P", "16regressed! 36recovered!"),
        ("0P 10F 16F 30W 36W", "16regressed!"),
        ("0P 10F 16F 30W 36W 50P 56P", "16regressed! 56recovered!"),
        ("0W 10P 16P", "16recovered"),
    ],
)
def test_a_certificate_that_should_have_been_renewed_is_news_at_the_warning(
    script: str, expected: str
) -> None:
    assert story(looks(script), strict=True) == expected


@pytest.mark.parametrize(
    ("script", "minute"),
    [
        ("0P", None),
        ("0F", None),
        ("0P 10F", 15 + 1 / 6),
        ("0P 10F 12F", 15 + 1 / 6),  # the wait does not start anew
        ("0P 10F 12U", 15 + 1 / 6),
        ("0P 10F 12N", 15 + 1 / 6),
        ("0P 10F 16U", None),  # one second look; then the regular ones
        ("0P 10F 12P", None),
        ("0P 10F 16F", None),
        ("0F 10P", 15 + 1 / 6),
        ("0P 10W", None),
        ("0P 10F'", None),
    ],
)
def test_a_second_look_is_wanted_when_it_can_confirm(script: str, minute: float | None) -> None:
    wanted = run(looks(script))[-1][1].confirm_at
    assert wanted == (None if minute is None else START + timedelta(minutes=minute))


def test_a_second_look_confirms_however_short_the_wait_is_set() -> None:
    first = settle(State(), look(0, Status.PASS), timedelta(0))
    second = settle(first.state, look(1, Status.FAIL), timedelta(0))
    assert second.change is None and second.confirm_at is not None
    third = settle(second.state, look(1.2, Status.FAIL), timedelta(0))
    assert third.change == Changed(Kind.REGRESSED, "pass", "fail", told=True)


def test_a_clock_set_back_neither_confirms_nor_waits_for_days() -> None:
    suspected = run(looks("0P 2880F"))[-1][1].state
    step = settle(suspected, look(10, Status.FAIL), CONFIRM_AFTER)
    assert step.change is None
    assert step.confirm_at == look(10, Status.FAIL).ended + CONFIRM_AFTER


def test_settled_since_is_kept_while_nothing_moves() -> None:
    state = run(looks("0P 10U 20P 30F 31P"))[-1][1].state
    assert state.settled_since == look(0, Status.PASS).ended


STATUSES = st.sampled_from(list(Status))
GAPS = st.sampled_from([1, 3, 6, 30, 1440, 3000])
HISTORIES = st.lists(st.tuples(GAPS, STATUSES), max_size=30)
LAWS = settings(max_examples=400, deadline=None)


def timeline(history: Iterable[tuple[int, Status]]) -> list[Look]:
    found, minute = [], 0
    for gap, status in history:
        minute += gap
        found.append(look(minute, status))
    return found


@LAWS
@given(HISTORIES, st.booleans())
def test_no_fall_without_two_bad_looks_far_enough_apart(
    history: list[tuple[int, Status]], strict: bool
) -> None:
    seen: list[Look] = []
    for one, step in run(timeline(history), strict=strict):
        seen.append(one)
        if step.change is None or step.change.kind is not Kind.REGRESSED:
            continue
        alike = [other for other in seen[:-1] if other.status == one.status]
        assert one.status is Status.FAIL or (strict and one.status is Status.WARN)
        assert any(
            one.began - other.ended >= CONFIRM_AFTER and one.ended - other.ended <= CANDIDATE_LIFE
            for other in alike
        )


@LAWS
@given(HISTORIES, st.booleans())
def test_falls_and_recoveries_that_are_told_alternate(
    history: list[tuple[int, Status]], strict: bool
) -> None:
    told = [s.change.kind for _, s in run(timeline(history), strict=strict) if s.change and s.change.told]
    assert told[:1] != [Kind.RECOVERED]
    if not strict:  # a strict item may fall twice, to the warning and then to the fail
        assert all(first != second for first, second in zip(told, told[1:], strict=False))
    assert (Kind.RECOVERED, Kind.RECOVERED) not in zip(told, told[1:], strict=False)


@LAWS
@given(HISTORIES, st.data())
def test_blind_looks_in_between_change_nothing(
    history: list[tuple[int, Status]], data: st.DataObject
) -> None:
    plain = timeline(history)
    blind = st.sampled_from(sorted(set(Status) - DEFINITE))
    mixed = []
    for one in plain:
        for _ in range(data.draw(st.integers(0, 2))):
            began = one.began - timedelta(seconds=30)
            mixed.append(Look(data.draw(blind), began, began + LOOK_LASTS, one.rules))
        mixed.append(one)
    assert story(mixed) == story(plain)
    assert final(mixed) == final(plain)


@LAWS
@given(HISTORIES, st.booleans())
def test_a_look_told_twice_counts_once(history: list[tuple[int, Status]], strict: bool) -> None:
    plain = timeline(history)
    twice = [one for one in plain for _ in range(2)]
    assert story(twice, strict=strict) == story(plain, strict=strict)
    assert final(twice, strict=strict) == final(plain, strict=strict)


def final(sequence: list[Look], *, strict: bool = False) -> State:
    steps = run(sequence, strict=strict)
    return steps[-1][1].state if steps else State()


@LAWS
@given(HISTORIES)
def test_new_rules_never_alarm_by_themselves(history: list[tuple[int, Status]]) -> None:
    sequence = [
        Look(one.status, one.began, one.ended, f"version {n}") for n, one in enumerate(timeline(history))
    ]
    assert not any(step.change and step.change.told for _, step in run(sequence))
