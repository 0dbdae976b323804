"""From changes to mails: one per thing and subscriber, made in the transaction that empties the outbox (of
scans) or that stores the change itself (of everything else)."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.crypto import salted_hmac

from checks.items import all_items
from checks.model import Level
from fedisec.alerts.models import Delivery, DeliveryState, MailKind, Subscription
from fedisec.scans.bell import SEND_MAIL, ring
from fedisec.scans.models import Change
from fedisec.scans.settle import Kind

BATCH = 50
RING_AGAIN_S = 60
MAILED = (Kind.REGRESSED.value, Kind.RECOVERED.value)


def tick(now: datetime) -> None:
    """One round of the clock: new mails out of the outbox, leases that ran out, workers told."""
    while collect(now) == BATCH:
        pass
    end_leases(now)
    ring_unheard(now)


def collect(now: datetime) -> int:
    """Empties the outbox for a batch of scans; returns for how many."""
    waiting = Change.objects.filter(processed_at=None).order_by("scan_id").values_list("scan_id", flat=True)
    return sum(_collect_scan(scan_id, now) for scan_id in list(waiting.distinct()[:BATCH]))


def _collect_scan(scan_id: int, now: datetime) -> bool:
    """True if the changes of this scan were ours to take."""
    with transaction.atomic():
        rows = Change.objects.filter(scan_id=scan_id, processed_at=None)
        if connection.features.has_select_for_update_skip_locked:
            rows = rows.select_for_update(skip_locked=True)
        changes = list(rows)
        if not changes:
            return False
        Change.objects.filter(pk__in=[change.pk for change in changes]).update(processed_at=now)
        if any(is_worth_a_mail(change) for change in changes):
            # One mail about all that the scan changed.
            address(MailKind.REGRESSION, str(scan_id), changes[0].instance_id, now, scan_id=scan_id)
    return True


def address(
    kind: MailKind,
    about: str,
    instance_id: int,
    now: datetime,
    *,
    scan_id: int | None = None,
    data: dict[str, str] | None = None,
) -> None:
    """One mail for each person who hears of the instance; none for who was told of the same thing.  Inside
    the caller's transaction: a change that is stored has its mails."""
    users = Subscription.objects.filter(instance=instance_id, user__is_active=True)
    Delivery.objects.bulk_create(
        (
            Delivery(
                kind=kind.value,
                about=about,
                data=data or {},
                instance_id=instance_id,
                scan_id=scan_id,
                user_id=user_id,
                message_id=message_id(kind, about, user_id),
                next_try_at=now,
                created_at=now,
            )
            for user_id in users.order_by("user_id").values_list("user_id", flat=True)
        ),
        ignore_conflicts=True,
    )


def is_worth_a_mail(change: Change) -> bool:
    """Optional items are shown on the pages and in mails that go out anyway; they send none."""
    item = all_items().get(change.item_id)
    return change.kind in MAILED and (item is None or item.level is not Level.OPTIONAL)


def message_id(kind: MailKind, about: str, user_id: int) -> str:
    """The same for every try of one mail, and like no other installation's."""
    mark = salted_hmac("fedisec.alerts", f"{kind.value} {about} {user_id}", algorithm="sha256").hexdigest()
    return f"<{kind.value.replace('_', '-')}.{mark[:32]}@{urlsplit(settings.PUBLIC_URL).hostname}>"


def end_leases(now: datetime) -> int:
    """Mails whose sender died go back to pending; they keep their Message-ID."""
    dead = Delivery.objects.filter(state=DeliveryState.SENDING, lease_until__lt=now)
    return dead.update(state=DeliveryState.PENDING, lease_until=None, rung_at=None)


def due(now: datetime) -> QuerySet[Delivery]:
    """Mails to send now, oldest first.  A person gets the mails of one kind about one instance in their
    order: no "met again" before the "no longer met" that it answers."""
    unsent = (DeliveryState.PENDING, DeliveryState.SENDING)
    earlier = Delivery.objects.filter(
        kind=OuterRef("kind"),
        user=OuterRef("user"),
        instance=OuterRef("instance"),
        pk__lt=OuterRef("pk"),
        state__in=unsent,
    )
    ready = Delivery.objects.filter(state=DeliveryState.PENDING, next_try_at__lte=now)
    return ready.exclude(Exists(earlier)).order_by("pk")


def ring_unheard(now: datetime) -> None:
    """Tells the workers of mails that wait; without a broker the runners look for themselves."""
    if not settings.REDIS_URL:
        return
    quiet = Q(rung_at=None) | Q(rung_at__lt=now - timedelta(seconds=RING_AGAIN_S))
    for pk in due(now).filter(quiet).values_list("pk", flat=True)[:BATCH]:
        if ring(SEND_MAIL, pk):
            Delivery.objects.filter(pk=pk, state=DeliveryState.PENDING).update(rung_at=now)
