"""When is it time to say that a certificate of the web is not renewed?  By its life, not by a number of days:
thirty days before the end is two thirds of a life of 47 days, and never comes in one of six.

The item `tls.certificate_lasts` warns from the first of these thresholds on.  That is no fall for the state
machine, to which a warning is a shade of met: it would be told once, and nothing more until the item fails.
These thresholds tell of each step, by certificate; the item tells its fail, as every item does.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from checks.facts import Facts, Missing
from checks.facts.tls import WebCertificates

ITEM_ID = "tls.certificate_lasts"

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_SHORT = 10 * _DAY  # lives that are counted in hours
_FORTNIGHT_FROM = 90 * _DAY


@dataclass(frozen=True, slots=True, order=True)
class Threshold:
    """So much of its life, or less, is left.  `name` stands in what was told and never changes."""

    left: timedelta
    name: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One certificate, and the first address that showed it."""

    fingerprint: str  # SHA-256 of the DER, hexadecimal
    not_before: datetime
    not_after: datetime
    address: str


def thresholds(life: timedelta) -> tuple[Threshold, ...]:
    """Those of a certificate with that life, the longest first.  "late": every client that renews by itself
    has done so by a third of the life; "ended" comes on the day."""
    late = Threshold(min(30 * _DAY, life / 4), "late")
    if life < _SHORT:
        named = [Threshold(24 * _HOUR, "24h"), Threshold(12 * _HOUR, "12h")]
    else:
        named = [Threshold(days * _DAY, f"{days}d") for days in (14, 7, 3, 1)]
        named = [one for one in named if one.name != "14d" or life >= _FORTNIGHT_FROM]
    return (late, *(one for one in named if one.left < late.left), Threshold(timedelta(0), "ended"))


# Of all thresholds, whatever the life.
NAMES = frozenset(one.name for life in (9 * _DAY, 400 * _DAY) for one in thresholds(life))


def due_threshold(life: timedelta, left: timedelta, told: Collection[str]) -> Threshold | None:
    """The threshold to tell somebody of who was told of those named `told`; None where there is nothing new.
    Those that were skipped collapse into the smallest that is reached."""
    reached = [one for one in thresholds(life) if left < one.left]
    if not reached:
        return None
    smallest = min(reached)
    known = [one for one in thresholds(life) if one.name in told]
    return smallest if not known or smallest < min(known) else None


def shown(facts: Facts) -> tuple[Shown, ...]:
    """The different certificates of the web that `facts` hold, in the order they were seen."""
    web = facts.maybe(WebCertificates)
    found: dict[str, Shown] = {}
    for served in web.served if web is not None else ():
        for one in () if isinstance(served.shown, Missing) else served.shown:
            first = Shown(one.fingerprint, one.not_before, one.not_after, served.address)
            found.setdefault(one.fingerprint, first)
    return tuple(found.values())
