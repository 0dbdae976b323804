"""The data files of this package as typed tables, read once."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from checks.facts.advisories import Advisory, Affected, Rating


@dataclass(frozen=True, slots=True)
class Family:
    """What is known of one family of software."""

    name: str
    upstream: str  # the project's repository
    also: tuple[str, ...]  # the same under other addresses
    agpl: bool
    sign_in: str  # path of the page that sets the session's cookie; "" if there is none
    panels: tuple[str, ...]
    secrets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """A line of releases: its newest release, and the day its support ends (None = still supported)."""

    name: str
    latest: str
    released: date | None
    ends: date | None


@dataclass(frozen=True, slots=True)
class Releases:
    """The releases of one software, newest branch first."""

    as_of: date
    rolling: bool  # only the newest release is supported
    branches: tuple[Branch, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Baseline:
    """The policy that a software ships from one release on; "" where it sends none."""

    since: str
    policy: str


@cache
def families() -> dict[str, Family]:
    table = _toml("software.toml")
    secrets = table["secrets"]
    return {
        name: Family(
            name,
            row["upstream"],
            tuple(row.get("also", ())),
            row["agpl"],
            row["sign_in"],
            tuple(row["panels"]),
            tuple(secrets.get(name, ())),
        )
        for name, row in table["family"].items()
    }


@cache
def forks() -> dict[str, str]:
    """Name of a fork -> family."""
    return dict(_toml("software.toml")["fork"])


@cache
def advisories() -> tuple[Advisory, ...]:
    """Those that fedisec comes with: nobody's word but the table's (`by` is "")."""
    table = json.loads(_text("advisories.json"))
    return tuple(_advisory(row, table["as_of"]) for row in table["advisories"])


def _advisory(row: dict[str, Any], as_of: str) -> Advisory:
    return Advisory(
        row["platform"],
        row["id"],
        row["title"],
        tuple(Affected(low, fixed or "") for low, fixed in row["affected"]),
        row["confidence"] == "seen",
        row["published"] or "",
        row.get("as_of", as_of),
        row["source"],
        tuple(row["aliases"]),
        tuple(Rating(*given) for given in row["ratings"]),
    )


@cache
def advisories_as_of() -> date:
    return date.fromisoformat(json.loads(_text("advisories.json"))["as_of"])


@cache
def releases() -> dict[str, Releases]:
    table = _toml("releases.toml")
    return {
        name: Releases(
            table["as_of"],
            row["rolling"],
            tuple(Branch(b["name"], b["latest"], b.get("released"), b.get("ends")) for b in row["branch"]),
            row["source"],
        )
        for name, row in table["software"].items()
    }


@cache
def shipped_policies() -> dict[str, tuple[Baseline, ...]]:
    """Family -> the content security policies its pages come with, newest first."""
    table = _toml("csp_baselines.toml")["shipped"]
    return {
        name: tuple(Baseline(row["since"], row["policy"]) for row in rows) for name, rows in table.items()
    }


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads(_text(name))
