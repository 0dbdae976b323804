"""One call of a channel, and what the channel's row remembers of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from fedisec.accounts import audit
from fedisec.alerts.channels import apprise_way, webhook
from fedisec.alerts.channels.sealing import address_of, secrets_of, signs_twice
from fedisec.alerts.channels.trouble import NotTaken
from fedisec.alerts.letter import Summary, summary_of
from fedisec.alerts.models import Channel, ChannelKind, Delivery, MailKind
from fedisec.lib.middleware import zone
from fedisec.lib.secrets import CannotOpen

__all__ = ["NotTaken", "call"]

log = logging.getLogger(__name__)


def call(delivery: Delivery) -> str:
    """Tells the channel of `delivery` all that it is about; returns what the other side said, one clean line.
    NotTaken where it was not taken.  Outside any transaction: it may last 15 seconds, Apprise 30."""
    channel, now = delivery.channel, timezone.now()
    assert channel is not None
    try:
        with _in_words_of(channel):
            said = _call(channel, delivery, now)
    except NotTaken as trouble:
        _failed(channel, trouble, now)
        raise
    Channel.objects.filter(pk=channel.pk, failing_since__isnull=False).update(failing_since=None)
    if channel.sealed_secret_before and not signs_twice(channel, now):
        stale = Channel.objects.filter(pk=channel.pk, sealed_secret_before=channel.sealed_secret_before)
        stale.update(sealed_secret_before="")
    return said


@contextmanager
def _in_words_of(channel: Channel) -> Iterator[None]:
    """The language and time zone that were chosen for a channel are active."""
    language = channel.language or settings.LANGUAGE_CODE
    with translation.override(language), timezone.override(zone(channel.time_zone)):
        yield


def _call(channel: Channel, delivery: Delivery, now: datetime) -> str:
    try:
        address = address_of(channel)
        secrets = secrets_of(channel, now) if channel.kind == ChannelKind.WEBHOOK else []
    except CannotOpen:
        raise NotTaken(_("No key in the key file opens the address of this channel.")) from None
    summary = summary_of(delivery)
    if channel.kind == ChannelKind.WEBHOOK:
        body = webhook.body_of(summary.facts, delivery.created_at)
        key = webhook.message_id(delivery.message_id)
        return webhook.post(address, secrets, key, body, now, delivery.attempts)
    text = apprise_way.short(_text(delivery, summary), summary.facts["link"])
    return apprise_way.send(address, summary.subject, text, now, delivery.attempts)


def _text(delivery: Delivery, summary: Summary) -> str:
    if delivery.kind == MailKind.TEST:  # the words of a test mail speak of mail
        return _("This is the test that somebody asked for. Alarms will come the same way.")
    return summary.text


def _failed(channel: Channel, trouble: NotTaken, now: datetime) -> None:
    rows = Channel.objects.filter(pk=channel.pk)
    rows.filter(failing_since=None).update(failing_since=now)
    if trouble.stop is None:
        return
    with transaction.atomic():
        if rows.filter(enabled=True).update(enabled=False, stopped_why=trouble.stop.value):
            log.warning("channel %s was switched off: %s", channel.pk, trouble.stop)
            audit.record(
                "channel.stopped", team=channel.team, by=None, before=channel.name, why=trouble.answer
            )
