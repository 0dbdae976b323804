"""Mails about somebody's own account: what changed in it, and the link of a forgotten password.

Each is a `Delivery` like any other, so it is tried again and stands in the log.  What a notice says lies in
its `Notice`; the link of a password is made when it is sent, so that no token waits in the database."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import cast

from allauth.account import app_settings
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from checks.clean import clean
from fedisec.accounts.models import User
from fedisec.alerts.confirming import may_be_mailed
from fedisec.alerts.models import Delivery, Notice
from fedisec.alerts.pack import message_id
from fedisec.lib.middleware import zone

ACCOUNT, RESET = "account", "reset"  # kinds of a delivery
RESET_FOR = timedelta(hours=1)
AN_HOUR, A_DAY = 3, 10  # links to one person, at most
_VALUE_MAX = 254

# What each kind of notice says; the values in it come from `tell`.
SENTENCES: Mapping[str, Callable[[], str]] = {
    "device_new": lambda: _(
        "Your account was signed in to with a device that was not used for it before: "
        "%(device)s, from %(address)s."
    ),
    "password_changed": lambda: _("The password of your account was changed."),
    "password_reset": lambda: _("The password of your account was set anew, with the link of a mail."),
    "factor_added": lambda: _("A second factor was added to your account: %(factor)s."),
    "factor_removed": lambda: _("A second factor of your account was removed: %(factor)s."),
    "codes_made": lambda: _("New recovery codes were made for your account. Older ones no longer work."),
    "code_used": lambda: _("A recovery code was used to sign in to your account. %(left)s of them are left."),
    "address_changed": lambda: _("The address of your account was changed from %(before)s to %(after)s."),
    "member_added": lambda: _("%(who)s is now a member of the team %(team)s."),
    "member_removed": lambda: _("%(who)s is no longer a member of the team %(team)s."),
    "member_changed": lambda: _("%(who)s has another role in the team %(team)s now: %(role)s."),
    "proof_missed": lambda: _(
        "The proof that %(domain)s belongs to the team %(team)s is no longer there. "
        "Put it back by %(until)s: after that fedisec looks at the server no more."
    ),
    "token_made": lambda: _("A new token was made for your account: %(name)s (%(scopes)s)."),
}  # fmt: skip
SUBJECTS = {
    "device_new": gettext_lazy("A new device signed in"),
    "password_changed": gettext_lazy("Your password was changed"),
    "password_reset": gettext_lazy("Your password was changed"),
    "factor_added": gettext_lazy("Your second factor was changed"),
    "factor_removed": gettext_lazy("Your second factor was changed"),
    "codes_made": gettext_lazy("New recovery codes"),
    "code_used": gettext_lazy("A recovery code was used"),
    "address_changed": gettext_lazy("Your address was changed"),
    "member_added": gettext_lazy("The members of a team changed"),
    "member_removed": gettext_lazy("The members of a team changed"),
    "member_changed": gettext_lazy("The members of a team changed"),
    "proof_missed": gettext_lazy("Proof of control is missing"),
    "token_made": gettext_lazy("A new token"),
}
FACTORS = {
    "totp": gettext_lazy("an authenticator app"),
    "webauthn": gettext_lazy("a passkey"),
}
_OF_TEAMS = ("member_", "proof_")


def tell(user: User, kind: str, to: str, data: Mapping[str, object]) -> None:
    """`settings.ACCOUNT_NOTICE`: stores the notice with its mail.  KeyError for a kind without words."""
    SENTENCES[kind]
    now = timezone.now()
    about = f"{kind} {secrets.token_hex(8)}"  # each is told, however often it happens
    values = {name: clean(str(value), _VALUE_MAX, newlines=False) for name, value in data.items()}
    delivery = _queue(ACCOUNT, about, user, now)
    Notice.objects.create(
        kind=ACCOUNT,
        about=about,
        user=user,
        delivery=delivery,
        created_at=now,
        data={"kind": kind, "to": to, "values": values},
    )


def ask_reset(user: User) -> bool:
    """`settings.RESET_PASSWORD`: queues the mail with the link; False where that person got too many."""
    now = timezone.now()
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # who presses twice is counted twice
        sent = Delivery.objects.filter(user=user, kind=RESET, created_at__lte=now)
        if sent.filter(created_at__gt=now - timedelta(hours=1)).count() >= AN_HOUR:
            return False
        if sent.filter(created_at__gt=now - timedelta(days=1)).count() >= A_DAY:
            return False
        _queue(RESET, f"reset {secrets.token_hex(8)}", user, now)
    return True


def _queue(kind: str, about: str, user: User, now: datetime) -> Delivery:
    return Delivery.objects.create(
        kind=kind,
        about=about,
        user=user,
        message_id=message_id(kind, about, f"user {user.pk}"),
        next_try_at=now,
        created_at=now,
    )


def may_go(delivery: Delivery) -> bool:
    """Whether it is still to be sent: no link for a password that was asked for long ago."""
    user = delivery.user
    if user is None or not user.is_active:
        return False
    return delivery.kind == ACCOUNT or timezone.now() - delivery.created_at < RESET_FOR


def reaches(delivery: Delivery) -> bool:
    """A link that somebody asked for goes to the address he signs in with, confirmed or not; a notice to
    confirmed ones, and to one that was (the address before)."""
    if delivery.kind == RESET or _notice(delivery).data["to"]:
        return True
    mine = User.objects.filter(pk=cast(int, delivery.user_id))
    return bool(may_be_mailed(mine).exists())


def letter_of(delivery: Delivery) -> EmailMultiAlternatives:
    """The mail in its reader's language."""
    user = delivery.user
    assert user is not None
    language = user.language or settings.LANGUAGE_CODE
    with translation.override(language), timezone.override(zone(user.time_zone)):
        if delivery.kind == RESET:
            return _letter(delivery, "reset", user.email, _("Set a new password"), _reset(user), language)
        stored = _notice(delivery).data
        context = _told(stored["kind"], stored["values"], delivery.created_at)
        subject = str(SUBJECTS[stored["kind"]])
        return _letter(delivery, "notice", stored["to"] or user.email, subject, context, language)


def _told(kind: str, values: dict[str, str], at: datetime) -> dict[str, object]:
    if values.get("factor") in FACTORS:
        values = values | {"factor": str(FACTORS[values["factor"]])}
    own = not kind.startswith(_OF_TEAMS)
    when = date_format(timezone.localtime(at), "DATETIME_FORMAT")
    return {
        "told": SENTENCES[kind]() % values,
        "when": when,
        "own": own,
        "link": settings.PUBLIC_URL + reverse("sessions"),
    }


def _reset(user: User) -> dict[str, object]:
    token = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    names = {"uidb36": user_pk_to_url_str(user), "key": token}
    path = reverse("account_reset_password_from_key", kwargs=names)
    return {"address": user.email, "link": settings.PUBLIC_URL + path}


def _letter(
    delivery: Delivery, name: str, to: str, subject: str, context: dict[str, object], language: str
) -> EmailMultiAlternatives:
    context |= {"language": language, "site": settings.PUBLIC_URL, "subject": subject}
    letter = EmailMultiAlternatives(
        subject=f"[fedisec] {subject}",
        body=render_to_string(f"account/letters/{name}.txt", context),
        to=[to],
        headers={"Message-ID": delivery.message_id, "Auto-Submitted": "auto-generated"},
    )
    letter.attach_alternative(render_to_string(f"account/letters/{name}.html", context), "text/html")
    return letter


def _notice(delivery: Delivery) -> Notice:
    return delivery.notices.get()
