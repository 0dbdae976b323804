"""The weekly digest: for each person at their day and hour, also when nothing changed.

A digest belongs to the ISO week of its day in the person's own time zone, and the table takes one of a week:
neither summer time, a clock that jumps, nor another day chosen in mid-week makes a second one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from fedisec.accounts.models import Membership, User
from fedisec.alerts.confirming import may_be_mailed
from fedisec.alerts.models import MailKind, Notice, Subscription
from fedisec.alerts.recipients import wishes_of
from fedisec.alerts.week import Period, told_of, weeks_of
from fedisec.instances.models import Instance

BATCH = 50  # people of one round; the rest comes in the next, seconds later
_ASKED_AT_ONCE = 500
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
        _store(people, slot, now)


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
    wanting = {}
    for user in _people():
        wishes = wishes_of(user)
        slot = here(wishes.zone, wishes.digest_day, wishes.digest_hour)
        if user.hears_since <= slot.at:  # type: ignore[attr-defined]  # annotated
            wanting[_about(user.pk, slot)] = (user.pk, slot)
    asked = list(wanting)
    had: set[str] = set()
    told = Notice.objects.filter(kind=MailKind.DIGEST.value)
    for start in range(0, len(asked), _ASKED_AT_ONCE):
        part = asked[start : start + _ASKED_AT_ONCE]
        had.update(told.filter(about__in=part).values_list("about", flat=True))
    return [due for about, due in wanting.items() if about not in had]


def _people() -> list[User]:
    """Those who want a digest and hear of an instance, with `hears_since`."""
    first = _subscriptions().filter(user=OuterRef("pk")).order_by("created_at").values("created_at")
    people = may_be_mailed(User.objects.filter(is_active=True))
    return list(
        people.filter(Q(preference=None) | Q(preference__digest=True))
        .annotate(hears_since=Subquery(first[:1]))
        .filter(hears_since__isnull=False)
        .select_related("preference")
        .order_by("pk")
    )


def _subscriptions() -> QuerySet[Subscription]:
    """Of people to instances that are still theirs to see."""
    member = Membership.objects.filter(user=OuterRef("user"), team=OuterRef("instance__team"))
    return Subscription.objects.filter(Exists(member), instance__demo=False)


def _store(people: Sequence[int], slot: Slot, now: datetime) -> None:
    """One transaction for everybody whose week ends at the same moment."""
    period = Period(slot.at - WEEK, slot.at)
    with transaction.atomic():
        heard = _heard(people)
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
