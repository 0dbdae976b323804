"""What is due, what went stale, what was not heard.  Any number of clocks may tick, on any machine."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils.module_loading import import_string

from fedisec.instances.models import Instance
from fedisec.scans.models import ITEM, Scan, ScanState
from fedisec.scans.queue import first_slot, next_slot, queue_scan, ring_scan
from fedisec.scans.run import give_back

BATCH = 50
RING_AGAIN_S = 60


def tick(now: datetime) -> None:
    """One round: stale scans back to the queue, due instances into it, unheard scans rung again, and what the
    hours changed counted anew."""
    requeue_stale(now)
    give_first_slots(now)
    while queue_due(now) == BATCH:
        pass
    ring_unheard(now)
    import_string(settings.ON_TICK)(now)


def requeue_stale(now: datetime) -> int:
    """Running scans without a heartbeat for a lease: their token is void, somebody else may try."""
    deadline = now - timedelta(seconds=settings.SCAN_LEASE_S)
    stale = list(
        Scan.objects.filter(state=ScanState.RUNNING, heartbeat_at__lt=deadline).defer("facts")[:BATCH]
    )
    for scan in stale:
        give_back(scan, "the process that looked is gone", silent_since=deadline)
    return len(stale)


def give_first_slots(now: datetime) -> None:
    """Instances that were never scheduled get their place in the hour."""
    for instance in Instance.objects.filter(next_scan_at=None, paused=False)[:BATCH]:
        Instance.objects.filter(pk=instance.pk, next_scan_at=None).update(
            next_scan_at=first_slot(instance, now)
        )


def queue_due(now: datetime) -> int:
    """Claims a batch of due instances and queues their scans, each together with its next slot."""
    with transaction.atomic():
        # A look at single items is no substitute for the whole, which waits for its end.
        busy = Scan.objects.filter(state=ScanState.RUNNING, reason=ITEM).values("instance")
        due = Instance.objects.filter(next_scan_at__lte=now, paused=False).exclude(pk__in=busy)
        due = due.order_by("next_scan_at")
        if connection.features.has_select_for_update_skip_locked:
            due = due.select_for_update(skip_locked=True)
        batch = list(due[:BATCH])
        for instance in batch:
            slot = instance.next_scan_at
            assert slot is not None
            moved = Instance.objects.filter(pk=instance.pk, next_scan_at=slot).update(
                next_scan_at=next_slot(slot, instance.interval_s, now)
            )
            if moved:
                queue_scan(instance, "scheduled", now=now)
    return len(batch)


def ring_unheard(now: datetime) -> None:
    """Tells the workers of scans that wait; without a broker the runners look for themselves."""
    if not settings.REDIS_URL:
        return
    old = now - timedelta(seconds=RING_AGAIN_S)
    waiting = Scan.objects.filter(
        Q(rung_at=None) | Q(rung_at__lt=old), state=ScanState.QUEUED, due_at__lte=now
    )
    for pk in waiting.order_by("due_at").values_list("pk", flat=True)[:BATCH]:
        ring_scan(pk)
