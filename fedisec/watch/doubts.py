"""Is what a feed says now believable, after what it said before?  Pure.

A feed that is not believed is held: what is stored stays, nobody is told, and an operator sees it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from checks.errors import ParseError
from checks.parse.versions import comparable
from fedisec.watch.parsing import FeedEntry
from fedisec.watch.versions import release_of

_CLOCKS_DIFFER = timedelta(days=2)
_STEPS_MAX = 1  # major versions that may be taken at once


class Doubt(StrEnum):
    """Why a feed is held."""

    EMPTY = "empty"  # it had entries, and has none
    NO_RELEASES = "no_releases"  # none of its entries names a version
    BACKWARD = "backward"  # its newest is older than what it said before
    LEAP = "leap"  # its newest is more than one major version ahead
    FUTURE = "future"  # an entry is of a day to come
    VANISHED = "vanished"  # most of what it had said is gone


@dataclass(frozen=True, slots=True)
class Known:
    """What was believed of the feed before.  Empty and None at the first time."""

    entries: int = 0
    newest_version: str = ""  # pre-releases too; at the first time the newest that fedisec came with
    newest_at: datetime | None = None


def doubt(
    entries: Sequence[FeedEntry], known: Known, now: datetime, *, software: str = ""
) -> tuple[Doubt, str] | None:
    """The reason not to believe `entries`, with a detail to show; None where there is none.  `software`: of a
    release feed."""
    if not entries:
        return (Doubt.EMPTY, "") if known.entries else None
    late = next((e for e in entries if e.published_at and e.published_at > now + _CLOCKS_DIFFER), None)
    if late is not None:
        return Doubt.FUTURE, f"{late.title[:100]}: {late.published_at:%Y-%m-%d}"
    dates = [entry.published_at for entry in entries if entry.published_at]
    newest_at = max(dates, default=None)
    older = newest_at and known.newest_at and newest_at < known.newest_at - _CLOCKS_DIFFER
    if software:
        return _release_doubt(entries, known, software, older=bool(older) or not dates)
    if older:
        return Doubt.BACKWARD, f"{newest_at:%Y-%m-%d}, {known.newest_at:%Y-%m-%d}"
    return None


def _release_doubt(
    entries: Sequence[FeedEntry], known: Known, software: str, *, older: bool
) -> tuple[Doubt, str] | None:
    """`older`: by its dates the feed is not newer than what is known."""
    versions = [version for entry in entries if (version := release_of(entry, software)[0])]
    if not versions:
        return Doubt.NO_RELEASES, entries[0].title[:100]
    newest = max(versions, key=comparable)
    try:
        before, after = comparable(known.newest_version), comparable(newest)
    except ParseError:
        return None
    if after.major > before.major + _STEPS_MAX:
        return Doubt.LEAP, f"{newest}, {known.newest_version}"
    if known.entries and after < before and older:
        return Doubt.BACKWARD, f"{newest}, {known.newest_version}"
    return None
