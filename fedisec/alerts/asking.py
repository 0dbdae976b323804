"""Asks people to confirm their address, by a mail with a signed link of three days.

The mail is a `Delivery` like any other, so it is tried again and stands in the log; no notice belongs to it.
allauth keeps which address is confirmed, and handles the link."""

from __future__ import annotations

from datetime import datetime, timedelta

from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Subquery, Value
from django.db.models.functions import Cast, Concat
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from fedisec.accounts.models import User
from fedisec.alerts import relay
from fedisec.alerts.confirming import confirmed
from fedisec.alerts.models import Delivery
from fedisec.alerts.pack import message_id

CONFIRM = "confirm"  # a kind of delivery, and of no notice
AN_HOUR, A_DAY = 3, 10  # mails to one person, at most
BATCH = 20


def tick(now: datetime) -> None:
    """Asks once for each address, as soon as there is a relay."""
    if not relay.is_set():
        return
    mine = EmailAddress.objects.filter(
        user=OuterRef(OuterRef("pk")), email__iexact=OuterRef(OuterRef("email"))
    )
    begins = Concat(Cast(Subquery(mine.values("pk")[:1]), CharField()), Value(" "))
    asked = Delivery.objects.filter(user=OuterRef("pk"), kind=CONFIRM, about__startswith=begins)
    people = User.objects.filter(~confirmed(), ~Exists(asked), is_active=True)
    for user in people.order_by("pk")[:BATCH]:
        ask(address_of(user), now)


def address_of(user: User) -> EmailAddress:
    """What allauth knows of the address that `user` has now."""
    primary = not EmailAddress.objects.filter(user=user, primary=True).exists()
    found, _made = EmailAddress.objects.get_or_create(
        user=user, email=user.email.lower(), defaults={"primary": primary}
    )
    return found


def ask(address: EmailAddress, now: datetime | None = None) -> bool:
    """Queues the mail with the link; False where that person got too many of them."""
    now = now or timezone.now()
    with transaction.atomic():
        User.objects.select_for_update().get(pk=address.user_id)  # who presses twice is counted twice
        sent = Delivery.objects.filter(user=address.user_id, kind=CONFIRM, created_at__lte=now)
        if sent.filter(created_at__gt=now - timedelta(hours=1)).count() >= AN_HOUR:
            return False
        if sent.filter(created_at__gt=now - timedelta(days=1)).count() >= A_DAY:
            return False
        about = f"{address.pk} {now.isoformat()}"
        Delivery.objects.create(
            kind=CONFIRM,
            about=about,
            user_id=address.user_id,
            message_id=message_id(CONFIRM, about, f"user {address.user_id}"),
            next_try_at=now,
            created_at=now,
        )
    return True


def is_open(delivery: Delivery) -> bool:
    """Whether the address that `delivery` asks about still is to be confirmed."""
    return bool(EmailAddress.objects.filter(pk=_asked(delivery), verified=False).exists())


def letter_of(delivery: Delivery) -> EmailMultiAlternatives:
    """The mail with the link, in its reader's language.  The link is made when it is sent, so that waiting
    for a relay costs nothing of its three days."""
    address = EmailAddress.objects.select_related("user").get(pk=_asked(delivery))
    language = address.user.language or settings.LANGUAGE_CODE
    path = reverse("account_confirm_email", args=[EmailConfirmationHMAC(address).key])
    with translation.override(language):
        context = {
            "language": language,
            "address": address.email,
            "site": settings.PUBLIC_URL,
            "link": settings.PUBLIC_URL + path,
        }
        letter = EmailMultiAlternatives(
            subject="[fedisec] " + _("Confirm your address"),
            body=render_to_string("alerts/server/confirm_mail.txt", context),
            to=[address.email],
            headers={"Message-ID": delivery.message_id, "Auto-Submitted": "auto-generated"},
        )
        html = render_to_string("alerts/server/confirm_mail.html", context)
        letter.attach_alternative(html, "text/html")
    return letter


def _asked(delivery: Delivery) -> int:
    return int(delivery.about.split()[0])
