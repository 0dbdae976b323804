"""Sends one mail: claims it, hands it to the relay outside any transaction, notes what the relay said.

A mail is never lost.  It can arrive twice only if the process dies between the relay's "250" and our commit,
and then with the same Message-ID.
"""

from __future__ import annotations

import logging
import smtplib
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from checks.clean import clean
from fedisec.alerts.letter import letter_of
from fedisec.alerts.models import Delivery, DeliveryState, Subscription
from fedisec.alerts.outbox import due
from fedisec.lib import crash

log = logging.getLogger(__name__)

PAUSES_MIN = (1, 2, 5, 10, 30, 60)
GIVE_UP_AFTER = timedelta(days=3)
_ANSWER_MAX = 500


def send_mail(delivery_id: int) -> None:
    """Sends the mail if it is due and nobody else has it.  Safe to call twice."""
    delivery = claim(delivery_id, timezone.now())
    if delivery is None:
        return
    crash.point("mail_claimed")
    if not _still_wanted(delivery):
        _finish(delivery, DeliveryState.FAILED, "no longer subscribed")
        return
    letter = letter_of(delivery)
    try:
        letter.send()
    except (smtplib.SMTPException, OSError) as error:
        _undelivered(delivery, error)
    else:
        crash.point("after_250")
        _finish(delivery, DeliveryState.SENT, "", subject=letter.subject, sent_at=timezone.now())


def claim(delivery_id: int, now: datetime) -> Delivery | None:
    """The mail, ours until the lease ends; None when it is not due, sent, or somebody else's."""
    lease = now + timedelta(seconds=settings.MAIL_LEASE_S)
    mine = due(now).filter(pk=delivery_id).order_by()
    if mine.update(state=DeliveryState.SENDING, lease_until=lease, attempts=F("attempts") + 1) != 1:
        return None
    return (
        Delivery.objects.select_related("instance", "user", "channel")
        .filter(pk=delivery_id, state=DeliveryState.SENDING, lease_until=lease)
        .first()
    )


def _still_wanted(delivery: Delivery) -> bool:
    """Whether its reader still hears of what it is about; of an instance, or of the installation."""
    if delivery.user is None or not delivery.user.is_active:
        return delivery.channel is not None and delivery.channel.enabled
    about = delivery.notices.filter(instance__isnull=False)
    mine = Subscription.objects.filter(user=delivery.user_id, instance__in=about.values("instance"))
    return mine.exists() or not about.exists()


def _undelivered(delivery: Delivery, error: OSError) -> None:
    answer = describe(error)
    now = timezone.now()
    if is_final(error) or now - delivery.created_at > GIVE_UP_AFTER:
        log.error("mail %s was not delivered: %s", delivery.message_id, answer)
        _finish(delivery, DeliveryState.FAILED, answer)
        return
    pause = timedelta(minutes=PAUSES_MIN[min(delivery.attempts, len(PAUSES_MIN)) - 1])
    log.warning("mail %s waits for another try: %s", delivery.message_id, answer)
    _finish(delivery, DeliveryState.PENDING, answer, next_try_at=now + pause, rung_at=None)


def is_final(error: OSError) -> bool:
    """True where this recipient or this message was refused for good.  What may be a fault of the relay or of
    our settings (a sender refused, no authentication, TLS) is tried again."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500


def describe(error: OSError) -> str:
    """What the relay said, as one clean line."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        words = "; ".join(f"{code} {_text(said)}" for code, said in error.recipients.values())
    elif isinstance(error, smtplib.SMTPResponseException):
        words = f"{error.smtp_code} {_text(error.smtp_error)}"
    else:
        words = f"{type(error).__name__}: {error}"
    return clean(words, _ANSWER_MAX, newlines=False)


def _text(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said


def _finish(delivery: Delivery, state: DeliveryState, answer: str, **more: object) -> None:
    """Fenced by the number of the try: who lost the mail to another one changes nothing."""
    held = Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.SENDING, attempts=delivery.attempts)
    with transaction.atomic():
        held.update(state=state, answer=answer, lease_until=None, **more)
        if state == DeliveryState.SENT:
            crash.point("before_sent")
