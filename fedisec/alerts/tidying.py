"""The log of deliveries ends after 90 days."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from fedisec.alerts.models import Delivery, DeliveryState, Notice

KEPT = timedelta(days=90)
BATCH = 500
OLD = "old"  # why a notice without a mail is not told: it was, and its mail is gone


def tick(now: datetime) -> None:
    """Ends a batch of what is older than 90 days, unless an incident that it told of is open: its end is to
    answer it.  What was told stays told: the notices keep their place without their mail."""
    done = (DeliveryState.SENT, DeliveryState.FAILED)
    old = Delivery.objects.filter(created_at__lt=now - KEPT, state__in=done).order_by("created_at")
    if not old.exists():
        return
    still = Notice.objects.filter(delivery__isnull=False, incident__closed_at=None, incident__isnull=False)
    ids = list(old.exclude(pk__in=still.values("delivery")).values_list("pk", flat=True)[:BATCH])
    with transaction.atomic():
        notices = Notice.objects.filter(delivery__in=ids)
        notices.update(delivery=None, dropped_at=now, dropped_why=OLD)
        Delivery.objects.filter(pk__in=ids, state__in=done).delete()
