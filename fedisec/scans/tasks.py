"""Jobs of this app, for Celery workers and for `manage.py runner` alike."""

from __future__ import annotations

from celery import shared_task

from fedisec.scans.bell import RUN_SCAN
from fedisec.scans.queue import waits_longest
from fedisec.scans.run import run_scan

TRIES = 4  # for the longest waiting, which another worker may take first


@shared_task(name=RUN_SCAN)
def run(scan_id: int) -> None:
    """Rung for that scan, but messages come in any order, late and twice: what is done is the scan that has
    waited longest among those that who is rung for this one may do."""
    for _ in range(TRIES):
        oldest = waits_longest(scan_id)
        if oldest is None or run_scan(oldest):
            return
