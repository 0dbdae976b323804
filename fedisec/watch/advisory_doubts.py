"""Is an answer about published flaws believable, after what its source said before?  Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta

from checks.errors import ParseError
from checks.facts.advisories import Advisory
from checks.parse.versions import comparable
from fedisec.watch.doubts import Doubt

_CLOCKS_DIFFER = timedelta(days=2)
_STEPS_MAX = 1  # major versions between the newest release that is known and a fix
_GONE_MIN = 3  # so few may go at once, however few there are


def doubt_advisories(
    found: Sequence[Advisory], known: Collection[str], newest: str, today: date
) -> tuple[Doubt, str] | None:
    """The reason not to believe `found`, with a detail to show; None where there is none.  `known`: names
    that the source had said and not withdrawn; `newest`: the newest known release of the software, or ""."""
    live = {one.id for one in found if not one.withdrawn}
    if known and not found:
        return Doubt.EMPTY, ""
    gone = set(known) - live
    if len(gone) >= _GONE_MIN and 2 * len(gone) > len(known):
        return Doubt.VANISHED, f"{len(gone)} / {len(known)}"
    last = f"{today + _CLOCKS_DIFFER:%Y-%m-%d}"
    late = next((one for one in found if max(one.published, one.changed) > last), None)
    if late is not None:
        return Doubt.FUTURE, f"{late.id}: {max(late.published, late.changed)}"
    far = next((one for one in found if _leaps(one, newest)), None)
    return (Doubt.LEAP, f"{far.id}: {newest}") if far is not None else None


def _leaps(advisory: Advisory, newest: str) -> bool:
    """A range that swallows releases which nobody has made yet."""
    try:
        top = comparable(newest).major + _STEPS_MAX
    except ParseError:
        return False
    return any(
        comparable(end).major > top for span in advisory.affected for end in (span.fixed, span.last) if end
    )
