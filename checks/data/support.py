"""Until when releases get security updates: the tables that fedisec comes with, and what was read since."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from packaging.version import InvalidVersion, Version

from checks.facts.ends import EndsOfLife, ReadEnds, ReadRelease

_SAME_DATES = {"raspbian": "debian", "ol": "rhel"}
_WORTH_GOING_TO = timedelta(days=180)  # of support that is left, at least


@dataclass(frozen=True, slots=True)
class OsRelease:
    """`ends`: the distribution's own support; `free`: a longer one for everybody; `paid`: by subscription."""

    ends: date
    free: date | None = None
    paid: date | None = None

    @property
    def last(self) -> date:
        """The end of the longest support there is."""
        return max(day for day in (self.ends, self.free, self.paid) if day)

    @property
    def last_free(self) -> date:
        """The end of the longest support that everybody gets."""
        return max(day for day in (self.ends, self.free) if day)


@dataclass(frozen=True, slots=True)
class StackRelease:
    """A line of releases of a product.  `ends` None and not `over`: supported when the table was written, end
    unknown."""

    name: str
    ends: date | None = None
    over: bool = False  # ended, on a day that nobody wrote down
    extended: date | None = None  # of a longer support, paid for or for some alone
    lts: date | None = None  # since when it is a line for the long term
    latest: str = ""

    def is_ended(self, today: date) -> bool:
        """A day of support that is named counts whole."""
        return self.over or (self.ends is not None and self.ends < today)


class Line(NamedTuple):
    """A product: its releases, newest first."""

    title: str
    releases: tuple[StackRelease, ...]
    eol: str  # its name at endoflife.date
    comes_with: bool  # a part of the fediverse software: no update but that software's brings a newer one


class System(NamedTuple):
    """A distribution.  `eol`: its name at endoflife.date, "" where it is not asked for; `extended`: what that
    calls extended support, "free" or "paid"."""

    title: str
    eol: str
    extended: str


@dataclass(frozen=True)
class Tables:
    """Everything that is known.  What was read stands in place of the shipped lines of the same name."""

    stack: Mapping[str, Line]
    os: Mapping[str, Mapping[str, OsRelease]]
    read: Mapping[str, date]  # product -> when it was read anew
    software: Mapping[str, Mapping[str, date]]  # fediverse software -> branch -> its end, of what was read

    def release(self, product: str, version: str) -> StackRelease | None:
        """The release a version belongs to; a floating tag ("redis:7") stands for the newest it can mean.
        None for what the table does not name."""
        return _line_of(self.stack[product].releases, version) if product in self.stack else None

    def os_dates(self, name: str, branch: str) -> OsRelease | None:
        """The dates of a branch; of a rebuild or a port those of what it follows."""
        return self.os.get(same_dates(name), {}).get(branch)

    def as_of(self, product: str) -> date:
        """Of which day the dates of a product are."""
        return self.read.get(product, stack_as_of() if product in self.stack else os_as_of())

    def goes_to(self, product: str, now: StackRelease, today: date) -> StackRelease | None:
        """The line to go to from one that ends: the newest, of a product with lines for the long term the
        newest of these; None where there is none that is newer and lasts."""
        newer = [one for one in self.stack[product].releases if _order(one.name) > _order(now.name)]
        lasting = [one for one in newer if _lasts(one.ends, today) and not one.over]
        long_term = [one for one in lasting if one.lts and one.lts <= today]
        return max(long_term or lasting, key=lambda one: _order(one.name), default=None)

    def system_goes_to(self, name: str, branch: str, today: date) -> str:
        """The release to upgrade to, one step at a time; from an LTS of Ubuntu to the next one.  "": none."""
        rows = self.os.get(same_dates(name), {})
        here = rows.get(branch)
        newer = {key: row for key, row in rows.items() if _order(key) > _order(branch)}
        if here is not None and here.paid:
            newer = {key: row for key, row in newer.items() if row.paid}
        lasting = [key for key, row in newer.items() if _lasts(row.last_free, today)]
        return min(lasting, key=_order, default="")


def _lasts(ends: date | None, today: date) -> bool:
    return ends is None or ends - today >= _WORTH_GOING_TO


@cache
def _order(name: str) -> Version:
    try:
        return Version(name)
    except InvalidVersion:
        return Version("0")


def _line_of(releases: Iterable[StackRelease], version: str) -> StackRelease | None:
    for release in releases:
        if f"{version}.".startswith(f"{release.name}.") or release.name.startswith(f"{version}."):
            return release
    return None


def tables(news: EndsOfLife | None = None) -> Tables:
    """The shipped tables with `news` in them."""
    return _tables(news.products if news is not None else ())


@cache
def _shipped() -> Tables:
    return Tables(stack(), os_releases(), {}, {})


def _tables(news: Sequence[ReadEnds]) -> Tables:
    if not news:
        return _shipped()
    lines, systems, read = dict(stack()), dict(os_releases()), {}
    software: dict[str, dict[str, date]] = {}
    for one in news:
        if one.product in lines:
            line = lines[one.product]
            lines[one.product] = line._replace(releases=_merged(line.releases, one.releases))
        elif one.product in systems:
            systems[one.product] = systems[one.product] | _systems(one)
        elif one.product in software_eol():
            software[one.product] = {row.name: row.ends for row in one.releases if row.ends}
        else:
            continue
        read[one.product] = one.as_of
    return Tables(lines, systems, read, software)


def _merged(shipped: Sequence[StackRelease], read: Sequence[ReadRelease]) -> tuple[StackRelease, ...]:
    rows = {one.name: one for one in shipped}
    for one in read:
        rows[one.name] = StackRelease(
            one.name, one.ends, one.over and one.ends is None, one.extended, one.lts, one.latest
        )
    return tuple(sorted(rows.values(), key=lambda one: _order(one.name), reverse=True))


def _systems(one: ReadEnds) -> dict[str, OsRelease]:
    """A release without a day of its own stays as it was shipped."""
    extended = system_titles()[one.product].extended
    return {
        row.name: OsRelease(
            row.ends,
            row.extended if extended == "free" else None,
            row.extended if extended == "paid" else None,
        )
        for row in one.releases
        if row.ends is not None
    }


def same_dates(name: str) -> str:
    """The distribution whose dates hold for one."""
    return _SAME_DATES.get(name, name)


def os_release(name: str, branch: str) -> OsRelease | None:
    """As `Tables.os_dates`, by the shipped table."""
    return _shipped().os_dates(name, branch)


def stack_release(product: str, version: str) -> StackRelease | None:
    """As `Tables.release`, by the shipped table."""
    return _shipped().release(product, version)


@cache
def os_releases() -> dict[str, dict[str, OsRelease]]:
    """ID of os-release(5) -> branch -> its dates."""
    return {
        name: {
            branch: OsRelease(row["ends"], row.get("free"), row.get("paid")) for branch, row in rows.items()
        }
        for name, rows in _toml("os_releases.toml")["release"].items()
    }


@cache
def system_titles() -> dict[str, System]:
    """ID of os-release(5) -> how it is called."""
    rows = _toml("os_releases.toml")["system"].items()
    return {name: System(row["title"], row.get("eol", ""), row.get("extended", "")) for name, row in rows}


@cache
def stack() -> dict[str, Line]:
    """Product -> its title, and its releases, newest first."""
    return {name: _line(row) for name, row in _toml("stack.toml")["product"].items()}


@cache
def software_eol() -> dict[str, str]:
    """Fediverse software -> its name at endoflife.date, of those that are there."""
    return dict(_toml("stack.toml")["software"])


@cache
def product_titles() -> dict[str, str]:
    """Every product that fedisec knows by name, also where no end is known -> how people write it."""
    named: dict[str, str] = dict(_toml("stack.toml")["also"])
    return named | {name: line.title for name, line in stack().items()}


def _line(row: Mapping[str, Any]) -> Line:
    return Line(
        row["title"],
        tuple(StackRelease(**one) for one in row["releases"]),
        row["eol"],
        row.get("comes_with", False),
    )


@cache
def os_as_of() -> date:
    found: date = _toml("os_releases.toml")["as_of"]
    return found


@cache
def stack_as_of() -> date:
    found: date = _toml("stack.toml")["as_of"]
    return found


@cache
def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))
