"""Trends of one instance and of many, from the counts of the days."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.safestring import SafeString

from checks.model import Level
from fedisec.history.models import DayCount
from fedisec.history.points import Point, blanks, floor_of, gap_after, looked_at, of_level
from fedisec.history.standing import day_of
from fedisec.history.svg import SPARK_DAYS, Line, plot, spark
from fedisec.instances.models import Instance

RANGES = (30, 90, 365)  # days


@dataclass(frozen=True, slots=True)
class DayRow:
    """A line of the table.  `missed`: days before this one on which nobody looked."""

    day: date
    cells: tuple[Point, ...]  # in the order of the levels
    missed: int = 0

    @property
    def counts(self) -> list[tuple[int, int]]:
        return [(cell.met, cell.of) for cell in self.cells]


def sparkline(instances: Iterable[Instance], *, now: datetime | None = None) -> dict[int, SafeString]:
    """instance id -> the last SPARK_DAYS days as a small drawing, "" for an instance without two of them.
    One query for all."""
    chosen = {instance.pk: instance for instance in instances}
    first = day_of(now or timezone.now()) - timedelta(days=SPARK_DAYS - 1)
    days: dict[int, list[tuple[Point, bool]]] = {pk: [] for pk in chosen}
    counted = DayCount.objects.filter(instance__in=chosen, day__gte=first).order_by("instance", "day")
    for pk, day, met, of, scanned in counted.values_list("instance", "day", "met", "applicable", "scanned"):
        days[pk].append((Point(day, met, of), scanned))
    return {
        pk: spark(_kept(found, chosen[pk]), first, gap_after(chosen[pk].interval_s))
        for pk, found in days.items()
    }


def _kept(days: Sequence[tuple[Point, bool]], instance: Instance) -> list[Point]:
    kept = looked_at([(point.day, scanned) for point, scanned in days], gap_after(instance.interval_s))
    return [point for (point, _), keep in zip(days, kept, strict=True) if keep]


def context(instance: Instance, days: int = 90, *, now: datetime | None = None) -> dict[str, Any]:
    """What templates/history/trend.html needs; `days` is one of RANGES.  One query."""
    today = day_of(now or timezone.now())
    first = today - timedelta(days=days - 1)
    counted = list(
        DayCount.objects.filter(instance=instance, day__gte=first, day__lte=today)
        .order_by("day")
        .values_list("day", "counts", "scanned")
    )
    gap = gap_after(instance.interval_s)
    kept = looked_at([(day, scanned) for day, _, scanned in counted], gap)
    rows = [
        DayRow(day, tuple(Point(day, *of_level(counts, level)) for level in Level))
        for (day, counts, _), keep in zip(counted, kept, strict=True)
        if keep
    ]
    found = [
        Line(level, tuple(row.cells[number] for row in rows)) for number, level in enumerate(Level) if rows
    ]
    low = floor_of(row_point for line in found for row_point in line.points)
    return {
        "instance": instance,
        "trend_days": days,
        "trend_ranges": RANGES,
        "trend_lines": found,
        "trend_svg": plot(found, first, today, gap, low) if rows else "",
        "trend_gaps": bool(rows) and bool(blanks(found[0].points, first, today, gap)),
        "trend_scale": [f"{round(share * 100)} %" for share in (1.0, (1 + low) / 2, low)],
        "trend_first": first,
        "trend_today": today,
        "trend_rows": _table(rows, gap),
        "trend_levels": list(Level),
    }


def _table(rows: Sequence[DayRow], gap: timedelta) -> list[DayRow]:
    """The days that say something new, newest first: other counts than before, or the end of a gap."""
    told: list[DayRow] = []
    for number, row in enumerate(rows):
        before = rows[number - 1] if number else None
        missed = (row.day - before.day).days - 1 if before and row.day - before.day > gap else 0
        same = before is not None and [(p.met, p.of) for p in before.cells] == [
            (p.met, p.of) for p in row.cells
        ]
        if missed or not same or number == len(rows) - 1:
            told.append(DayRow(row.day, row.cells, missed))
    return told[::-1]
