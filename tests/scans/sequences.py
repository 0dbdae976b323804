"""Sequences of looks, written in a line, and what the state machine makes of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from checks.model import Status
from fedisec.scans.settle import ONE_LOOK, Kind, Look, State, Step, Tick, settle

START = datetime(2026, 11, 21, tzinfo=UTC)
CONFIRM_AFTER = timedelta(minutes=5)
LOOK_LASTS = timedelta(seconds=10)

LETTERS = {
    "P": Status.PASS,
    "W": Status.WARN,
    "F": Status.FAIL,
    "U": Status.UNKNOWN,
    "E": Status.ERROR,
    "N": Status.NOT_APPLICABLE,
    "M": Status.MANUAL,
}
_WORD = re.compile(r"(-?[0-9.]+)(h?)([PWFUENMT])(q?)('*)")


@dataclass(frozen=True)
class Event:
    """A look or a tick, and whether somebody has set the item aside at the time."""

    what: Look | Tick
    quiet: bool = False

    @property
    def minute(self) -> float:
        at = self.what.now if isinstance(self.what, Tick) else self.what.began
        return (at - START) / timedelta(minutes=1)


def look(minute: float, status: Status, rules: str = "1", number: int = 0) -> Look:
    began = START + timedelta(minutes=minute)
    return Look(status, began, began + LOOK_LASTS, rules, number)


def events(script: str, *, numbered: bool = False) -> list[Event]:
    """ "0P 10F 16Fq 26hT 27hF'" : minute (or hour), letter of the status or T for a tick, q while the item is
    set aside, and a ' for each newer version of the checks."""
    found = []
    for number, word in enumerate(script.split(), 1):
        match = _WORD.fullmatch(word)
        assert match is not None, word
        when, hours, letter, quiet, rules = match.groups()
        minute = float(when) * (60 if hours else 1)
        if letter == "T":
            found.append(Event(Tick(START + timedelta(minutes=minute)), bool(quiet)))
        else:
            one = look(minute, LETTERS[letter], "1" + rules, number if numbered else 0)
            found.append(Event(one, bool(quiet)))
    return found


def run(
    sequence: Iterable[Event], *, falls_at: Sequence[int] = ONE_LOOK, state: State | None = None
) -> Iterator[tuple[Event, Step]]:
    state = state or State()
    for one in sequence:
        step = settle(state, one.what, CONFIRM_AFTER, falls_at=falls_at, quiet=one.quiet)
        yield one, step
        state = step.state


def story(sequence: Iterable[Event], *, falls_at: Sequence[int] = ONE_LOOK) -> str:
    """ "16regressed! 30recovered" : minute, what changed, and a ! where people are told.  Of a first result
    nothing is said."""
    return " ".join(
        f"{one.minute:g}{step.change.kind}{'!' if step.change.told else ''}"
        for one, step in run(sequence, falls_at=falls_at)
        if step.change is not None and step.change.kind is not Kind.FIRST
    )


def last(script: str, *, falls_at: Sequence[int] = ONE_LOOK) -> Step:
    return list(run(events(script), falls_at=falls_at))[-1][1]
