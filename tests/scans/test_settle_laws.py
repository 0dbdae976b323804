"""Laws of the state machine that hold for every sequence of looks, whatever the clock does.

`FEDISEC_SEQUENCES` says how many sequences are tried for each law; a hundred thousand before a release."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.model import Status
from fedisec.scans.models import ItemState
from fedisec.scans.settle import (
    ALERTS_UNTIL_FLAPPING,
    ALERTS_WITHIN,
    CALM_AFTER,
    CANDIDATE_LIFE,
    DEFINITE,
    ONE_LOOK,
    TWO_LOOKS,
    Changed,
    Kind,
    Look,
    Open,
    State,
    Step,
    Tick,
)
from fedisec.scans.settled import keep, state_of
from tests.scans.sequences import CONFIRM_AFTER, LOOK_LASTS, START, Event, look, run

LAWS = settings(
    max_examples=int(os.environ.get("FEDISEC_SEQUENCES", "150")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
ALERTS = frozenset({Kind.REGRESSED, Kind.FLAPPING})

# Mostly what a server does, and mostly at the pace of second looks: long runs of chance never settle anything.
STATUSES = st.sampled_from([*"PPPFFFW", *"UENM"]).map(
    dict(
        zip(
            "PFWUENM",
            [
                Status.PASS,
                Status.FAIL,
                Status.WARN,
                Status.UNKNOWN,
                Status.ERROR,
                Status.NOT_APPLICABLE,
                Status.MANUAL,
            ],
            strict=True,
        )
    ).__getitem__
)
GAPS = st.sampled_from([1, 3, 6, 6, 6, 30, 300, 1440, 3000])
# Three falls and two ends in two hours, which chance alone hardly ever brings about.
FLAPS = [(6, status, 4, 39) for status in (Status.PASS, Status.FAIL) * 3]
WAYS = st.sampled_from([ONE_LOOK, TWO_LOOKS])


@st.composite
def histories(
    draw: st.DrawFn, *, clocks: bool = False, rules: bool = True, quiet: bool = True, ticks: bool = True
) -> list[Event]:
    """Looks at growing times, in pairs that confirm more often than not.  `clocks`: that jump."""
    found: list[Event] = []
    minute, version = 0, "1"
    steps = draw(st.lists(st.tuples(GAPS, STATUSES, st.integers(1, 4), st.integers(0, 39)), max_size=25))
    for gap, status, times, chance in [*(FLAPS if draw(st.booleans()) else ()), *steps]:
        minute += gap
        if clocks and chance < 2:
            minute += draw(st.sampled_from([-1440, -30, 2880]))
        version += "'" if rules and chance == 38 else ""
        if ticks and chance in {10, 11, 12}:
            found.append(Event(Tick(START + timedelta(minutes=minute))))
        for _ in range(times):
            one = look(minute, status, version, len(found) + 1)
            found.append(Event(one, quiet and chance in {20, 21}))
            minute += 6
    return found


def changes(history: Sequence[Event], falls_at: Sequence[int] = ONE_LOOK) -> list[tuple[Event, Changed]]:
    steps = run(history, falls_at=falls_at)
    return [(one, step.change) for one, step in steps if step.change is not None]


def ended(one: Event) -> object:
    return one.what.now if isinstance(one.what, Tick) else one.what.ended


@LAWS
@given(histories(clocks=True), WAYS)
def test_no_alert_without_definite_fails_far_enough_apart(
    history: list[Event], falls_at: tuple[int, ...]
) -> None:
    fails: list[Look] = []
    for one, step in run(history, falls_at=falls_at):
        if not isinstance(one.what, Look):
            assert step.change is None or step.change.kind is Kind.CALMED
            continue
        if one.what.status is Status.FAIL:
            fails.append(one.what)
        if step.change is None or step.change.kind not in ALERTS or not step.change.told:
            continue
        assert one.what.status is Status.FAIL
        alike = [other for other in fails[:-1] if other.rules == one.what.rules]
        since = CONFIRM_AFTER * falls_at[-1]
        early = [
            o
            for o in alike
            if since <= one.what.began - o.ended and one.what.ended - o.ended <= CANDIDATE_LIFE
        ]
        assert early and len([*early, *alike]) >= len(falls_at)


@LAWS
@given(histories(clocks=True), WAYS)
def test_alerts_and_recoveries_alternate(history: list[Event], falls_at: tuple[int, ...]) -> None:
    """So each incident has one alert, and one good end at most."""
    told = [change for _, change in changes(history, falls_at) if change.told]
    heard_of_fall = False
    for change in told:
        if change.kind in ALERTS:
            heard_of_fall = True
        else:
            assert change.kind in {Kind.RECOVERED, Kind.CALMED} and heard_of_fall
            assert change.after != Status.FAIL
            heard_of_fall = False


@LAWS
@given(histories(clocks=True), WAYS)
def test_an_incident_opens_and_closes_with_a_change(history: list[Event], falls_at: tuple[int, ...]) -> None:
    before = Open.NO
    for _, step in run(history, falls_at=falls_at):
        after, change = step.state.incident, step.change
        if before is not after:
            assert change is not None
            opens = after is not Open.NO
            assert (change.kind in ALERTS) is opens
            assert opens is (before is Open.NO)
            assert opens or change.kind in {Kind.RECOVERED, Kind.CLOSED, Kind.REJUDGED, Kind.CALMED}
            assert not opens or change.told is (after is Open.TOLD)
        elif change is not None and change.told:
            raise AssertionError(change)
        before = after


@LAWS
@given(histories(), WAYS)
def test_few_mails_for_much_to_and_fro(history: list[Event], falls_at: tuple[int, ...]) -> None:
    """Three alerts a day and the end of flapping are all that one item can bring."""
    alerts = [one.what for one, change in changes(history, falls_at) if change.told and change.kind in ALERTS]
    times = [one.ended for one in alerts if isinstance(one, Look)]
    for first in times:
        assert sum(first <= at < first + ALERTS_WITHIN for at in times) <= ALERTS_UNTIL_FLAPPING + 1
    told = [change for _, change in changes(history, falls_at) if change.told]
    moves = [change for _, change in changes(history, falls_at) if change.kind is not Kind.FIRST]
    assert len(told) <= len(moves)


@LAWS
@given(histories(clocks=True), WAYS)
def test_flapping_is_silent_until_a_day_has_passed(history: list[Event], falls_at: tuple[int, ...]) -> None:
    state = State()
    for one, step in run(history, falls_at=falls_at):
        if state.calm_at is not None and step.change is not None:
            assert not step.change.told or step.change.kind is Kind.CALMED
        if step.change is not None and step.change.kind is Kind.CALMED:
            assert state.calm_at is not None and step.state.calm_at is None
        state = step.state
        if state.calm_at is not None and isinstance(one.what, Look) and one.what.status in DEFINITE:
            assert state.calm_at <= one.what.ended + CALM_AFTER


def alerts_of(history: Sequence[Event], falls_at: Sequence[int]) -> list[tuple[str, str]]:
    return [(c.kind, c.after) for _, c in changes(history, falls_at) if c.told]


@LAWS
@given(histories(ticks=False), WAYS, st.data())
def test_blind_looks_in_between_change_nothing_but_times(
    history: list[Event], falls_at: tuple[int, ...], data: st.DataObject
) -> None:
    blind = st.sampled_from([Status.UNKNOWN, Status.ERROR, Status.MANUAL])
    mixed: list[Event] = []
    for one in history:
        for _ in range(data.draw(st.integers(0, 2))):
            assert isinstance(one.what, Look)
            began = one.what.began - timedelta(seconds=30)
            mixed.append(Event(Look(data.draw(blind), began, began + LOOK_LASTS, one.what.rules)))
        mixed.append(one)
    assert alerts_of(mixed, falls_at) == alerts_of(history, falls_at)
    assert replace(final(mixed, falls_at), blind=False) == replace(final(history, falls_at), blind=False)


@LAWS
@given(histories(clocks=True), WAYS, st.data())
def test_what_is_told_again_changes_nothing(
    history: list[Event], falls_at: tuple[int, ...], data: st.DataObject
) -> None:
    """Any beginning of the sequence, delivered a second time at any later moment."""
    looks = [one for one in history if isinstance(one.what, Look)]
    cut = data.draw(st.integers(0, len(looks)))
    again = data.draw(st.integers(0, cut))
    twice = [*looks[:cut], *looks[:again], *looks[cut:]]
    assert alerts_of(twice, falls_at) == alerts_of(looks, falls_at)
    assert final(twice, falls_at) == final(looks, falls_at)


@LAWS
@given(histories(rules=False), WAYS)
def test_new_rules_never_alarm_by_themselves(history: list[Event], falls_at: tuple[int, ...]) -> None:
    versions = [
        replace(one, what=replace(one.what, rules=f"version {n}")) if isinstance(one.what, Look) else one
        for n, one in enumerate(history)
    ]
    assert not [change for _, change in changes(versions, falls_at) if change.told]


@LAWS
@given(histories(), WAYS, st.sampled_from([-1440, -30, 2880, 525_600]))
def test_a_clock_that_jumps_brings_no_alert(
    history: list[Event], falls_at: tuple[int, ...], minutes: int
) -> None:
    """The same status once more, after the jump, on a server where nothing was suspected."""
    state = final(history, falls_at)
    if state.candidate or not state.settled or not history:
        return
    status = Status(state.settled)
    at = max(one.minute for one in history) + minutes
    after = [Event(look(at + more, status, state.rules)) for more in (1, 7, 30, 1500)]
    told = [step.change for _, step in run(after, falls_at=falls_at, state=state) if step.change]
    assert all(change.kind is Kind.CALMED for change in told)


@LAWS
@given(histories(clocks=True), WAYS)
def test_a_state_goes_through_the_database_unharmed(history: list[Event], falls_at: tuple[int, ...]) -> None:
    row = ItemState()
    for _, step in run(history, falls_at=falls_at):
        keep(row, step.state)
        row.memory = json.loads(json.dumps(row.memory))
        kept = state_of(row)
        assert kept == replace(step.state, counted_at=kept.counted_at)
        assert kept.counted_at == step.state.counted_at or step.state.counted_at is None


def final(history: Sequence[Event], falls_at: Sequence[int]) -> State:
    steps: list[Step] = [step for _, step in run(history, falls_at=falls_at)]
    return steps[-1].state if steps else State()
