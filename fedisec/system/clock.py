"""What the clock does for the system page."""

from __future__ import annotations

from datetime import datetime

from fedisec.system import jobs


def tick(now: datetime) -> None:
    """One round; a question to the cache, and to the workers every five minutes."""
    jobs.ask_workers(now)
