"""A test of a channel: one call while somebody waits for the answer, and its line in the log."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from fedisec.accounts import audit
from fedisec.accounts.models import User
from fedisec.alerts.channels.calling import call
from fedisec.alerts.channels.trouble import NotTaken
from fedisec.alerts.models import Channel, Delivery, DeliveryState, MailKind, Notice
from fedisec.alerts.pack import message_id
from fedisec.alerts.recipients import of_channel

PAUSE_S = 10  # between two tests of one channel: the other side belongs to somebody else
_LEASE = timedelta(seconds=60)  # longer than any call


class TooSoon(Exception):
    """Another test of this channel runs, or ended just now."""


def send_test(channel: Channel, user: User, now: datetime) -> tuple[bool, str]:
    """Whether it was taken, and what the other side said.  TooSoon right after another one.  It may last 30
    seconds; if the process dies meanwhile, the clock has it sent once more like any other call."""
    if not cache.add(f"alerts:channel-test:{channel.pk}", 1, PAUSE_S):
        raise TooSoon
    delivery = _delivery(channel, user, now)
    mine = Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.SENDING)
    try:
        said = call(delivery)
    except NotTaken as trouble:
        mine.update(state=DeliveryState.FAILED, answer=trouble.answer, lease_until=None)
        return False, trouble.answer
    mine.update(state=DeliveryState.SENT, answer=said, lease_until=None, sent_at=timezone.now())
    return True, said


def _delivery(channel: Channel, user: User, now: datetime) -> Delivery:
    kind, about = MailKind.TEST.value, f"{channel.pk} {now.isoformat()}"
    with transaction.atomic():
        delivery = Delivery.objects.create(
            kind=kind,
            about=about,
            channel=channel,
            message_id=message_id(kind, about, of_channel(channel).key),
            state=DeliveryState.SENDING,
            lease_until=now + _LEASE,
            attempts=1,
            created_at=now,
        )
        Notice.objects.create(kind=kind, about=about, channel=channel, delivery=delivery, created_at=now)
        audit.record("channel.tested", team=channel.team, by=user, data={"channel": channel.name})
    return delivery
