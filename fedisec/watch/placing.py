"""How long each part of a server is kept up, by the tables of a day.  Pure.

Packages of the distribution are judged by the distribution, images and own builds by those who make the
product.  What only strangers are told is not judged: whose package it is cannot be seen from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from checks.data.support import OsRelease, Tables
from checks.data.tables import Branch, forks, releases
from fedisec.watch.parts import Kind, Part, Source

SOON = timedelta(days=90)
_UPSTREAM = frozenset({Source.IMAGE, Source.BUILD, Source.VENDOR, Source.HAND})


class Standing(StrEnum):
    """How something stands with its support, today."""

    SUPPORTED = "supported"
    LONG_TERM = "long_term"  # the regular support is over, a longer one for everybody is not
    PAID = "paid"  # only who pays still gets repairs
    SOON = "soon"  # ends within SOON
    ENDED = "ended"
    FOLLOWS = "follows"  # is kept up with the distribution
    COMES = "comes"  # is a part of the fediverse software, and renewed with it
    OPEN = "open"  # supported when the table was written, no end known
    UNKNOWN = "unknown"


class EndKind(StrEnum):
    REGULAR = "regular"
    LONG_TERM = "long_term"
    PAID = "paid"


@dataclass(frozen=True, slots=True)
class End:
    """One end of support."""

    kind: EndKind
    day: date
    days: int  # from today; negative = ago


@dataclass(frozen=True, slots=True)
class Support:
    """`branch`: the line of releases that the dates are of.  `goes_to`: what to go to, "" where nothing is
    known or nothing needs to be done."""

    standing: Standing
    ends: tuple[End, ...] = ()
    branch: str = ""
    goes_to: str = ""


_UNKNOWN = Support(Standing.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Placed:
    """A part beside its support."""

    part: Part
    support: Support


def placed(parts: Sequence[Part], known: Tables, today: date) -> tuple[Placed, ...]:
    """Each part as it stands."""
    system = next((one for one in parts if one.kind is Kind.SYSTEM and one.source is not Source.HAND), None)
    return tuple(Placed(one, support_of(one, system, known, today)) for one in parts)


def support_of(part: Part, system: Part | None, known: Tables, today: date) -> Support:
    """`system`: that the part runs on, None where it is not known."""
    if part.kind is Kind.SYSTEM:
        return _system_support(part, known, today)
    if part.kind is Kind.KERNEL:
        return Support(Standing.FOLLOWS)
    if part.kind is Kind.SOFTWARE:
        return _software_support(part, known, today)
    if part.source is Source.DISTRIBUTION:
        whole = _system_support(system, known, today) if system is not None else _UNKNOWN
        ended = whole.standing in {Standing.ENDED, Standing.PAID}
        return whole if ended else Support(Standing.FOLLOWS)
    if part.source not in _UPSTREAM or not part.version:
        return _UNKNOWN
    return _product_support(part, known, today)


def branch_of_system(part: Part) -> str:
    """`detail` holds it where it was read; by hand the version is taken at its word."""
    return part.detail if part.source is Source.SYSTEM else part.version


def _system_support(part: Part, known: Tables, today: date) -> Support:
    branch = branch_of_system(part)
    dates = known.os_dates(part.name, branch)
    if dates is None and part.source is Source.HAND:  # "12.5" of Debian
        branch = branch.split(".")[0]
        dates = known.os_dates(part.name, branch)
    found = os_support(dates, today)
    if found.standing is Standing.UNKNOWN:
        return found
    leaving = found.standing is not Standing.SUPPORTED
    goes_to = known.system_goes_to(part.name, branch, today) if leaving or _near(found, today) else ""
    return Support(found.standing, found.ends, branch, goes_to)


def _near(support: Support, today: date) -> bool:
    return any(timedelta() <= end.day - today <= SOON for end in support.ends)


def os_support(dates: OsRelease | None, today: date) -> Support:
    """Regular support, the free longer one and the paid one, each with its end."""
    if dates is None:
        return _UNKNOWN
    rows = (
        (EndKind.REGULAR, dates.ends),
        (EndKind.LONG_TERM, dates.free),
        (EndKind.PAID, dates.paid),
    )
    ends = tuple(End(kind, day, (day - today).days) for kind, day in rows if day is not None)
    if today > dates.last_free:
        paid = dates.paid is not None and today <= dates.paid
        return Support(Standing.PAID if paid else Standing.ENDED, ends)
    if dates.last_free - today <= SOON:
        return Support(Standing.SOON, ends)
    return Support(Standing.SUPPORTED if today <= dates.ends else Standing.LONG_TERM, ends)


def _product_support(part: Part, known: Tables, today: date) -> Support:
    line = known.release(part.name, part.version)
    if line is None:
        return _UNKNOWN
    found = Support(Standing.ENDED) if line.over else by_day(line.ends, today)
    if known.stack[part.name].comes_with:
        return Support(Standing.COMES, found.ends, line.name)
    to = None
    if found.standing in {Standing.ENDED, Standing.SOON}:
        to = known.goes_to(part.name, line, today)
    return Support(found.standing, found.ends, line.name, (to.latest or to.name) if to is not None else "")


def by_day(day: date | None, today: date) -> Support:
    if day is None:
        return Support(Standing.OPEN)
    ends = (End(EndKind.REGULAR, day, (day - today).days),)
    if day < today:
        return Support(Standing.ENDED, ends)
    return Support(Standing.SOON if day - today <= SOON else Standing.SUPPORTED, ends)


def _software_support(part: Part, known: Tables, today: date) -> Support:
    """By the release table; what was read since about the ends of its branches goes before."""
    family = part.name
    table = releases().get(family)
    if table is None or not part.version or (family in forks() and family not in releases()):
        return _UNKNOWN
    branch = _branch(table.branches, part.version)
    read = known.software.get(family, {})
    if branch is None:
        return _UNKNOWN
    newest = table.branches[0]
    goes_to = newest.latest if branch is not newest else ""
    if table.rolling and branch is not newest:
        return Support(Standing.ENDED, branch=branch.name, goes_to=goes_to)
    found = by_day(read.get(branch.name) or branch.ends, today)
    near = found.standing in {Standing.ENDED, Standing.SOON}
    return Support(found.standing, found.ends, branch.name, goes_to if near else "")


def _branch(branches: Iterable[Branch], version: str) -> Branch | None:
    return next((b for b in branches if version == b.name or version.startswith(f"{b.name}.")), None)
