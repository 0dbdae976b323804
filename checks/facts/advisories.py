"""Published flaws of the software, and what its makers offer: shipped with fedisec, and refreshed by the
dashboard."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from checks.facts import Fact


@dataclass(frozen=True, slots=True)
class Affected:
    """Versions from `introduced` ("0": from the start) up to, and without, `fixed`; or up to and with `last`,
    where the source names no release that ends it.  Both "": all later ones."""

    introduced: str
    fixed: str = ""
    last: str = ""


@dataclass(frozen=True, slots=True)
class Rating:
    """How bad it is, by whom.  At least one of the two is given."""

    by: str
    word: str = ""  # critical, high, medium or low, as given
    vector: str = ""  # CVSS, as given


@dataclass(frozen=True, slots=True)
class Advisory:
    """A published flaw of one platform (a family, or a fork under a name of its own)."""

    platform: str
    id: str
    title: str
    affected: tuple[Affected, ...]
    seen: bool  # the affected versions were read at the source, not inferred
    published: str = ""  # YYYY, YYYY-MM or YYYY-MM-DD
    changed: str = ""  # the day it last changed, or was last looked up; YYYY-MM-DD
    url: str = ""  # where a person reads it
    aliases: tuple[str, ...] = ()
    ratings: tuple[Rating, ...] = ()
    by: str = ""  # whose word this is: "GitHub", "OSV"
    by_makers: bool = False  # the project's own advisory
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """A newer version that the makers offer to who runs an older one."""

    version: str
    urgent: bool  # by the makers' own word
    kind: str = ""  # patch, minor or major
    url: str = ""  # release notes


@dataclass(frozen=True, slots=True)
class Published:
    """A release, by the news of its makers."""

    version: str
    day: datetime | None = None


@dataclass(frozen=True, slots=True)
class AdvisoriesKnown(Fact):
    """What the dashboard has fetched of flaws in the software that this look saw.  Left out is what cannot
    concern the version seen, and what the shipped table says as well."""

    as_of: datetime | None  # the older of the last good answers of its sources; None: none was ever read
    advisories: tuple[Advisory, ...] = ()
    offers: tuple[Offer, ...] = ()  # to this version
    releases: tuple[Published, ...] = ()  # the newest of each branch, and the first that follows this version
    sources: int = 0  # that are asked about this software
