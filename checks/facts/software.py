"""Which software runs, as far as a stranger can tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from checks.facts import Fact


@dataclass(frozen=True, slots=True)
class Software(Fact):
    """The recognised software.  `family` is the upstream that advisories and defaults are looked up by."""

    name: str  # as it calls itself, lower case: "akkoma", "sharkey"
    family: str  # mastodon pleroma akkoma misskey pixelfed gotosocial friendica lemmy peertube; "" if unknown
    version: str  # as given
    base_version: str  # upstream version without fork or build suffix; "" where it cannot be told
    fork: str = ""  # fork marker ("glitch"), "" for upstream
    prerelease: bool = False  # alpha, beta, rc, nightly or a build between releases
    source_url: str | None = None  # repository or source offer it names
    via: str = "nodeinfo"  # where it was read: nodeinfo, instance_v1, instance_v2, meta …
    seen_at: datetime | None = None
