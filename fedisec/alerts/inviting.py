"""The mail with an invitation: a `Delivery` like any other, of who invites; no notice belongs to it.

It goes to an address without an account, or to one with: both look the same to whoever invited."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from fedisec.accounts.invitations import is_open, link_for
from fedisec.accounts.team_models import Invitation
from fedisec.alerts import relay
from fedisec.alerts.models import Delivery
from fedisec.alerts.pack import message_id

INVITE = "invite"  # a kind of delivery, and of no notice


def ask(invitation: Invitation) -> None:
    """`settings.MAIL_INVITATION`: queues the mail; none without a relay, where the link is copied by hand."""
    if invitation.created_by is None or not relay.is_set():
        return
    about, now = str(invitation.pk), timezone.now()
    Delivery.objects.create(
        kind=INVITE,
        about=about,
        user=invitation.created_by,
        message_id=message_id(INVITE, about, "invited"),
        next_try_at=now,
        created_at=now,
    )


def may_go(delivery: Delivery) -> bool:
    """Whether the invitation is still open, and who made it still active."""
    found = _invitation(delivery)
    active = delivery.user is not None and delivery.user.is_active
    return active and found is not None and is_open(found) and bool(link_for(found))


def letter_of(delivery: Delivery) -> EmailMultiAlternatives:
    """In both languages: nothing is known of who reads it."""
    found = _invitation(delivery)
    assert found is not None and delivery.user is not None
    parts = []
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            context = {
                "by": delivery.user.email,
                "team": found.team.name,
                "ends": found.ends_at,
                "link": link_for(found),
                "site": settings.PUBLIC_URL,
            }
            parts.append(render_to_string("teams/invitation_mail.txt", context).strip())
    with translation.override(delivery.user.language or settings.LANGUAGE_CODE):
        subject = "[fedisec] " + _("You are invited")
    return EmailMultiAlternatives(
        subject=subject,
        body="\n\n\n".join(parts) + "\n",
        to=[found.email],
        headers={"Message-ID": delivery.message_id, "Auto-Submitted": "auto-generated"},
    )


def _invitation(delivery: Delivery) -> Invitation | None:
    return Invitation.objects.select_related("team").filter(pk=int(delivery.about)).first()
