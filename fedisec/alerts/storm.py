"""The brake for a storm: many servers that fall in the same way at once.  That may be a hoster, or something
between them and us, so all of them are looked at again before anybody is told.

Each change in the outbox is weighed once, before it may be collected: let through (`held_until` is then), or
held for an hour at most.  What is held is looked at again five and fifteen minutes after the storm began;
then what is still so is let through together, and what has healed is dropped, its recovery with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import DateTimeField, Max, QuerySet, Value
from django.db.models.functions import Least

from fedisec.instances.models import Instance
from fedisec.scans import outlook
from fedisec.scans.models import ITEM, LIVE, REACH, Change, Incident, ItemState, Reach, Scan, ScanState
from fedisec.scans.queue import queue_scan
from fedisec.scans.settle import Kind

WITHIN = timedelta(minutes=10)
AT_LEAST, SHARE = 5, 0.2  # more than either: a storm
LOOK_AGAIN = (timedelta(minutes=5), timedelta(minutes=15))
HOLD = timedelta(hours=1)  # then it is told, looked at again or not
PATCHY_MAX = timedelta(hours=2)  # so long a storm is not believed while anchors are missing
SUSPECTED_FOR = timedelta(minutes=30)  # the second look at a silent server comes a quarter of an hour later
BATCH = 500

# Without what was seen, which may be long.
_FIELDS = (
    "instance_id",
    "scan_id",
    "item_id",
    "kind",
    "code",
    "created_at",
    "held_until",
    "incident__closed_at",
)
_SETTLED = ("instance_id", "settled", "candidate", "candidate_since")
ENDED = (ScanState.DONE, ScanState.FAILED)


@dataclass(frozen=True, slots=True)
class Way:
    """How a server changed.  The code does not count where it does not answer at all."""

    item_id: str
    code: str = ""

    @classmethod
    def of(cls, item_id: str, code: str) -> Way:
        return cls(item_id, "" if item_id == REACH else code)


@dataclass(frozen=True, slots=True)
class Fall:
    """One server that fell lately, or is suspected to.  `pk`: of the change that waits to be weighed, if one
    does."""

    instance_id: int
    way: Way
    pk: int | None = None


def held(
    falls: Iterable[Fall], fine: Mapping[str, int], now: datetime, storms: Mapping[Way, datetime]
) -> dict[int, datetime]:
    """Which of the waiting changes are held, and until when.  `fine`: item -> servers where it was met
    before; `storms`: the ends of those that are on, which further changes of their kind join."""
    ways: dict[Way, list[Fall]] = defaultdict(list)
    for fall in falls:
        ways[fall.way].append(fall)
    ends = dict(storms)
    for way, those in ways.items():
        if len({fall.instance_id for fall in those}) > max(AT_LEAST, SHARE * fine.get(way.item_id, 0)):
            ends.setdefault(way, now + HOLD)
    return {fall.pk: end for way, end in ends.items() for fall in ways.get(way, ()) if fall.pk is not None}


def tick(now: datetime) -> None:
    """Weighs what is new in the outbox, and moves the storms that are on."""
    waiting = Change.objects.filter(processed_at=None).select_related("incident").order_by("pk")
    changes = list(waiting.only(*_FIELDS))
    if not changes:
        return
    _drop_healed(changes, now)
    storms = _storms(changes, now)
    new = [change for change in changes if change.held_until is None]
    if new:
        _weigh(new, {way: _end(rows) for way, rows in storms.items()}, now)
    if storms:
        _move(storms, now)


def _was_held(change: Change) -> bool:
    """What is let through at once gets no time later than its own."""
    return change.held_until is not None and change.held_until > change.created_at


def _is_over(change: Change) -> bool:
    return change.incident is not None and change.incident.closed_at is not None


def _drop_healed(changes: list[Change], now: datetime) -> None:
    """What was held and is over needs no word, and neither does its end: nobody was told.  Both leave the
    list."""
    healed = {
        change.incident_id
        for change in changes
        if change.kind == Kind.REGRESSED and _was_held(change) and _is_over(change)
    }
    dropped = [change.pk for change in changes if change.incident_id in healed]
    _update(dropped, processed_at=now)
    changes[:] = [change for change in changes if change.incident_id not in healed]


def _update(keys: Sequence[int], **fields: datetime | Least) -> None:
    """Of changes that are still in the outbox.  A database takes only so many keys at a time."""
    for start in range(0, len(keys), BATCH):
        batch = keys[start : start + BATCH]
        Change.objects.filter(pk__in=batch, processed_at=None).update(**fields)


def _storms(changes: Iterable[Change], now: datetime) -> dict[Way, list[Change]]:
    storms: dict[Way, list[Change]] = defaultdict(list)
    for change in changes:
        if change.held_until is not None and change.held_until > now:
            storms[Way.of(change.item_id, change.code)].append(change)
    return storms


def _end(rows: Iterable[Change]) -> datetime:
    return max(change.held_until for change in rows if change.held_until is not None)


# Weighing.


def _weigh(new: Sequence[Change], storms: Mapping[Way, datetime], now: datetime) -> None:
    """Each new change gets its `held_until`; what is no fall is let through at once."""
    falls = [
        Fall(change.instance_id, Way.of(change.item_id, change.code), change.pk)
        for change in new
        if change.kind == Kind.REGRESSED
    ]
    ends: dict[int, datetime] = {}
    if falls:
        items = {fall.way.item_id for fall in falls}
        others, fine = _falls_elsewhere(items, now)
        ends = held([*falls, *others], fine, now, storms)
    for end in set(ends.values()):
        _update([pk for pk, its_end in ends.items() if its_end == end], held_until=end)
    free = [change.pk for change in new if change.pk not in ends]
    _update(free, held_until=Least("created_at", Value(now, DateTimeField())))


def _falls_elsewhere(items: Collection[str], now: datetime) -> tuple[list[Fall], dict[str, int]]:
    """Further servers that fell in these items lately or are suspected to (a second look is under way), and
    item -> servers where it was met before.  Only of servers that were looked at lately: what share of those
    fell says what goes on, however many others have their turn tomorrow."""
    since = now - SUSPECTED_FOR - timedelta(seconds=settings.CONFIRM_AFTER_S)
    looked_at = Reach.objects.filter(seen_at__gt=since).only(*_SETTLED)
    opened = Incident.objects.filter(item_id__in=items, opened_at__gt=now - WITHIN, closed_at=None)
    fallen = set(opened.values_list("instance_id", "item_id"))
    falls, fine = [], dict.fromkeys(items, 0)
    for state in (*_states(items, looked_at), *(looked_at if REACH in items else ())):
        way = Way(state.item_id, state.code) if isinstance(state, ItemState) else Way(REACH)
        falls_now = (state.instance_id, way.item_id) in fallen or _is_suspected(state, since)
        fine[way.item_id] += falls_now or state.settled in {"pass", "warn"}
        if falls_now:
            falls.append(Fall(state.instance_id, way))
    return falls, fine


def _states(items: Collection[str], among: QuerySet[Reach]) -> QuerySet[ItemState]:
    found = ItemState.objects.filter(item_id__in=items, instance__in=among.values("instance"))
    return found.only("item_id", "code", *_SETTLED)


def _is_suspected(state: ItemState | Reach, since: datetime) -> bool:
    return state.candidate == "fail" and state.candidate_since is not None and state.candidate_since > since


# While a storm is on.


def _move(storms: Mapping[Way, Sequence[Change]], now: datetime) -> None:
    """Looks again when it is time, and lets through what is so still, all of a storm together."""
    if _may_be_ours(storms, now):
        # The hour, and with it both looks, begins anew: what was seen meanwhile may be our own fault.
        _hold_on([change for rows in storms.values() for change in rows], now)
        return
    seen = _seen(storms, now)
    late: set[int] = set()
    for rows in storms.values():
        began = _end(rows) - HOLD
        looks = [began + pause for pause in LOOK_AGAIN if began + pause <= now]
        unseen = {change.instance_id for change in rows if looks and not seen.since(change, looks[-1])}
        open_still = unseen | {change.instance_id for change in rows if seen.doubts(change)}
        if len(looks) == len(LOOK_AGAIN) and not open_still:
            _update([change.pk for change in rows], held_until=now)
        late |= unseen
    _look_again(late, now)


def _may_be_ours(storms: Mapping[Way, Sequence[Change]], now: datetime) -> bool:
    blind = outlook.blind(now)
    if blind is not None and blind.everywhere:
        return True
    began = min(change.created_at for rows in storms.values() for change in rows)
    return now < began + PATCHY_MAX and outlook.is_patchy(now)


def _hold_on(changes: Iterable[Change], now: datetime) -> None:
    """Once a minute is often enough."""
    soon = now + HOLD - timedelta(minutes=1)
    keys = [change.pk for change in changes if change.held_until is not None and change.held_until < soon]
    _update(keys, held_until=now + HOLD)


@dataclass(frozen=True, slots=True)
class _Seen:
    """When the last look at each server began, and what a second look has yet to settle."""

    began: Mapping[int, datetime]
    doubted: Collection[tuple[int, str]]

    def since(self, change: Change, moment: datetime) -> bool:
        began = self.began.get(change.instance_id)
        return began is not None and began >= moment

    def doubts(self, change: Change) -> bool:
        """The last look said otherwise, and another one is to confirm it."""
        return (change.instance_id, change.item_id) in self.doubted


def _seen(storms: Mapping[Way, Sequence[Change]], now: datetime) -> _Seen:
    """Of all servers that have something held."""
    having = Change.objects.filter(processed_at=None, held_until__gt=now).values("instance")
    first = min(change.scan_id for rows in storms.values() for change in rows)
    looks = Scan.objects.filter(pk__gt=first, instance__in=having, state__in=ENDED).exclude(reason=ITEM)
    reach = Reach.objects.filter(instance__in=having)
    states = _states({way.item_id for way in storms}, reach)
    doubted = {(state.instance_id, state.item_id) for state in states.exclude(candidate="")}
    doubted |= {(pk, REACH) for pk in reach.exclude(candidate="").values_list("pk", flat=True)}
    last = looks.order_by().values_list("instance").annotate(Max("started_at"))
    return _Seen({pk: began for pk, began in last if began is not None}, doubted)


def _look_again(instances: Collection[int], now: datetime) -> None:
    """Second looks for those that have none coming, some at each round of the clock."""
    if not instances:
        return
    coming = set(Scan.objects.filter(state__in=LIVE).values_list("instance", flat=True))
    some = sorted(set(instances) - coming)[:BATCH]
    for instance in Instance.objects.filter(pk__in=some, paused=False):
        queue_scan(instance, "confirm", now=now)
