"""What people have written down of a server by hand: supplied by the dashboard, never probed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from checks.facts import Fact


@dataclass(frozen=True, slots=True)
class StatedProduct:
    """One line.  `name`: of stack.toml, an ID of os-release(5), of a fediverse software, or as typed."""

    name: str
    version: str
    until: date  # the day on which somebody is to look at it again


@dataclass(frozen=True, slots=True)
class StatedStack(Fact):
    """The lines that stand today."""

    products: tuple[StatedProduct, ...]
