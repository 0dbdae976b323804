"""Keeping and reading the counts.  They are made one layer above, where machine and people are merged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from checks import CHECKS_VERSION
from fedisec.history.models import DayCount, Standing
from fedisec.instances.models import Instance

RULES = f"{settings.VERSION}/{CHECKS_VERSION}"

# States that leave the denominator; words of fedisec.checklist.state, which lies above.
APART = frozenset({"accepted", "not_applicable"})
MET = "met"
REQUIRED = "required"  # a checks.model.Level

Counts = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Counted:
    """A fresh count of one instance.  `good_until`: when an answer, a waiver or "new" ends (None: never)."""

    counts: Counts  # level -> {state: number}
    required_not_met: int = 0
    not_met_since: datetime | None = None
    new: int = 0
    software: str = ""
    good_until: datetime | None = None


def keep(instance: Instance, counted: Counted, now: datetime, *, scanned: bool = False) -> None:
    """Stores the count as the latest and as that of the day, inside the caller's transaction.  `scanned`: it
    follows from a look.  Before the first look no day is counted: there is nothing to draw."""
    Standing.objects.bulk_create(
        [_standing(instance, counted, now)],
        update_conflicts=True,
        unique_fields=["instance"],
        update_fields=[f.name for f in Standing._meta.concrete_fields if f.name != "instance"],
    )
    if not scanned and not DayCount.objects.filter(instance=instance).exists():
        return
    met, applicable = shares(counted.counts)
    day = DayCount(instance=instance, day=day_of(now), counts=counted.counts, scanned=scanned)
    day.met, day.applicable = met, applicable
    fields = ["counts", "met", "applicable"]
    DayCount.objects.bulk_create(
        [day],
        update_conflicts=True,
        unique_fields=["instance", "day"],
        update_fields=[*fields, "scanned"] if scanned else fields,
    )


def _standing(instance: Instance, counted: Counted, now: datetime) -> Standing:
    return Standing(
        instance=instance,
        counts=counted.counts,
        required_not_met=counted.required_not_met,
        required_met=all_met(counted.counts.get(REQUIRED, {})),
        not_met_since=counted.not_met_since,
        new=counted.new,
        software=counted.software[:200],
        good_until=counted.good_until,
        rules=RULES,
        counted_at=now,
    )


def unkept(instance: Instance, counted: Counted, now: datetime) -> Standing:
    """The same as an object that is not stored: for a page that comes before the clock has counted anew."""
    return _standing(instance, counted, now)


def latest(instances: Iterable[Instance], now: datetime) -> dict[int, Standing]:
    """instance id -> its standing; instances whose count is missing or no longer true are left out."""
    found = Standing.objects.filter(_good(now), instance__in=list(instances))
    return {standing.pk: standing for standing in found}


def outdated(now: datetime) -> QuerySet[Instance]:
    """The instances that are to be counted anew."""
    return Instance.objects.exclude(pk__in=Standing.objects.filter(_good(now)).values("pk"))


def _good(now: datetime) -> Q:
    return Q(rules=RULES) & (Q(good_until=None) | Q(good_until__gt=now))


def shares(counts: Counts) -> tuple[int, int]:
    """(met, applicable) over all levels."""
    met = sum(states.get(MET, 0) for states in counts.values())
    return met, sum(applicable(states) for states in counts.values())


def applicable(states: Mapping[str, int]) -> int:
    """How many of these items count; what was accepted or does not apply stands apart."""
    return sum(number for state, number in states.items() if state not in APART)


def all_met(states: Mapping[str, int]) -> bool:
    """Whether these items are all met, as far as they count.  False where there are none."""
    return bool(states) and states.get(MET, 0) == applicable(states)


def day_of(now: datetime) -> date:
    """The day in the installation's time zone, whoever reads."""
    return timezone.localdate(now, timezone.get_default_timezone())
