"""What is settled about one item, and when that changed: a pure state machine.

A single look proves little: networks drop packets, servers restart.  So what was settled moves from met to
not met (or back) only when a second look, begun at least `confirm_after` later on fresh connections and
judged by the same rules, says the same.  Until then it is a candidate.  Looks that saw nothing move nothing.

A confirmed fall opens an incident, its end closes it, and people hear of each once.  What falls for the third
time within a day is called flapping; then nobody hears of it until it has rested for a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from checks.model import Status

CANDIDATE_LIFE = timedelta(hours=48)
CALM_AFTER = timedelta(hours=24)  # in one state: no longer flapping
ALERTS_WITHIN, ALERTS_UNTIL_FLAPPING = timedelta(hours=24), 3
FLAPPING_NEEDS, FLAPPING_LOOKS = 3, 5  # so many of the last definite looks move what flaps
DEFINITE = frozenset({Status.PASS, Status.WARN, Status.FAIL})

# When a candidate needs its further looks, in multiples of `confirm_after` from the first sight.
ONE_LOOK = (1,)
TWO_LOOKS = (1, 3)

_ZERO = timedelta(0)


class Kind(StrEnum):
    """Kinds of change.  Only those that are `told` are mailed."""

    FIRST = "first"
    REGRESSED = "regressed"
    RECOVERED = "recovered"
    REJUDGED = "rejudged"  # other rules see it otherwise
    CLOSED = "closed"  # what failed does not apply any more
    FLAPPING = "flapping"  # regressed, and silence from here
    CALMED = "calmed"  # the end of flapping; `after` is how it came to rest
    BLIND = "blind"  # made by `record`: what was settled has not been seen for long


class Open(StrEnum):
    """Whether an incident is open, and whether people heard of it."""

    NO = ""
    UNTOLD = "untold"
    TOLD = "told"


@dataclass(frozen=True, slots=True)
class State:
    """What is known of one item.  `settled` and `candidate` are pass, warn, fail, not_applicable (of what had
    failed) or "" (none yet)."""

    settled: str = ""
    settled_since: datetime | None = None
    candidate: str = ""
    candidate_since: datetime | None = None
    confirmed: int = 0  # further looks that agreed with the candidate, where it needs several
    counted_at: datetime | None = None  # end of the last look that counted for the candidate or the window
    incident: Open = Open.NO
    alerts: tuple[datetime, ...] = ()  # the last falls that were told
    calm_at: datetime | None = None  # flapping: until when nothing may move for it to end; None: it does not
    window: str = ""  # while flapping: the last definite looks, "1" failed and "0" did not, newest last
    blind: bool = False  # while flapping: the last look saw nothing
    seen: int = 0  # number of the newest look
    rules: str = ""  # version of the checks that judged `settled` and `candidate`


@dataclass(frozen=True, slots=True)
class Look:
    """One verdict: from a look that began and ended then, judged by that version of the checks.  `number`
    grows from look to look, so that one that is told again counts once; 0 where there is none."""

    status: Status
    began: datetime
    ended: datetime
    rules: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed without a look."""

    now: datetime


@dataclass(frozen=True, slots=True)
class Changed:
    """A change that counts.  `told`: people hear of it."""

    kind: Kind
    before: str
    after: str
    told: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """What one event brought.  `confirm_at`: when a further look may settle the candidate (None: no need)."""

    state: State
    change: Changed | None = None
    confirm_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Case:
    """One look, and how it is to be taken."""

    look: Look
    confirm_after: timedelta
    falls_at: tuple[int, ...]
    quiet: bool
    heard: bool

    @property
    def ends_incident(self) -> bool:
        return self.look.status is Status.NOT_APPLICABLE

    def waits(self, status: str) -> tuple[timedelta, ...]:
        """When a candidate is to be looked at again, from its first sight."""
        return tuple(self.confirm_after * n for n in (self.falls_at if _bad(status) else ONE_LOOK))


def settle(
    state: State,
    event: Look | Tick,
    confirm_after: timedelta,
    *,
    falls_at: Sequence[int] = ONE_LOOK,
    quiet: bool = False,
    heard: bool = False,
) -> Step:
    """The state after `event`.  `falls_at`: which further looks a fall needs.  `quiet`: nobody is to hear of
    it, now or of its end.  `heard`: people are told of the fall by other news, from which alone it follows:
    it needs no further look and no word, and they hear of its end."""
    if isinstance(event, Tick):
        return _ticked(state, event.now, quiet)
    if event.number and event.number <= state.seen:
        return Step(state)
    state = replace(state, seen=event.number or state.seen)
    return _looked(state, _Case(event, confirm_after, tuple(falls_at), quiet, heard))


def _ticked(state: State, now: datetime, quiet: bool) -> Step:
    """What could not be seen at the last look has not rested: its day begins anew."""
    if state.calm_at is None or now < state.calm_at:
        return Step(state)
    if state.blind:
        return Step(replace(state, calm_at=now + CALM_AFTER))
    return _calmed(state, quiet)


def _looked(state: State, case: _Case) -> Step:
    look = case.look
    if look.status not in DEFINITE and not (case.ends_incident and state.incident):
        return _unseen(state, case)
    if state.calm_at is not None:
        return _flapping(state, case, state.calm_at)
    if not state.settled:
        return Step(_settled(state, look), Changed(Kind.FIRST, "", look.status))
    if state.rules != look.rules:
        return _rejudged(state, case)
    if _bad(look.status) == _bad(state.settled):
        return Step(_as_settled(state, look))
    return _contrary(state, case)


def _bad(status: str) -> bool:
    """A warning is a shade of met."""
    return status == Status.FAIL


def _unseen(state: State, case: _Case) -> Step:
    """Nothing moves, not even the times of the looks that are still to come."""
    state = replace(state, blind=state.calm_at is not None)
    since, ended = state.candidate_since, case.look.ended
    if since is None or since > ended:
        return Step(state)
    waits = case.waits(state.candidate)[state.confirmed :]
    return Step(state, confirm_at=next((since + wait for wait in waits if since + wait > ended), None))


def _as_settled(state: State, look: Look) -> State:
    """No candidate any more; a shade of met moves at once and silently."""
    since = state.settled_since if look.status == state.settled else look.ended
    return replace(_without_candidate(state), settled=look.status.value, settled_since=since)


def _without_candidate(state: State) -> State:
    counted_at = state.counted_at if state.calm_at is not None else None
    return replace(state, candidate="", candidate_since=None, confirmed=0, counted_at=counted_at)


def _contrary(state: State, case: _Case) -> Step:
    """A look that says otherwise: the first of a kind makes a candidate, the last that is needed settles."""
    look = case.look
    if case.heard and _bad(look.status):
        incident = Open.UNTOLD if case.quiet else Open.TOLD
        fallen = replace(_settled(state, look), incident=incident)
        return Step(fallen, Changed(Kind.REGRESSED, state.settled, look.status))
    waits = case.waits(look.status)
    if not _suspected(state, look):
        return _candidate(state, look, look.ended, 0, look.ended + waits[0])
    since, counted_at = state.candidate_since, state.counted_at
    assert since is not None
    assert counted_at is not None
    due = max(since + waits[state.confirmed], counted_at + case.confirm_after)
    if look.began < due:
        waiting = replace(state, candidate=look.status.value)
        return Step(waiting, confirm_at=due)
    done = state.confirmed + 1
    if done < len(waits):
        return _candidate(state, look, since, done, max(since + waits[done], look.ended + case.confirm_after))
    return _confirmed(state, case)


def _suspected(state: State, look: Look) -> bool:
    """Whether the same is suspected already: not too long ago, and not by a clock that was set back since."""
    since, counted_at = state.candidate_since, state.counted_at
    if since is None or counted_at is None or _side(state.candidate) != _side(look.status):
        return False
    return since <= counted_at <= look.ended <= since + CANDIDATE_LIFE


def _side(status: str) -> str:
    return Status.PASS if status == Status.WARN else status


def _candidate(state: State, look: Look, since: datetime, confirmed: int, due: datetime) -> Step:
    waiting = replace(
        state,
        candidate=look.status.value,
        candidate_since=since,
        confirmed=confirmed,
        counted_at=look.ended,
    )
    return Step(waiting, confirm_at=due)


def _confirmed(state: State, case: _Case) -> Step:
    before, look = state.settled, case.look
    if _bad(look.status):
        return _fallen(state, case)
    ended = _settled(state, look)
    if case.ends_incident:
        return Step(ended, Changed(Kind.CLOSED, before, look.status))
    told = state.incident is Open.TOLD and not case.quiet
    return Step(ended, Changed(Kind.RECOVERED, before, look.status, told))


def _fallen(state: State, case: _Case) -> Step:
    before, look = state.settled, case.look
    after = _settled(state, look)
    if case.quiet:
        return Step(replace(after, incident=Open.UNTOLD), Changed(Kind.REGRESSED, before, look.status))
    alerts = (*(at for at in state.alerts if _ZERO <= look.ended - at < ALERTS_WITHIN), look.ended)
    after = replace(after, incident=Open.TOLD, alerts=alerts)
    if len(alerts) < ALERTS_UNTIL_FLAPPING:
        return Step(after, Changed(Kind.REGRESSED, before, look.status, told=True))
    after = replace(after, calm_at=look.ended + CALM_AFTER, counted_at=look.ended)
    return Step(after, Changed(Kind.FLAPPING, before, look.status, told=True))


def _flapping(state: State, case: _Case, calm_at: datetime) -> Step:
    """Moves are listed and nobody hears of them; the incident stays open over all of them."""
    look = case.look
    if state.rules != look.rules:  # what other rules said does not count
        state = replace(state, rules=look.rules, window="")
    contrary = _bad(look.status) != _bad(state.settled)
    latest = look.ended + CALM_AFTER  # no later, though the clock may have been set back
    state = replace(state, blind=False, calm_at=latest if contrary else min(calm_at, latest))
    if not contrary and not case.ends_incident:
        state = _as_settled(state, look)
    if not contrary and look.ended >= calm_at:
        return _calmed(state, case.quiet)
    counted_at = state.counted_at
    if counted_at is not None and look.began < counted_at + case.confirm_after and counted_at <= look.ended:
        return Step(state, confirm_at=counted_at + case.confirm_after if contrary else None)
    mark = "1" if _bad(look.status) else "0"
    state = replace(state, window=(state.window + mark)[-FLAPPING_LOOKS:], counted_at=look.ended)
    if not contrary:
        return Step(state)
    if state.window.count(mark) < FLAPPING_NEEDS:
        return Step(state, confirm_at=look.ended + case.confirm_after)
    kind = Kind.REGRESSED if _bad(look.status) else Kind.CLOSED if case.ends_incident else Kind.RECOVERED
    moved = replace(state, settled=look.status.value, settled_since=look.ended, window="")
    return Step(moved, Changed(kind, state.settled, look.status))


def _calmed(state: State, quiet: bool) -> Step:
    """A day in one state.  The last that people heard is that it fails; what does not apply ends silently."""
    rested = replace(state, alerts=(), calm_at=None, window="")
    if _bad(state.settled):
        return Step(_without_candidate(rested), Changed(Kind.CALMED, Status.FAIL, state.settled))
    told = state.incident is Open.TOLD and not quiet and state.settled != Status.NOT_APPLICABLE
    rested = replace(_without_candidate(rested), incident=Open.NO)
    return Step(rested, Changed(Kind.CALMED, Status.FAIL, state.settled, told))


def _rejudged(state: State, case: _Case) -> Step:
    """Other rules: a difference is theirs.  It is listed and nobody is told, nor later of its end.  What the
    old rules suspected too is the server's doing, and stays a candidate under the new ones."""
    look = case.look
    if look.status == state.settled:
        return Step(replace(_without_candidate(state), rules=look.rules))
    if _suspected(state, look):
        due = look.ended + case.confirm_after
        return _candidate(replace(state, rules=look.rules), look, look.ended, 0, due)
    return Step(_settled(state, look), Changed(Kind.REJUDGED, state.settled, look.status))


def _settled(state: State, look: Look) -> State:
    """What begins with `look`: no candidate, no incident, no flapping."""
    return State(
        look.status.value,
        look.ended,
        alerts=state.alerts,
        seen=state.seen,
        rules=look.rules,
    )
