"""What became of each mail and each call: who may see it, another try, and the end of what is old."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from fedisec.accounts import audit
from fedisec.accounts.models import Membership, Role, User
from fedisec.alerts import banners
from fedisec.alerts.models import Delivery, DeliveryState, Notice

KEPT = timedelta(days=90)
BATCH = 500
OLD = "old"  # why a notice without a mail is not told: it was, and its mail is gone


def visible(user: User) -> QuerySet[Delivery]:
    """All for an operator; for anybody else their own, and those of channels of teams that they own."""
    rows = Delivery.objects.select_related("user", "channel", "instance").order_by("-created_at", "-pk")
    if user.is_superuser:
        return rows
    owned = Membership.objects.filter(user=user, role=Role.OWNER).values("team")
    return rows.filter(Q(user=user) | Q(channel__team__in=owned))


def try_again(delivery: Delivery, by: User, now: datetime) -> bool:
    """Makes it due at once; False where it is being sent or was."""
    with transaction.atomic():
        waits = Delivery.objects.filter(
            pk=delivery.pk, state__in=(DeliveryState.PENDING, DeliveryState.FAILED)
        )
        if not waits.update(state=DeliveryState.PENDING, next_try_at=now, lease_until=None, rung_at=None):
            return False
        to = delivery.user.email if delivery.user is not None else str(delivery.channel)
        for team in by.teams.order_by("pk"):
            audit.record("mail.again", team=team, by=by, after=to)
    banners.forget()
    return True


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
