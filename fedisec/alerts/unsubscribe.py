"""Ending mails from within a mail, without signing in: RFC 2369 section 3.2, RFC 8058.

The address holds a ticket that is bound to one person and one purpose.  It works for ever, is encrypted, so
that it tells nothing to who sees it, and can do nothing but end mails.
"""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass
from enum import IntEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings
from django.urls import reverse
from django.utils.crypto import salted_hmac

from fedisec.accounts.models import User
from fedisec.alerts import wishing
from fedisec.alerts.models import Delivery, MailKind
from fedisec.alerts.packing import ALARMS

_FORM = struct.Struct(">BQQ")  # purpose, person, instance (0: none)
_BOUND_TO = [b"fedisec.alerts.unsubscribe"]
TICKET_LENGTH = 44  # (17 bytes + 16 of the seal) in base64


class Purpose(IntEnum):
    """What a ticket ends.  The numbers stand in mails for ever: none is used anew."""

    INSTANCE = 1  # the mails about one instance
    ALARMS = 2  # what got worse or better, of all instances
    REMINDERS = 3  # with answers that end: they come in the same mail
    DIGEST = 4
    NEWS = 5

    @property
    def word(self) -> str:
        return self.name.lower()


_BY_KIND = {
    MailKind.REMINDER: Purpose.REMINDERS,
    MailKind.ENDING: Purpose.REMINDERS,
    MailKind.DIGEST: Purpose.DIGEST,
    MailKind.NEWS: Purpose.NEWS,
}
KINDS = {
    Purpose.ALARMS: tuple(sorted(ALARMS)),
    Purpose.REMINDERS: (MailKind.REMINDER, MailKind.ENDING),
    Purpose.NEWS: (MailKind.NEWS,),
}


@dataclass(frozen=True, slots=True)
class Ticket:
    """`instance_id` counts for Purpose.INSTANCE alone."""

    purpose: Purpose
    user_id: int
    instance_id: int = 0


def header_of(delivery: Delivery) -> dict[str, str]:
    """The headers that end mails like this one; none for a channel, and for what always comes.  The promise
    of one click is for https alone (RFC 8058 section 3.1)."""
    link = link_of(delivery)
    if not link:
        return {}
    headers = {"List-Unsubscribe": f"<{link}>"}
    if link.startswith("https:"):
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def link_of(delivery: Delivery) -> str:
    """The page that ends mails like this one; "" where nothing can be ended."""
    ticket = ticket_for(delivery)
    return settings.PUBLIC_URL + reverse("unsubscribe", args=[sealed(ticket)]) if ticket is not None else ""


def ticket_for(delivery: Delivery) -> Ticket | None:
    """What ends mails like this one: for an alarm of one instance that instance, of several all alarms."""
    kind = next((kind for kind in MailKind if kind.value == delivery.kind), None)
    if kind is None or delivery.user_id is None:
        return None
    if kind in _BY_KIND:
        return Ticket(_BY_KIND[kind], delivery.user_id)
    if delivery.instance_id is not None and (kind in ALARMS or kind is MailKind.HOST_KEY):
        return Ticket(Purpose.INSTANCE, delivery.user_id, delivery.instance_id)
    return Ticket(Purpose.ALARMS, delivery.user_id) if kind in ALARMS else None


def sealed(ticket: Ticket) -> str:
    """44 characters of an address; the same for the same ticket."""
    plain = _FORM.pack(ticket.purpose, ticket.user_id, ticket.instance_id)
    return base64.urlsafe_b64encode(_cipher(settings.SECRET_KEY).encrypt(plain, _BOUND_TO)).decode()


def opened(text: str) -> Ticket | None:
    """The ticket in an address; None for anything that this installation has not sealed."""
    if len(text) != TICKET_LENGTH:
        return None
    try:
        data = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except ValueError:
        return None
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            purpose, user_id, instance_id = _FORM.unpack(_cipher(secret).decrypt(data, _BOUND_TO))
            return Ticket(Purpose(purpose), user_id, instance_id)
        except InvalidTag:
            continue
    return None


def _cipher(secret: str) -> AESSIV:
    """A key for this alone.  AES-SIV (RFC 5297): the same ticket always gives the same address."""
    return AESSIV(salted_hmac("fedisec.alerts.unsubscribe", "", secret=secret, algorithm="sha512").digest())


def end(ticket: Ticket) -> None:
    """Ends what the ticket is for.  Twice is once; for a person who is gone it does nothing."""
    user = User.objects.filter(pk=ticket.user_id).first()
    if user is None:
        return
    if ticket.purpose is Purpose.INSTANCE:
        wishing.end_instance(user, ticket.instance_id, ticket.purpose.word)
    elif ticket.purpose is Purpose.DIGEST:
        wishing.end_digest(user, ticket.purpose.word)
    else:
        wishing.end_kinds(user, KINDS[ticket.purpose], ticket.purpose.word)
