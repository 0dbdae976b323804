"""`manage.py runner`: does jobs one at a time, polling the database; what a Celery worker does elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import close_old_connections
from django.utils import timezone
from django.utils.module_loading import import_string

from fedisec.alerts import outbox
from fedisec.alerts.tasks import send
from fedisec.lib.away import Outlasting
from fedisec.lib.canary import KeyWatch
from fedisec.lib.limits import time_limits, work_behind_pages
from fedisec.lib.schema import SchemaWatch
from fedisec.lib.supervisor import stop_on_signal
from fedisec.scans import outlook
from fedisec.scans.models import Scan, ScanState
from fedisec.scans.queue import in_turn
from fedisec.scans.tasks import run

POLL_S = 0.5
FEED_WAITS_S = 600  # a feed may wait that long for scans
JOBS_MAX = 200  # then a fresh process: what leaks, leaks no further

Job = Callable[[], None]


class Command(BaseCommand):
    help = "Runs scans and sends mails, one at a time, until stopped."

    def handle(self, *args: Any, **options: Any) -> None:
        stop_on_signal()
        work_behind_pages()
        done, outlasting, schema, keys = 0, Outlasting(), SchemaWatch(), KeyWatch()
        while done < JOBS_MAX:
            with outlasting:
                schema.give_way()
                keys.mind()
                done += self._round()

    def _round(self) -> bool:
        """True if there was something to do."""
        close_old_connections()
        job = next_job()
        if job is None:
            time.sleep(POLL_S)
            return False
        with time_limits(settings.JOB_SOFT_LIMIT_S, settings.JOB_HARD_LIMIT_S):
            job()
        return True


def next_job() -> Job | None:
    """A mail before a scan (it is short, and somebody waits for it), else the scan that is due longest.
    Somebody else may be quicker; then the job does nothing.  A feed is read where no scan waits, or where it
    has waited for long.  Without a network neither is begun."""
    now = timezone.now()
    mail = outbox.due(now).values_list("pk", flat=True).first()
    if mail is not None:
        return lambda: send(mail)
    due = Scan.objects.filter(state=ScanState.QUEUED, due_at__lte=now)
    scan = in_turn(due).order_by("due_at", "pk").values_list("pk", flat=True).first()
    feed: Job | None = import_string(settings.NEXT_JOB)(now, 0 if scan is None else FEED_WAITS_S)
    if scan is None and feed is None:
        outlook.watch()
    elif outlook.sees():
        return feed if scan is None or feed is not None else lambda: run(scan)
    return None
