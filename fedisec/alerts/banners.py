"""What every page says about mails that do not arrive; named in `settings.BANNERS`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar, cast

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from fedisec.accounts.models import User
from fedisec.alerts import relay
from fedisec.alerts.confirming import is_confirmed
from fedisec.alerts.models import Delivery, DeliveryState
from fedisec.alerts.send import GIVE_UP_AFTER, NOT_CONFIRMED, NOT_WANTED
from fedisec.lib.context import Banner

T = TypeVar("T")

PATIENCE = timedelta(minutes=10)  # of a mail that waits after an error
REMEMBERED = timedelta(days=1)  # that one was given up
ROWS_MAX = 200
_KEPT_MAX = 1000


class Trouble(NamedTuple):
    user_id: int
    created_at: datetime
    state: str
    answer: str


def of_mails(request: HttpRequest) -> list[Banner]:
    """Mails reach nobody; or they fail; or the reader has an address that none may go to."""
    user = cast(User, request.user)
    if not _relay_is_set():
        return [_folder(user)]
    return [*_failing(user), *_unconfirmed(user)]


def _folder(user: User) -> Banner:
    """Neither the environment nor a form names a relay."""
    said = _("No mail relay is set, so alerts are written to the folder %(folder)s and reach nobody.")
    link = reverse("mail_server") if user.is_superuser else ""
    return ("warning", said % {"folder": settings.EMAIL_FILE_PATH}, link)


def _failing(user: User) -> list[Banner]:
    """Mails wait or were given up: an operator hears of all, anybody else of their own."""
    rows = [row for row in _kept("failing", _troubles) if user.is_superuser or row.user_id == user.pk]
    waiting = [row for row in rows if row.state != DeliveryState.FAILED]
    if not rows:
        return []
    if waiting:
        said = _("Mails have been failing since %(at)s: %(answer)s")
        first = waiting[0]
    else:
        said = _("A mail of %(at)s was given up: %(answer)s")
        first = rows[-1]
    at = date_format(timezone.localtime(first.created_at), "SHORT_DATETIME_FORMAT")
    return [("error", said % {"at": at, "answer": first.answer}, reverse("mail_log"))]


def _unconfirmed(user: User) -> list[Banner]:
    key = f"confirmed {user.pk} {user.email}"
    if _kept(key, lambda: is_confirmed(user), only_true=True):
        return []
    said = _("Your address %(address)s is not confirmed, so no alert can reach you.")
    return [("warning", said % {"address": user.email}, reverse("mail_address"))]


def mail_folder() -> str:
    """Where mails go while no relay is set; "" otherwise."""
    return "" if _relay_is_set() else str(settings.EMAIL_FILE_PATH)


def _relay_is_set() -> bool:
    return bool(settings.EMAIL_URL) or _kept("relay", relay.is_set)


def _troubles() -> Sequence[Trouble]:
    now = timezone.now()
    waiting = Q(state__in=(DeliveryState.PENDING, DeliveryState.SENDING), created_at__lt=now - PATIENCE)
    given_up = Q(state=DeliveryState.FAILED, next_try_at__gt=now - REMEMBERED)
    rows = Delivery.objects.filter(
        waiting & Q(attempts__gt=0) & ~Q(answer="") | given_up,
        user__isnull=False,
        created_at__gt=now - GIVE_UP_AFTER - REMEMBERED,
    )
    rows = rows.exclude(answer__in=(NOT_WANTED, NOT_CONFIRMED)).order_by("created_at")
    return [Trouble(*row) for row in rows.values_list("user_id", "created_at", "state", "answer")[:ROWS_MAX]]


# Kept in this process, not in the cache: that is the database too where there is no Redis.
_found: dict[str, tuple[float, object]] = {}


def _kept(key: str, find: Callable[[], T], *, only_true: bool = False) -> T:
    """What `find` found within the last half minute."""
    now = time.monotonic()
    until, value = _found.get(key, (0.0, None))
    if now < until:
        return cast(T, value)
    found = find()
    if len(_found) >= _KEPT_MAX:
        _found.clear()
    if found or not only_true:
        _found[key] = (now + settings.BANNERS_KEPT_S, found)
    return found


def forget() -> None:
    """The next page looks anew: something was set, confirmed or tried again."""
    _found.clear()
