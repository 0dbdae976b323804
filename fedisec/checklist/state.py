"""The merge of machine and person: one pure function makes the state of an item, nothing else does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from checks.errors import Reason
from checks.model import Item, Status


class State(StrEnum):
    """What an item is on a page.  ACCEPTED is counted apart, never as met."""

    NOT_MET = "not_met"
    WARNING = "warning"
    NEEDS_YOU = "needs_you"
    COULD_NOT_CHECK = "could_not_check"
    ACCEPTED = "accepted"
    MET = "met"
    NOT_APPLICABLE = "not_applicable"


class By(StrEnum):
    """Who decided."""

    MACHINE = "machine"
    PERSON = "person"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Seen:
    """The machine's side: the last verdict, since when, and the last confirmed (pass, warn, fail, "")."""

    status: Status
    since: datetime
    reason: Reason | None = None
    code: str = ""
    settled: str = ""
    settled_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A person's answer."""

    met: bool
    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Waived:
    """A person's decision to live with it.  `until` None: it stays."""

    kind: str
    at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Effective:
    """The merged state, who decided it, and since when (None: nothing was seen or said yet)."""

    state: State
    by: By
    since: datetime | None = None
    answer_expired: bool = False  # an answer stood here and its time is over
    answer_ended: bool = False  # a machine's fail that is newer than the answer ended it


# Warnings that only ask for a person's word: the machine saw all it can.
NEEDS_ANSWER = "needs_answer"

# The machine never had a way to look: a person is asked at once.  Anything else may pass by itself.
_NO_WAY_TO_LOOK = frozenset(
    {
        Reason.NOT_CONNECTED,
        Reason.NOT_BUILT,
        Reason.NOT_ASKED,
        Reason.DASHBOARD_ONLY,
        Reason.PORT_BLOCKED,
        Reason.DENIED,
        Reason.NO_TOOL,
    }
)


def effective(
    item: Item, seen: Seen | None, said: Said | None, waived: Waived | None, now: datetime
) -> Effective:
    """The one rule.  A machine's pass or fail decides; a waiver sets a fail, warning or gap aside until its
    end; a person's answer counts where the machine could not tell, never over a fail that is newer."""
    ended = said is not None and _contradicted(seen, said)
    if seen is not None and seen.status is Status.PASS:
        return Effective(State.MET, By.MACHINE, seen.since)
    if waived is not None and (waived.until is None or waived.until > now):
        state = State.NOT_APPLICABLE if waived.kind == "not_applicable" else State.ACCEPTED
        return Effective(state, By.PERSON, waived.at)
    if seen is not None:
        decided = _by_machine(seen, ended)
        if decided is not None:
            return decided
    expired = said is not None and said.until <= now
    if said is not None and item.takes_answers and not expired and not ended:
        return Effective(State.MET if said.met else State.NOT_MET, By.PERSON, said.at)
    since = seen.since if seen is not None else None
    state = State.NEEDS_YOU if _asks_a_person(item, seen) else State.COULD_NOT_CHECK
    return Effective(state, By.NOBODY, since, answer_expired=expired, answer_ended=ended)


def _by_machine(seen: Seen, ended: bool) -> Effective | None:
    if seen.status is Status.FAIL:
        return Effective(State.NOT_MET, By.MACHINE, seen.since, answer_ended=ended)
    if seen.status is Status.WARN and seen.code != NEEDS_ANSWER:
        return Effective(State.WARNING, By.MACHINE, seen.since, answer_ended=ended)
    if seen.status is Status.NOT_APPLICABLE:
        return Effective(State.NOT_APPLICABLE, By.MACHINE, seen.since)
    return None


def _contradicted(seen: Seen | None, said: Said) -> bool:
    """True when the machine saw a fail after the answer, and has not seen a pass since."""
    if seen is None:
        return False
    if seen.status is Status.FAIL and seen.since > said.at:
        return True
    return seen.settled == "fail" and seen.settled_since is not None and seen.settled_since > said.at


def _asks_a_person(item: Item, seen: Seen | None) -> bool:
    if not item.takes_answers:
        return False
    if seen is None or seen.status in {Status.MANUAL, Status.WARN}:
        return True
    # An unknown with a code of the item's own explains what only the admin knows.
    return seen.status is Status.UNKNOWN and (bool(seen.code) or seen.reason in _NO_WAY_TO_LOOK)
