"""The weekly digest: for each person at their day and hour, also when nothing changed.

A digest belongs to the ISO week of its day in the person's own time zone, and the table takes one of a week:
neither summer time, a clock that jumps, nor another day chosen in mid-week makes a second one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, Min, OuterRef, Q, QuerySet

from fedisec.accounts.models import Membership, User
from fedisec.alerts.confirming import may_be_mailed
from fedisec.alerts.models import MailKind, Notice, Subscription
from fedisec.alerts.recipients import wishes_of
from fedisec.alerts.week import Period, told_of, weeks_of
from fedisec.history.standing import latest
from fedisec.instances.models import Instance

BATCH = 50  # people of one round; the rest comes in the next, seconds later
_ASKED_AT_ONCE = 500
COUNTED_HERE = 20  # instances whose counts a round makes anew …
WAIT = timedelta(hours=1)  # … for so long; then all of them
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Slot:
    """When a digest is due.  `day`: in the person's time zone."""

    at: datetime
    day: date

    @property
    def week(self) -> str:
        """As "2026-W47"."""
        year, week, _ = self.day.isocalendar()
        return f"{year}-W{week:02}"


def last_slot(now: datetime, zone: ZoneInfo, day: int, hour: int) -> Slot:
    """The newest one that is not ahead.  An hour that a night skips is taken at its end, one that a night has
    twice the first time."""
    here = now.astimezone(zone).date()
    date = here - timedelta(days=(here.weekday() - day) % 7)
    slot = _slot(date, zone, hour)
    return slot if slot.at <= now else _slot(date - WEEK, zone, hour)


def _slot(day: date, zone: ZoneInfo, hour: int) -> Slot:
    return Slot(datetime.combine(day, time(hour), tzinfo=zone).astimezone(UTC), day)


def tick(now: datetime) -> None:
    """Stores the digests that are due, BATCH at most.  Safe to run twice and beside others."""
    by_slot: dict[Slot, list[int]] = defaultdict(list)
    for user_id, slot in _due(now)[:BATCH]:
        by_slot[slot].append(user_id)
    for slot, people in by_slot.items():
        heard = _heard(people)
        if now - slot.at > WAIT or not _is_counting({pk for pks in heard.values() for pk in pks}, now):
            _store(people, heard, slot, now)


def _is_counting(instances: set[int], now: datetime) -> bool:
    """Whether more counts are out of date than a round should make; after an upgrade all of them are, and the
    clock makes them anew within minutes."""
    places = [Instance(pk=pk) for pk in instances]
    return len(places) - len(latest(places, now)) > COUNTED_HERE


def skip_past(user: User, now: datetime) -> None:
    """Whoever chooses another day or hour, or wants a digest from now on, waits for the next one."""
    wishes = wishes_of(user)
    slot = last_slot(now, wishes.zone, wishes.digest_day, wishes.digest_hour)
    passed = _notice(user.pk, slot, now)
    passed.dropped_at, passed.dropped_why = now, "chosen later"
    Notice.objects.bulk_create([passed], ignore_conflicts=True)


def _due(now: datetime) -> list[tuple[int, Slot]]:
    """Who has none of the week yet, and heard of an instance before it was due."""
    here = cache(lambda zone, day, hour: last_slot(now, zone, day, hour))
    people = may_be_mailed(User.objects.filter(is_active=True)).select_related("preference")
    wanting = {}
    for user in people.filter(Q(preference=None) | Q(preference__digest=True)).order_by("pk"):
        wishes = wishes_of(user)
        slot = here(wishes.zone, wishes.digest_day, wishes.digest_hour)
        wanting[_about(user.pk, slot)] = (user.pk, slot)
    told = Notice.objects.filter(kind=MailKind.DIGEST.value)
    for part in _parts(list(wanting)):
        for about in told.filter(about__in=part).values_list("about", flat=True):
            del wanting[about]
    since: dict[int, datetime] = {}
    for users in _parts([user_id for user_id, _ in wanting.values()]):
        first = _subscriptions().filter(user__in=users).values_list("user").annotate(Min("created_at"))
        since.update(first.order_by())
    return [due for due in wanting.values() if due[0] in since and since[due[0]] <= due[1].at]


P = TypeVar("P", str, int)


def _parts(keys: Sequence[P]) -> Iterator[Sequence[P]]:
    """As many as one question may name."""
    for start in range(0, len(keys), _ASKED_AT_ONCE):
        yield keys[start : start + _ASKED_AT_ONCE]


def _subscriptions() -> QuerySet[Subscription]:
    """Of people to instances that are still theirs to see."""
    member = Membership.objects.filter(user=OuterRef("user"), team=OuterRef("instance__team"))
    return Subscription.objects.filter(Exists(member), instance__demo=False)


def _store(people: Sequence[int], heard: Mapping[int, list[int]], slot: Slot, now: datetime) -> None:
    """One transaction for everybody whose week ends at the same moment."""
    period = Period(slot.at - WEEK, slot.at)
    with transaction.atomic():
        instances = Instance.objects.in_bulk({pk for pks in heard.values() for pk in pks})
        weeks = weeks_of(list(instances.values()), period, now)
        notices = []
        for user_id in people:
            mine = [weeks[pk] for pk in heard.get(user_id, ()) if pk in weeks]
            if mine:
                notice = _notice(user_id, slot, now)
                notice.data = {"week": slot.week, **told_of(mine, period)}
                notices.append(notice)
        Notice.objects.bulk_create(notices, ignore_conflicts=True)


def _heard(people: Sequence[int]) -> Mapping[int, list[int]]:
    """person -> the instances that they hear of."""
    found: dict[int, list[int]] = defaultdict(list)
    rows = _subscriptions().filter(user__in=people)
    for user_id, instance_id in rows.values_list("user", "instance"):
        found[user_id].append(instance_id)
    return found


def _about(user_id: int, slot: Slot) -> str:
    return f"{user_id} {slot.week}"


def _notice(user_id: int, slot: Slot, now: datetime) -> Notice:
    return Notice(kind=MailKind.DIGEST.value, about=_about(user_id, slot), user_id=user_id, created_at=now)
