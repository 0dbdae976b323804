"""Puts waiting notices into mails, as `packing.plan` says; each recipient in one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils.crypto import salted_hmac

from fedisec.accounts.models import User
from fedisec.alerts.models import Channel, Delivery, DeliveryState, MailKind, Notice, Subscription
from fedisec.alerts.packing import ALARMS, HOUR, Made, Waiting, plan
from fedisec.alerts.recipients import Recipient, of_channel, of_person
from fedisec.lib import crash

M = TypeVar("M", Notice, Delivery)
NOTICES_MAX = 5_000  # of one recipient in one round


def pack(now: datetime) -> int:
    """Makes the mails whose time has come; returns how many."""
    queue = Notice.objects.filter(delivery=None, dropped_at=None)
    people = queue.filter(user__isnull=False).order_by().values_list("user", flat=True).distinct()
    channels = queue.filter(channel__isnull=False).order_by().values_list("channel", flat=True).distinct()
    made = 0
    for user in User.objects.filter(pk__in=list(people)).select_related("preference"):
        made += _pack_for(of_person(user), now)
    for channel in Channel.objects.filter(pk__in=list(channels)):
        made += _pack_for(of_channel(channel), now)
    return made


def _pack_for(recipient: Recipient, now: datetime) -> int:
    with transaction.atomic():
        rows = _of(recipient, Notice.objects.filter(delivery=None, dropped_at=None)).order_by("pk")
        if connection.features.has_select_for_update_skip_locked:
            rows = rows.select_for_update(skip_locked=True)
        notices = {notice.pk: notice for notice in rows[:NOTICES_MAX]}
        if not notices:
            return 0
        mails = plan(
            _waiting(notices.values(), recipient),
            _made_lately(recipient, now),
            now,
            held_until=recipient.wishes.held_until(now),
            group_for=timedelta(seconds=settings.MAIL_GROUP_S),
        )
        for mail in mails:
            _make([notices[pk] for pk in mail], recipient, now)
    if mails:
        crash.point("packed")
    return len(mails)


def _waiting(notices: Iterable[Notice], recipient: Recipient) -> list[Waiting]:
    held: dict[int, datetime | None] = {}
    if recipient.user is not None:
        snoozed = Subscription.objects.filter(user=recipient.user, snoozed_until__isnull=False)
        held = dict(snoozed.values_list("instance", "snoozed_until"))
    return [
        Waiting(one.pk, MailKind(one.kind), one.instance_id, one.created_at, held.get(one.instance_id or 0))
        for one in notices
    ]


def _made_lately(recipient: Recipient, now: datetime) -> list[Made]:
    rows = _of(recipient, Delivery.objects.filter(created_at__gt=now - HOUR, created_at__lte=now))
    alarms = rows.filter(kind__in=[kind.value for kind in ALARMS])
    return [Made(at, instance) for at, instance in alarms.values_list("created_at", "instance")]


def _make(notices: list[Notice], recipient: Recipient, now: datetime) -> None:
    """One mail about `notices`; what cannot have arrived yet is told with it."""
    instances = {notice.instance_id for notice in notices}
    instance_id = instances.pop() if len(instances) == 1 else None
    mail = _unsent(recipient, MailKind(notices[0].kind), instance_id)
    if mail is None:
        first = notices[0]
        mail = Delivery.objects.create(
            kind=first.kind,
            about=first.about,
            instance_id=instance_id,
            user_id=recipient.user_id,
            channel_id=recipient.channel_id,
            message_id=message_id(first.kind, first.about, recipient.key),
            next_try_at=now,
            created_at=now,
        )
    Notice.objects.filter(pk__in=[notice.pk for notice in notices]).update(delivery=mail)


def _unsent(recipient: Recipient, kind: MailKind, instance_id: int | None) -> Delivery | None:
    """A mail about the same that was tried, and of which nothing can have arrived: what is new joins it, so
    that an hour without a relay ends with one mail that says both."""
    if kind not in ALARMS:
        return None
    rows = _of(recipient, Delivery.objects.filter(state=DeliveryState.PENDING, maybe_arrived=False))
    rows = rows.filter(attempts__gt=0, instance=instance_id, kind__in=[kind.value for kind in ALARMS])
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True)
    return rows.order_by("pk").first()


def _of(recipient: Recipient, rows: QuerySet[M]) -> QuerySet[M]:
    return rows.filter(Q(user=recipient.user_id) if recipient.user else Q(channel=recipient.channel_id))


def message_id(kind: str, about: str, recipient: str) -> str:
    """The same for every try of one mail, and like no other installation's."""
    mark = salted_hmac("fedisec.alerts", f"{kind} {about} {recipient}", algorithm="sha256").hexdigest()
    return f"<{kind.replace('_', '-')}.{mark[:32]}@{urlsplit(settings.PUBLIC_URL).hostname}>"
