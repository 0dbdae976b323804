"""Jobs of this app, for Celery workers and for `manage.py runner` alike."""

from __future__ import annotations

from celery import shared_task

from fedisec.scans.bell import RUN_SCAN
from fedisec.scans.run import run_scan


@shared_task(name=RUN_SCAN)
def run(scan_id: int) -> None:
    run_scan(scan_id)
