"""What fedisec knows about itself: supplied by the dashboard, never probed."""

from __future__ import annotations

from dataclasses import dataclass

from checks.facts import Fact


@dataclass(frozen=True, slots=True)
class CertificateWatch(Fact):
    """Who hears of it when the certificate of the instance is about to end."""

    watching: bool  # scheduled scans with the certificate items are on
    confirmed_recipients: int  # addresses and channels that proved they receive
