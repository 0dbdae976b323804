"""What a clock that was turned back leaves in the future, where nobody would take it up for days."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from fedisec.instances.models import Instance
from fedisec.scans.models import Scan, ScanState
from fedisec.scans.queue import SPREAD_S

APART = timedelta(minutes=1)  # so far may the clocks of two machines be apart
HOUR = timedelta(hours=1)


class Watch:
    """Notices that the clock of this machine goes backwards; to be asked with each reading of it."""

    def __init__(self) -> None:
        self._last: datetime | None = None

    def was_turned_back(self, now: datetime) -> bool:
        """True also for the first reading: who knows what happened while nobody looked."""
        last, self._last = self._last, now
        return last is None or now < last - APART


def put_right(now: datetime) -> None:
    """Brings slots, second looks, heartbeats and rings into the reach of `now`.  Times that a right clock
    can have set stay as they are."""
    running = Scan.objects.filter(state=ScanState.RUNNING, heartbeat_at__gt=now + APART)
    running.update(heartbeat_at=now)  # who is alive writes the next one soon; who is dead has one lease
    second_look = now + timedelta(seconds=settings.CONFIRM_AFTER_S)
    queued = Scan.objects.filter(state=ScanState.QUEUED)
    queued.filter(due_at__gt=second_look + HOUR).update(due_at=second_look, rung_at=None)
    queued.filter(rung_at__gt=now + APART).update(rung_at=None)
    _slots(now, "interval_s", "next_scan_at")
    _slots(now, "inside_interval_s", "next_inside_at")


def _slots(now: datetime, interval: str, slot: str) -> None:
    """Slots more than an interval away are given anew."""
    known = Instance.objects.exclude(**{interval: None}).order_by().values_list(interval, flat=True)
    for seconds in list(known.distinct()):
        last = now + timedelta(seconds=seconds + SPREAD_S)
        Instance.objects.filter(**{interval: seconds, f"{slot}__gt": last}).update(**{slot: None})
