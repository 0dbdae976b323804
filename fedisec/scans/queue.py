"""Asking for a scan, and when the next one is due."""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from fedisec.instances.models import Instance
from fedisec.scans.bell import RUN_SCAN, ring
from fedisec.scans.models import LIVE, Scan, ScanState

SPREAD_S = 3600


class Asked(StrEnum):
    """What became of a wish for a scan.  LIVE: one is on its way already.  DEMO: made up, never looked at."""

    QUEUED = "queued"
    LIVE = "live"
    TOO_SOON = "too_soon"
    DEMO = "demo"


def queue_scan(
    instance: Instance, reason: str, *, due_at: datetime | None = None, now: datetime | None = None
) -> Asked:
    """Queues a scan; at most one is live per instance.  A look that is due now takes the place of a second
    look that waits for its time (what it leaves unconfirmed asks for another).  `manual` is answered with
    TOO_SOON within SCAN_NOW_PAUSE_S of the last start."""
    now = now or timezone.now()
    due_at = due_at or now
    if instance.demo:
        return Asked.DEMO
    if reason == "manual" and _started_lately(instance, now):
        return Asked.TOO_SOON
    with transaction.atomic():
        waiting = Scan.objects.filter(instance=instance, state=ScanState.QUEUED, attempt=0, due_at__gt=due_at)
        if reason != "confirm" and waiting.update(due_at=due_at, reason=reason, rung_at=None):
            pk = Scan.objects.filter(instance=instance, state__in=LIVE).values_list("pk", flat=True).first()
        else:
            pk = _insert(instance, reason, due_at)
        if pk is None:
            return Asked.LIVE
        Instance.objects.filter(pk=instance.pk, next_scan_at=None).update(
            next_scan_at=first_slot(instance, now + timedelta(seconds=instance.interval_s))
        )
        if due_at <= now:
            transaction.on_commit(lambda: ring_scan(pk))
    return Asked.QUEUED


def _insert(instance: Instance, reason: str, due_at: datetime) -> int | None:
    """The key of the new scan; None where the index that allows one live scan refuses it."""
    try:
        with transaction.atomic():
            return Scan.objects.create(instance=instance, reason=reason, due_at=due_at).pk
    except IntegrityError:
        return None


def ring_scan(pk: int) -> None:
    """Tells a worker of a scan that is due, and notes when."""
    if ring(RUN_SCAN, pk):
        Scan.objects.filter(pk=pk, state=ScanState.QUEUED).update(rung_at=timezone.now())


def _started_lately(instance: Instance, now: datetime) -> bool:
    since = now - timedelta(seconds=settings.SCAN_NOW_PAUSE_S)
    return Scan.objects.filter(instance=instance, started_at__gt=since, started_at__lte=now).exists()


def first_slot(instance: Instance, base: datetime) -> datetime:
    """`base` plus a share of the hour (or of a shorter interval) that is fixed per instance, so that servers
    added together are not scanned together for ever."""
    spread = min(SPREAD_S, instance.interval_s)
    return base + timedelta(seconds=zlib.crc32(str(instance.pk).encode()) % spread)


def next_slot(slot: datetime, interval_s: int, now: datetime) -> datetime:
    """The first slot after `now` on the grid of `slot`: missed ones collapse into the one being taken."""
    step = timedelta(seconds=interval_s)
    return slot + step * ((now - slot) // step + 1)
