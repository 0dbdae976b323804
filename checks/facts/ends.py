"""Until when products are supported, as read anew since fedisec's own tables were made: supplied by the
dashboard, never probed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from checks.facts import Fact


@dataclass(frozen=True, slots=True)
class ReadRelease:
    """One line of releases.  `ends` None and not `over`: supported, without a known end."""

    name: str
    ends: date | None = None  # of the support that everybody gets
    over: bool = False  # ended, on a day that is not known
    extended: date | None = None  # of the longer support that endoflife.date calls extended
    lts: date | None = None  # since when it is a line for the long term
    latest: str = ""  # its newest release


@dataclass(frozen=True, slots=True)
class ReadEnds:
    """What was read about one product.  `product`: a name of stack.toml, or an ID of os-release(5)."""

    product: str
    as_of: date
    releases: tuple[ReadRelease, ...]


@dataclass(frozen=True, slots=True)
class EndsOfLife(Fact):
    """Of the products that the instance runs, those about which something was read."""

    products: tuple[ReadEnds, ...]
