"""Addresses are confirmed before anything is mailed to them; see fedisec.alerts.asking."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from fedisec.accounts.models import User
from fedisec.alerts.models import MailServer


def may_be_mailed(people: QuerySet[User]) -> QuerySet[User]:
    """Those of `people` whose address is confirmed; all of them while mails go to a folder."""
    by_relay = confirmed()
    if not (settings.EMAIL_URL or settings.HAS_RELAY):  # in the same query: it is asked for every instance
        return people.filter(by_relay | ~Exists(MailServer.objects.all()))
    return people.filter(by_relay)


def confirmed() -> Exists:
    """A condition of a query for people: the address that somebody has now is confirmed."""
    mine = EmailAddress.objects.filter(user=OuterRef("pk"), email__iexact=OuterRef("email"), verified=True)
    return Exists(mine)


def is_confirmed(user: User) -> bool:
    mine = EmailAddress.objects.filter(user=user, email__iexact=user.email, verified=True)
    return bool(mine.exists())
