"""The counts of days as points of a line: which days count, and where the line has gaps.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from fedisec.history.standing import MET, applicable


@dataclass(frozen=True, slots=True)
class Point:
    """A day's count: met of applicable."""

    day: date
    met: int
    of: int

    @property
    def share(self) -> float:
        """0 to 1; 1 where nothing applies: nothing is left to do."""
        return self.met / self.of if self.of else 1.0


def gap_after(interval_s: int) -> timedelta:
    """Days farther apart than this were not looked at in between, for an instance scanned that often."""
    return max(timedelta(days=2), timedelta(seconds=interval_s) * 1.5)


def lines(points: Iterable[Point], gap: timedelta) -> list[list[Point]]:
    """The points in unbroken lines; they come in the order of the days."""
    found: list[list[Point]] = []
    for point in points:
        if found and point.day - found[-1][-1].day <= gap:
            found[-1].append(point)
        else:
            found.append([point])
    return found


def blanks(points: Sequence[Point], first: date, last: date, gap: timedelta) -> list[tuple[date, date]]:
    """From when to when between `first` and `last` nobody looked."""
    days = [first, *(point.day for point in points), last]
    return [(a, b) for a, b in pairwise(days) if b - a > gap]


def looked_at(days: Sequence[tuple[date, bool]], gap: timedelta) -> list[bool]:
    """Which of (day, scanned) count: days of a scan, and those on which people spoke while what the machine
    had seen was still fresh."""
    kept, last = [], None
    for day, scanned in days:
        last = day if scanned else last
        kept.append(last is not None and day - last <= gap)
    return kept


def of_level(counts: Mapping[str, Mapping[str, int]], level: str) -> tuple[int, int]:
    """(met, applicable) of one level."""
    states = counts.get(level, {})
    return states.get(MET, 0), applicable(states)


def floor_of(points: Iterable[Point]) -> float:
    """Where the scale begins: 0, 0.2, 0.4 or 0.6, at or below every share.  It ends at 1."""
    lowest = min((point.share for point in points), default=0.0)
    return min(int(lowest * 5) / 5, 0.6)
