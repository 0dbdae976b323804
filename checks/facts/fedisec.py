"""What fedisec knows about itself: supplied by the dashboard, never probed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from checks.facts import Fact


@dataclass(frozen=True, slots=True)
class CertificateWatch(Fact):
    """Who hears of it when the certificate of the instance is about to end."""

    watching: bool  # scheduled scans with the certificate items are on
    confirmed_recipients: int  # addresses and channels that proved they receive


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed as fedisec reads it.  Only an answer that was believed is a good one."""

    title: str
    about: str  # the software or distribution it is about; "" = anything
    enabled: bool  # by who runs fedisec
    last_ok_at: datetime | None  # the last good answer
    failing_since: datetime | None = None  # None: the last try went well, or there was none
    reason: str = ""  # of the last failure: a Reason, "http_<status>" or "held"
    error: str = ""


@dataclass(frozen=True, slots=True)
class FeedsWatch(Fact):
    """Which news fedisec reads for the instance."""

    seen_at: datetime
    reading: bool  # False: this installation reads no feeds at all
    following_sources: bool  # warnings of vulnerabilities, for this instance
    following_releases: bool
    sources: tuple[Feed, ...]  # of warnings, those about another distribution than the instance's left out
    release_feeds: tuple[Feed, ...]  # of every software
    software: str = ""  # by the last look that told, as `Software.name`
    family: str = ""
