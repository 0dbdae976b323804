"""What is settled about one item, and when that changed: a pure state machine.

A single look proves little: networks drop packets, servers restart.  So what was settled moves from met to
not met (or back) only when a second look, begun at least `confirm_after` later on fresh connections and
judged by the same rules, says the same.  Until then it is a candidate.  Looks that saw nothing move nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from checks.model import Status

CANDIDATE_LIFE = timedelta(hours=48)
DEFINITE = frozenset({Status.PASS, Status.WARN, Status.FAIL})

# How bad a status is.  For most items a warning is a shade of met; a certificate that should have been
# renewed by now is news while there is still time to act.
_BADNESS = {Status.PASS: 0, Status.WARN: 0, Status.FAIL: 1}
_BADNESS_STRICT = {Status.PASS: 0, Status.WARN: 1, Status.FAIL: 2}
STRICT_ITEMS = frozenset({"tls.certificate_lasts"})


class Kind(StrEnum):
    """Kinds of change.  Only REGRESSED, and RECOVERED after it, are mailed."""

    FIRST = "first"
    REGRESSED = "regressed"
    RECOVERED = "recovered"
    REJUDGED = "rejudged"


@dataclass(frozen=True, slots=True)
class State:
    """What is known of one item.  `settled` and `candidate` are pass, warn, fail or "" (none yet)."""

    settled: str = ""
    settled_since: datetime | None = None
    candidate: str = ""
    candidate_since: datetime | None = None
    alerted: bool = False  # an open incident that people are told of
    rules: str = ""  # version of the checks that judged `settled` and `candidate`


@dataclass(frozen=True, slots=True)
class Look:
    """One verdict: from a look that began and ended then, judged by that version of the checks."""

    status: Status
    began: datetime
    ended: datetime
    rules: str = ""


@dataclass(frozen=True, slots=True)
class Changed:
    """A change that counts.  `told`: people hear of it."""

    kind: Kind
    before: str
    after: str
    told: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """What one look brought.  `confirm_at`: when a second look may settle the candidate (None: no need)."""

    state: State
    change: Changed | None = None
    confirm_at: datetime | None = None


def settle(state: State, look: Look, confirm_after: timedelta, *, strict: bool = False) -> Step:
    """The state after `look`.  `strict` items (STRICT_ITEMS) count a warning as worse than a pass."""
    if look.status not in DEFINITE:
        return _unseen(state, look, confirm_after)
    if not state.settled:
        return Step(_settled(state, look), Changed(Kind.FIRST, "", look.status))
    if state.rules != look.rules:
        return _rejudged(state, look)
    badness: Mapping[Status, int] = _BADNESS_STRICT if strict else _BADNESS
    was, now = badness[Status(state.settled)], badness[look.status]
    if now == was:
        # As settled; a shade (pass or warn) moves at once and silently.
        since = state.settled_since if look.status == state.settled else look.ended
        calm = replace(state, candidate="", candidate_since=None)
        return Step(replace(calm, settled=look.status.value, settled_since=since))
    since = _candidate_since(state, look, badness)
    if since is None or look.began < since + confirm_after:
        return _candidate(state, look, since, confirm_after)
    return _confirmed(state, look, worse=now > was, well=now == 0)


def _unseen(state: State, look: Look, confirm_after: timedelta) -> Step:
    """Nothing moves, not even the time of a second look that is still to come."""
    if state.candidate_since is not None and look.ended < state.candidate_since + confirm_after:
        return Step(state, confirm_at=state.candidate_since + confirm_after)
    return Step(state)


def _candidate_since(state: State, look: Look, badness: Mapping[Status, int]) -> datetime | None:
    """Since when the same is suspected; None for a new suspicion, and for one too old or from a clock that
    has been set back since."""
    since = state.candidate_since
    if since is None or badness[Status(state.candidate)] != badness[look.status]:
        return None
    return since if timedelta(0) <= look.ended - since <= CANDIDATE_LIFE else None


def _candidate(state: State, look: Look, since: datetime | None, confirm_after: timedelta) -> Step:
    since = since or look.ended
    waiting = replace(state, candidate=look.status.value, candidate_since=since)
    return Step(waiting, confirm_at=since + confirm_after)


def _confirmed(state: State, look: Look, *, worse: bool, well: bool) -> Step:
    before = state.settled
    after = _settled(state, look)
    if worse:
        return Step(replace(after, alerted=True), Changed(Kind.REGRESSED, before, look.status, told=True))
    if not well:  # a strict item, from fail to warning: better, and not yet good news
        return Step(after)
    return Step(
        replace(after, alerted=False), Changed(Kind.RECOVERED, before, look.status, told=state.alerted)
    )


def _rejudged(state: State, look: Look) -> Step:
    """Other rules: a difference is theirs.  It is listed and nobody is told, nor later of its end."""
    if look.status == state.settled:
        return Step(replace(state, candidate="", candidate_since=None, rules=look.rules))
    changed = Changed(Kind.REJUDGED, state.settled, look.status)
    return Step(replace(_settled(state, look), alerted=False), changed)


def _settled(state: State, look: Look) -> State:
    return State(look.status.value, look.ended, alerted=state.alerted, rules=look.rules)
