"""What is due, what went stale, what was not heard.  Any number of clocks may tick, on any machine."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils.module_loading import import_string

from fedisec.instances.models import Instance
from fedisec.scans import incidents, outlook, pulse
from fedisec.scans.bell import INSIDE_QUEUE, OUTSIDE_QUEUE, unheard
from fedisec.scans.models import ITEM, Scan, ScanState, Side
from fedisec.scans.queue import first_slot, next_slot, queue_scan, ring_scans
from fedisec.scans.run import give_back
from fedisec.scans.turned import Watch, put_right

BATCH = 50
BATCHES = 8  # of due instances in one round: thousands at once must not keep mails and leases waiting
RING_AGAIN_S = 60
_watch = Watch()


def tick(now: datetime) -> None:
    """One round: stale scans back to the queue, due instances into it, unheard scans rung again, and what the
    hours changed counted anew."""
    if _watch.was_turned_back(now):
        put_right(now)
    pulse.tick(now)  # before the slots that were missed move on
    outlook.tick(now)
    requeue_stale(now)
    give_first_slots(now)
    for _ in range(BATCHES):
        if queue_due(now) < BATCH:
            break
    ring_unheard(now)
    incidents.tick(now)
    for path in settings.ON_TICK:
        import_string(path)(now)


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
        due = Instance.objects.filter(_is_due(now), paused=False).exclude(pk__in=busy)
        due = due.order_by("next_scan_at", "pk")
        if connection.features.has_select_for_update_skip_locked:
            due = due.select_for_update(skip_locked=True)
        batch = list(due[:BATCH])
        for instance in batch:
            side, slots = next_look(instance, now)
            held = Instance.objects.filter(
                pk=instance.pk, next_scan_at=instance.next_scan_at, next_inside_at=instance.next_inside_at
            )
            if held.update(**slots):
                queue_scan(instance, "scheduled", now=now, side=side)
    return len(batch)


def _is_due(now: datetime) -> Q:
    return Q(next_scan_at__lte=now) | Q(inside_interval_s__isnull=False, next_inside_at__lte=now)


def next_look(instance: Instance, now: datetime) -> tuple[Side, dict[str, datetime | None]]:
    """From where an instance that is due is looked at, and the slots that follow.  What is due from both
    sides in the same minute is one scan."""
    if instance.inside_interval_s is None:
        assert instance.next_scan_at is not None
        return Side.BOTH, {
            "next_scan_at": next_slot(instance.next_scan_at, instance.interval_s, now),
            "next_inside_at": None,
        }
    soon = now + timedelta(minutes=1)
    sides: list[Side] = []
    slots: dict[str, datetime | None] = {}
    for side, name, slot, interval_s in (
        (Side.OUTSIDE, "next_scan_at", instance.next_scan_at, instance.interval_s),
        (Side.INSIDE, "next_inside_at", instance.next_inside_at, instance.inside_interval_s),
    ):
        if slot is None or slot <= soon:
            sides.append(side)
            slots[name] = next_slot(slot or now, interval_s, max(now, slot or now))
    return (sides[0] if len(sides) == 1 else Side.BOTH), slots


def ring_unheard(now: datetime) -> None:
    """Tells the workers of scans that wait; without a broker the runners look for themselves."""
    if not settings.REDIS_URL:
        return
    old = now - timedelta(seconds=RING_AGAIN_S)
    waiting = Scan.objects.filter(
        Q(rung_at=None) | Q(rung_at__lt=old), state=ScanState.QUEUED, due_at__lte=now
    )
    for needs_key, queue in ((False, OUTSIDE_QUEUE), (True, INSIDE_QUEUE)):
        mine = waiting.filter(needs_key=needs_key)
        if not mine.exists():
            continue
        # Where workers have not got to what was rung, more rings would only keep them from it.
        rings = unheard(queue)
        if rings is not None and rings < BATCH:
            ring_scans(mine.order_by("due_at")[:BATCH])
