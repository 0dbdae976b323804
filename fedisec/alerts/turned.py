"""Mails whose time a clock that was turned back has put off; see fedisec/scans/turned.py."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from fedisec.alerts.models import Delivery, DeliveryState
from fedisec.scans.models import Change
from fedisec.scans.turned import APART, HOUR

LONGEST_PAUSE = HOUR  # between two tries of a mail; nor is a change held for longer at a time


def put_right(now: datetime) -> None:
    """Tries, leases, rings and held changes into the reach of `now`."""
    pending = Delivery.objects.filter(state=DeliveryState.PENDING)
    pending.filter(next_try_at__gt=now + LONGEST_PAUSE + APART).update(next_try_at=now, rung_at=None)
    pending.filter(rung_at__gt=now + APART).update(rung_at=None)
    lease = now + timedelta(seconds=settings.MAIL_LEASE_S)
    sending = Delivery.objects.filter(state=DeliveryState.SENDING, lease_until__gt=lease + APART)
    sending.update(lease_until=lease)  # its sender, if alive, is known by the number of its try
    held = Change.objects.filter(processed_at=None, held_until__gt=now + LONGEST_PAUSE + APART)
    held.update(held_until=now)
