"""From changes to notices, and which mails are due: each step in one transaction that any clock may take.

What a scan changed becomes notices in the transaction that empties its outbox; a change of another sort tells
its notices in the transaction that stores it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from checks.items import all_items
from checks.model import Level
from fedisec.alerts import asking, digest, endings, reminders, storm, tidying
from fedisec.alerts.models import Delivery, DeliveryState, MailKind, Notice
from fedisec.alerts.notices import tell
from fedisec.alerts.pack import pack
from fedisec.alerts.recipients import of_instance
from fedisec.alerts.turned import put_right
from fedisec.lib import crash
from fedisec.scans.bell import MAIL_QUEUE, SEND_MAIL, ring
from fedisec.scans.models import REACH, Change
from fedisec.scans.settle import Kind
from fedisec.scans.turned import Watch

BATCH = 50
RING_AGAIN_S = 60
_watch = Watch()
UNSENT = (DeliveryState.PENDING, DeliveryState.SENDING)
_KINDS = {
    Kind.REGRESSED.value: MailKind.REGRESSION,
    Kind.RECOVERED.value: MailKind.RECOVERY,
    Kind.FLAPPING.value: MailKind.FLAPPING,
    Kind.CALMED.value: MailKind.FLAPPING,
    Kind.BLIND.value: MailKind.BLIND,
}


def tick(now: datetime) -> None:
    """One round of the clock: storms held back, notices out of outbox and calendar, old mails into oblivion,
    mails out of notices, leases that ran out, workers told."""
    if _watch.was_turned_back(now):
        put_right(now)
    storm.tick(now)
    while collect(now) == BATCH:
        pass
    for calendar in (reminders, endings, digest, asking, tidying):
        calendar.tick(now)
    pack(now)
    end_leases(now)
    ring_unheard(now)


def collect(now: datetime) -> int:
    """Empties the outbox for a batch of scans; returns for how many."""
    waiting = _waiting(now).order_by("scan_id").values_list("scan_id", flat=True)
    return sum(_collect_scan(scan_id, now) for scan_id in list(waiting.distinct()[:BATCH]))


def _waiting(now: datetime) -> QuerySet[Change]:
    """What was weighed (`storm`) and is not held."""
    return Change.objects.filter(held_until__lte=now, processed_at=None)


def _collect_scan(scan_id: int, now: datetime) -> bool:
    """True if the changes of this scan were ours to take."""
    with transaction.atomic():
        rows = _waiting(now).filter(scan_id=scan_id).order_by("pk")
        if connection.features.has_select_for_update_skip_locked:
            rows = rows.select_for_update(skip_locked=True)
        changes = list(rows)
        if not changes:
            return False
        Change.objects.filter(pk__in=[change.pk for change in changes]).update(processed_at=now)
        crash.point("before_noticed")
        recipients = of_instance(changes[0].instance_id)
        for change in changes:
            kind = kind_of(change)
            if kind is not None:
                tell(kind, str(change.pk), recipients, now, change=change, level=level_of(change.item_id))
    crash.point("noticed")
    return True


def kind_of(change: Change) -> MailKind | None:
    """What a change is told as; None for one that is only listed."""
    if change.item_id == REACH:
        return MailKind.UNREACHABLE if change.kind in _KINDS else None
    return _KINDS.get(change.kind)  # a kind of a newer version is listed and not told


def level_of(item_id: str) -> Level | None:
    """None for what is no item of this version: nobody who chose levels misses it."""
    item = all_items().get(item_id)
    return item.level if item is not None else None


def end_leases(now: datetime) -> int:
    """Mails whose sender died go back to pending; they keep their Message-ID."""
    dead = Delivery.objects.filter(state=DeliveryState.SENDING, lease_until__lt=now)
    return dead.update(state=DeliveryState.PENDING, lease_until=None, rung_at=None, maybe_arrived=True)


def due(now: datetime) -> QuerySet[Delivery]:
    """Mails to send now, oldest first.  What was told of one incident arrives in its order: no "met again"
    before the "no longer met" that it answers."""
    same_reader = Q(user=OuterRef("user")) | Q(channel=OuterRef("channel"))
    earlier = Notice.objects.filter(
        same_reader,
        incident__notices__delivery=OuterRef("pk"),
        delivery__lt=OuterRef("pk"),
        delivery__state__in=UNSENT,
    )
    ready = Delivery.objects.filter(state=DeliveryState.PENDING, next_try_at__lte=now)
    return ready.exclude(Exists(earlier)).order_by("pk")


def ring_unheard(now: datetime) -> None:
    """Tells the workers of mails that wait; without a broker the runners look for themselves."""
    if not settings.REDIS_URL:
        return
    quiet = Q(rung_at=None) | Q(rung_at__lt=now - timedelta(seconds=RING_AGAIN_S))
    for pk in due(now).filter(quiet).values_list("pk", flat=True)[:BATCH]:
        if ring(SEND_MAIL, pk, queue=MAIL_QUEUE):
            Delivery.objects.filter(pk=pk, state=DeliveryState.PENDING).update(rung_at=now)
