"""Until when releases get security updates, as typed tables, read once."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

_SAME_DATES = {"raspbian": "debian", "ol": "rhel"}


@dataclass(frozen=True, slots=True)
class OsRelease:
    """`ends`: the distribution's own support; `free`: a longer one for everybody; `paid`: by subscription."""

    ends: date
    free: date | None
    paid: date | None

    @property
    def last(self) -> date:
        """The end of the longest support there is."""
        return max(day for day in (self.ends, self.free, self.paid) if day)


@dataclass(frozen=True, slots=True)
class StackRelease:
    """A line of releases of a product; `ends` None: supported when the table was written, end unknown."""

    name: str
    ends: date | None


@cache
def os_releases() -> dict[str, dict[str, OsRelease]]:
    """ID of os-release(5) -> branch -> its dates."""
    return {
        name: {
            branch: OsRelease(row["ends"], row.get("free"), row.get("paid")) for branch, row in rows.items()
        }
        for name, rows in _toml("os_releases.toml")["release"].items()
    }


def os_release(name: str, branch: str) -> OsRelease | None:
    """The dates of a branch; of a rebuild or a port those of what it follows."""
    return os_releases().get(_SAME_DATES.get(name, name), {}).get(branch)


def stack_release(product: str, version: str) -> StackRelease | None:
    """The release a version belongs to; a floating tag ("redis:7") stands for the newest it can mean.  None
    for what the table does not name."""
    for release in stack().get(product, ("", ()))[1]:
        if f"{version}.".startswith(f"{release.name}.") or release.name.startswith(f"{version}."):
            return release
    return None


@cache
def stack() -> dict[str, tuple[str, tuple[StackRelease, ...]]]:
    """Product -> its title, and its releases, newest first."""
    return {
        name: (row["title"], tuple(StackRelease(one["name"], one.get("ends")) for one in row["releases"]))
        for name, row in _toml("stack.toml")["product"].items()
    }


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
