"""What comes to its end on each instance, and who is told of it 90, 30 and 7 days ahead.

Each end stands in a row of its own, counted anew once a day and whenever parts or dates change.  A row that
reached a step of which nobody heard waits for the next morning; whoever takes it out of waiting tells, so
that any number of clocks tell once, and one mail names all that waited.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from checks.data.support import Tables
from fedisec.alerts.models import MailKind
from fedisec.alerts.notices import tell
from fedisec.alerts.recipients import Recipient, of_instance
from fedisec.instances.models import Instance
from fedisec.watch import lifecycles, stock, telling
from fedisec.watch.parts import Kind, Part, from_json, title_of
from fedisec.watch.placing import EndKind, Placed, Standing, placed
from fedisec.watch.stock_models import Ending, Stock

STEPS = (90, 30, 7)  # days ahead
AHEAD = timedelta(days=STEPS[0])
BEHIND = timedelta(days=30)  # so long after its end something is still shown as coming to it
MOVED = timedelta(days=7)  # an end that moves by less is the same end
BATCH = 50  # instances of one round
TELL_BATCH = 500  # ends of one round
_TOLD_OF = frozenset({EndKind.REGULAR, EndKind.LONG_TERM})  # whether somebody pays cannot be seen


@dataclass(frozen=True, slots=True)
class Found:
    """One end, as the tables of a day have it."""

    product: str
    branch: str
    support: str
    version: str
    day: date | None
    goes_to: str

    @property
    def key(self) -> tuple[str, str, str]:
        return self.product, self.branch, self.support


def found_in(parts: Sequence[Part], known: Tables, today: date) -> dict[tuple[str, str, str], Found]:
    """What an admin is to know of ahead, each once.  Left out: what the distribution keeps up, what the
    fediverse software brings along, what strangers are told, and releases that no table names."""
    found: dict[tuple[str, str, str], Found] = {}
    for one in placed(parts, known, today):
        for end in _ends_of(one):
            found.setdefault(end.key, end)
    return found


def _ends_of(one: Placed) -> Iterable[Found]:
    part, support = one.part, one.support
    if not support.branch or support.standing in {Standing.FOLLOWS, Standing.COMES, Standing.UNKNOWN}:
        return
    of_distribution = part.kind is Kind.PROGRAM and part.source.value == "distribution"
    if of_distribution:
        return
    rows: list[tuple[EndKind, date | None]]
    rows = [(end.kind, end.day) for end in support.ends if end.kind in _TOLD_OF]
    for kind, day in rows or [(EndKind.REGULAR, None)]:
        yield Found(
            part.name[:60], support.branch[:40], kind.value, part.version[:60], day, support.goes_to[:60]
        )


# Counting


def tick(now: datetime) -> None:
    """One round of a clock; a few indexed queries when nothing is to be done."""
    stock.end_old(now)
    stock.refresh()
    if place(now) < BATCH:
        slot = telling.morning(now)
        while _tell_waiting(slot, now) == TELL_BATCH:
            pass


def place(now: datetime) -> int:
    """Counts the ends of a batch of instances that were not counted today.  Returns how many."""
    today = _today(now)
    behind = Stock.objects.filter(Q(placed_on=None) | ~Q(placed_on=today), instance__demo=False)
    batch = list(behind.order_by("placed_on", "pk")[:BATCH])
    if batch:
        known = lifecycles.tables_now()
        for one in batch:
            place_one(one, known, today, now)
    return len(batch)


def _today(now: datetime) -> date:
    return now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()


def place_one(one: Stock, known: Tables, today: date, now: datetime) -> None:
    """Brings the rows of an instance up to its parts and to `known`."""
    with transaction.atomic():
        mine = Stock.objects.select_for_update().filter(pk=one.pk).first()
        if mine is None:
            return
        found = found_in(from_json(mine.parts), known, today)
        rows = {(row.product, row.branch, row.support): row for row in Ending.objects.filter(instance=one.pk)}
        since = now if mine.placed_on is None else _midnight(today)
        for key, end in found.items():
            row = rows.pop(key, None) or Ending(
                instance_id=one.pk, product=end.product, branch=end.branch, support=end.support
            )
            _bring_up(row, end, today, since, now)
        gone = [row.pk for row in rows.values() if row.live]
        Ending.objects.filter(pk__in=gone).update(live=False, waits_since=None, waits_step=0)
        Stock.objects.filter(pk=one.pk).update(placed_on=today)


def _midnight(today: date) -> datetime:
    return datetime.combine(today, time(), tzinfo=ZoneInfo(settings.TIME_ZONE))


def _bring_up(row: Ending, end: Found, today: date, since: datetime, now: datetime) -> None:
    """Stores what changed.  An end that moved by MOVED or more begins anew: its steps are told again, not
    sooner than that after the last word."""
    before = (row.version, row.day, row.goes_to, row.live, row.step, row.waits_step)
    row.version, row.day, row.goes_to, row.live = end.version, end.day, end.goes_to, True
    moved = row.told_day is not None and end.day is not None and abs(end.day - row.told_day) >= MOVED
    if moved and now - (row.told_at or now - MOVED) >= MOVED:
        row.step = 0
    step = step_of(end.day, today)
    row.waits_step = step if step and (row.step == 0 or step < row.step) else 0
    if row.waits_step == 0:
        row.waits_since = None
    elif row.waits_since is None or before[5] != row.waits_step:
        row.waits_since = since
    after = (row.version, row.day, row.goes_to, row.live, row.step, row.waits_step)
    if row._state.adding or before != after:
        row.save()


def step_of(day: date | None, today: date) -> int:
    """The last of STEPS that was reached; 0 before the first, after the end, and where no end is known."""
    if day is None or day < today:
        return 0
    return min((step for step in STEPS if day - today <= timedelta(days=step)), default=0)


# Telling


def _tell_waiting(slot: datetime, now: datetime) -> int:
    """In the morning, of all that began to wait before it."""
    waiting = Ending.objects.filter(waits_since__lte=slot).order_by("pk")
    keys = list(waiting.values_list("pk", flat=True)[:TELL_BATCH])
    if not keys:
        return 0
    with transaction.atomic():
        theirs = Ending.objects.filter(pk__in=keys, instance__demo=False, instance__paused=False)
        rows = list(theirs.select_related("instance").order_by("day", "pk"))
        mine = Ending.objects.filter(pk__in=keys, waits_since__isnull=False)
        told = mine.update(
            step=F("waits_step"), told_day=F("day"), told_at=now, waits_step=0, waits_since=None
        )
        if told != len(keys):
            transaction.set_rollback(True)  # another clock is at it
            return 0
        _tell(rows, now)
    return len(keys)


def _tell(rows: Sequence[Ending], now: datetime) -> None:
    """One notice for each recipient, with all ends of all instances that they hear of."""
    recipients: dict[str, Recipient] = {}
    theirs: dict[str, list[Ending]] = defaultdict(list)
    by_instance: dict[int, list[Ending]] = defaultdict(list)
    for row in rows:
        by_instance[row.instance_id].append(row)
    for pk, mine in by_instance.items():
        for recipient in of_instance(pk):
            recipients[recipient.key] = recipient
            theirs[recipient.key] += mine
    for key, recipient in recipients.items():
        named = sorted(theirs[key], key=lambda row: (row.day or date.max, row.product, row.pk))
        instances = {row.instance_id for row in named}
        tell(
            MailKind.NEWS,
            f"ends {named[0].pk} {now.isoformat()}",
            [recipient],
            now,
            instance_id=instances.pop() if len(instances) == 1 else None,
            data={"kind": "ends", "ends": data_of(named)},
        )


def data_of(rows: Iterable[Ending]) -> list[dict[str, object]]:
    """[{product, branch, support, day (ISO 8601), goes_to, instances: [{domain, version}]}, …], each end
    once with all instances that it is about."""
    found: dict[tuple[object, ...], dict[str, object]] = {}
    for row in rows:
        key = (row.product, row.branch, row.support, row.day)
        one = found.setdefault(
            key,
            {
                "product": title_of(row.product),
                "branch": row.branch,
                "support": row.support,
                "day": row.day.isoformat() if row.day else "",
                "goes_to": row.goes_to,
                "instances": [],
            },
        )
        named = one["instances"]
        if isinstance(named, list):
            named.append({"domain": row.instance.domain, "version": row.version})
    return list(found.values())


# Showing


@dataclass(frozen=True, slots=True)
class Coming:
    """An end that is near, or that came lately.  `days`: from today."""

    title: str
    branch: str
    version: str
    support: str
    day: date
    days: int
    goes_to: str


def coming(instances: Sequence[Instance], now: datetime) -> Mapping[int, list[Coming]]:
    """instance -> what ends within 90 days, or ended in the last 30, the nearest first.  One query."""
    today = _today(now)
    found: dict[int, list[Coming]] = defaultdict(list)
    for row in _near(today).filter(instance__in=instances).order_by("day", "product", "pk"):
        day = row.day
        if day is None:
            continue
        found[row.instance_id].append(
            Coming(
                title_of(row.product),
                row.branch,
                row.version,
                row.support,
                day,
                (day - today).days,
                row.goes_to,
            )
        )
    return found


def of_week(instances: Sequence[Instance], now: datetime) -> dict[int, list[list[str]]]:
    """instance -> [product, branch, support, day (ISO 8601), goes to] of what ends in the next 30 days, or
    ended in the last seven; for the digest."""
    return {
        pk: [[one.title, one.branch, one.support, one.day.isoformat(), one.goes_to] for one in mine]
        for pk, found in coming(instances, now).items()
        if (mine := [one for one in found if -7 <= one.days <= STEPS[1]])
    }


def _near(today: date) -> QuerySet[Ending]:
    return Ending.objects.filter(live=True, day__gte=today - BEHIND, day__lte=today + AHEAD)
