"""Sends one mail, or makes one call of a channel: claims it, hands it over outside any transaction, notes
what the other side said.

A mail is never lost.  It can arrive twice only if nobody heard the relay's answer to its content (a process
that died, a connection that broke), and then with the same Message-ID.
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
from fedisec.accounts.models import User
from fedisec.alerts import account_letters, asking, inviting, relay
from fedisec.alerts.channels.calling import NotTaken, call
from fedisec.alerts.confirming import may_be_mailed
from fedisec.alerts.dialogue import MaybeArrived
from fedisec.alerts.letter import letter_of, summary_of
from fedisec.alerts.models import Delivery, DeliveryState, Subscription
from fedisec.alerts.outbox import due
from fedisec.lib import crash

log = logging.getLogger(__name__)

PAUSES_MIN = (1, 2, 5, 10, 30, 60)
GIVE_UP_AFTER = timedelta(days=3)
TRIES_MAX = 500  # more than those days take: each try ended the process, or found no words
BROKEN = "no try came to an end"
NOT_WANTED = "no longer subscribed"  # answers that are no trouble of the relay
NOT_CONFIRMED = "the address is not confirmed"
_ANSWER_MAX, _SUBJECT_MAX = 500, 200
_WRITERS = {
    asking.CONFIRM: asking.letter_of,
    account_letters.ACCOUNT: account_letters.letter_of,
    account_letters.RESET: account_letters.letter_of,
    inviting.INVITE: inviting.letter_of,
}


def send_mail(delivery_id: int) -> None:
    """Sends the mail if it is due and nobody else has it.  Safe to call twice."""
    delivery = claim(delivery_id, timezone.now())
    if delivery is None:
        return
    crash.point("mail_claimed")
    why_not = _why_not(delivery)
    if why_not:
        _finish(delivery, DeliveryState.FAILED, why_not)
        return
    if delivery.channel_id is not None:
        _call(delivery)
    else:
        _mail(delivery)


def _mail(delivery: Delivery) -> None:
    letter = _WRITERS.get(delivery.kind, letter_of)(delivery)
    subject = letter.subject[:_SUBJECT_MAX]
    try:
        answer = relay.send(letter)
    except OSError as error:  # smtplib's exceptions are OSErrors
        maybe = isinstance(error, MaybeArrived)
        _undelivered(delivery, describe(error), is_final(error), maybe_arrived=maybe, subject=subject)
    else:
        crash.point("after_250")
        _delivered(delivery, answer, subject=subject)


def _call(delivery: Delivery) -> None:
    subject = summary_of(delivery).subject[:_SUBJECT_MAX]
    try:
        answer = call(delivery)
    except NotTaken as trouble:
        maybe, pause = trouble.maybe_arrived, trouble.pause
        _undelivered(
            delivery, trouble.answer, trouble.final, maybe_arrived=maybe, pause=pause, subject=subject
        )
    else:
        _delivered(delivery, answer, subject=subject)


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


def _why_not(delivery: Delivery) -> str:
    """ "" where it is to be sent: its reader still hears of what it is about, at a confirmed address."""
    user = delivery.user
    if delivery.attempts > TRIES_MAX:
        return BROKEN
    if user is None:
        return "" if delivery.channel is not None and delivery.channel.enabled else NOT_WANTED
    if delivery.kind == asking.CONFIRM:
        return "" if user.is_active and asking.is_open(delivery) else NOT_WANTED
    if delivery.kind in (account_letters.ACCOUNT, account_letters.RESET):
        if not account_letters.may_go(delivery):
            return NOT_WANTED
        return "" if account_letters.reaches(delivery) else NOT_CONFIRMED
    if delivery.kind == inviting.INVITE:
        return "" if inviting.may_go(delivery) else NOT_WANTED
    about = delivery.notices.filter(instance__isnull=False)
    mine = Subscription.objects.filter(user=user, instance__in=about.values("instance"))
    if not user.is_active or not (mine.exists() or not about.exists()):
        return NOT_WANTED
    reached = may_be_mailed(User.objects.filter(pk=user.pk)).exists()
    return "" if reached else NOT_CONFIRMED


def _delivered(delivery: Delivery, answer: str, **more: object) -> None:
    said = clean(answer, _ANSWER_MAX, newlines=False)
    _finish(delivery, DeliveryState.SENT, said, sent_at=timezone.now(), **more)


def _undelivered(
    delivery: Delivery,
    answer: str,
    final: bool,
    *,
    maybe_arrived: bool,
    pause: timedelta | None = None,
    **more: object,
) -> None:
    """`final`: nobody will ever take it.  `pause`: the least time before another try."""
    now = timezone.now()
    more |= {"maybe_arrived": True} if maybe_arrived else {}
    if final or now - delivery.created_at > GIVE_UP_AFTER:
        log.error("mail %s was given up: %s", delivery.message_id, answer)
        _finish(delivery, DeliveryState.FAILED, answer, next_try_at=now, **more)
        return
    own = timedelta(minutes=PAUSES_MIN[min(delivery.attempts, len(PAUSES_MIN)) - 1])
    log.warning("mail %s waits for another try: %s", delivery.message_id, answer)
    again = now + max(own, pause or own)
    _finish(delivery, DeliveryState.PENDING, answer, next_try_at=again, rung_at=None, **more)


def is_final(error: OSError) -> bool:
    """True where this recipient or this message was refused for good.  What may be a fault of the relay or of
    our settings (a sender refused, no authentication, TLS) is tried again."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 and not _is_about_us(said) for code, said in error.recipients.values())
    return isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500


def _is_about_us(said: bytes | str) -> bool:
    """Whether a recipient was refused for who we are: "relaying denied" and the like, until we log in or are
    let in.  5.7 is the class of security and policy (RFC 3463 3.8)."""
    return _text(said).startswith("5.7.")


def describe(error: OSError) -> str:
    """What the relay said, or what came instead, as one clean line."""
    if isinstance(error, MaybeArrived):
        return clean(f"no answer to the content: {error}", _ANSWER_MAX, newlines=False)
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
