"""What both processes know of the feed that the hostile worlds serve."""

from __future__ import annotations

from datetime import UTC, datetime

PATH = "/releases.atom"
NOW = datetime.now(UTC).replace(microsecond=0)
SOUND = ("v4.7.3", "v4.7.2")  # the releases that were known before
