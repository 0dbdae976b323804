"""What became of each mail and each call: who may see it, and another try."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from fedisec.accounts import audit
from fedisec.accounts.models import Membership, Role, User
from fedisec.alerts import banners
from fedisec.alerts.models import Delivery, DeliveryState


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
        audit.record("mail.again", team=None, by=by, after=to)
    banners.forget()
    return True
