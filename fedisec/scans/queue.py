"""Asking for a scan, and when the next one is due."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from fedisec.instances.models import Instance
from fedisec.scans.bell import RUN_SCAN, ring
from fedisec.scans.models import ITEM, LIVE, Scan, ScanState

SPREAD_S = 3600


class Asked(StrEnum):
    """What became of a wish for a scan.  LIVE: one is on its way already.  DEMO: made up, never looked at."""

    QUEUED = "queued"
    LIVE = "live"
    TOO_SOON = "too_soon"
    DEMO = "demo"


def queue_scan(
    instance: Instance,
    reason: str,
    *,
    due_at: datetime | None = None,
    now: datetime | None = None,
    only: Sequence[str] = (),
) -> Asked:
    """Queues a scan; at most one is live per instance.  A look that is due now takes the place of a second
    look that waits for its time (what it leaves unconfirmed asks for another), and a look at the whole that
    of single items.  `manual` and `item` are answered with TOO_SOON within SCAN_NOW_PAUSE_S of the last
    start.  `only` goes with the reason "item": the ids of the items to look at."""
    assert bool(only) == (reason == ITEM)
    now = now or timezone.now()
    due_at = due_at or now
    if instance.demo:
        return Asked.DEMO
    if reason in {"manual", ITEM} and _started_lately(instance, now):
        return Asked.TOO_SOON
    with transaction.atomic():
        pk = _instead(instance, reason, due_at) or _insert(instance, reason, due_at, only)
        if pk is None:
            return _beside(instance, reason, now)
        Instance.objects.filter(pk=instance.pk, next_scan_at=None).update(
            next_scan_at=first_slot(instance, now + timedelta(seconds=instance.interval_s))
        )
        if due_at <= now:
            transaction.on_commit(lambda: ring_scan(pk))
    return Asked.QUEUED


def _instead(instance: Instance, reason: str, due_at: datetime) -> int | None:
    """The key of a queued scan that this wish took the place of.  A second look stays whole when somebody
    asks for one item: it waits for others too."""
    if reason == "confirm":
        return None
    queued = Scan.objects.filter(instance=instance, state=ScanState.QUEUED)
    second = queued.filter(attempt=0, due_at__gt=due_at).exclude(reason=ITEM)
    whole = reason if reason != ITEM else "manual"
    taken = second.update(due_at=due_at, reason=whole, rung_at=None)
    if not taken and reason != ITEM:
        taken = queued.filter(reason=ITEM).update(due_at=due_at, reason=reason, only=[], rung_at=None)
    return queued.values_list("pk", flat=True).first() if taken else None


def _insert(instance: Instance, reason: str, due_at: datetime, only: Sequence[str]) -> int | None:
    """The key of the new scan; None where the index that allows one live scan refuses it."""
    try:
        with transaction.atomic():
            return Scan.objects.create(instance=instance, reason=reason, due_at=due_at, only=list(only)).pk
    except IntegrityError:
        return None


def _beside(instance: Instance, reason: str, now: datetime) -> Asked:
    """A scan is live.  Where that is one of single items, a wish for the whole waits for its end: the clock
    takes it up."""
    if reason != ITEM and Scan.objects.filter(instance=instance, state__in=LIVE, reason=ITEM).exists():
        Instance.objects.filter(pk=instance.pk).update(next_scan_at=now)
    return Asked.LIVE


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
