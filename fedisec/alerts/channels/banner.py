"""What every page says about channels that are not taken; named in `settings.BANNERS`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, cast

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from fedisec.accounts.models import Role, User
from fedisec.alerts.models import Channel
from fedisec.lib.context import Banner

PATIENCE = timedelta(minutes=10)  # of a channel that fails
STOPPED_FOR = timedelta(days=7)  # so long a page reminds of a channel that fedisec switched off


class Trouble(NamedTuple):
    pk: int
    name: str
    since: datetime
    enabled: bool
    readers: frozenset[int]


def failing(request: HttpRequest) -> list[Banner]:
    """The channel that has failed longest: an operator hears of all, an editor of those of their teams."""
    user = cast(User, request.user)
    rows = [row for row in _kept() if user.is_superuser or user.pk in row.readers]
    if not rows:
        return []
    first = rows[0]
    at = date_format(timezone.localtime(first.since), "SHORT_DATETIME_FORMAT")
    if first.enabled:
        said = _("The channel “%(name)s” has not been taken since %(at)s.")
    else:
        said = _("The channel “%(name)s” was switched off: its receiver is gone.")
    mine = user.pk in first.readers
    link = reverse("channel", args=[first.pk]) if mine else ""
    return [("error", said % {"name": first.name, "at": at}, link)]


# Kept in this process, so that a page costs no query for it.
_found: list[tuple[float, Sequence[Trouble]]] = []


def _kept() -> Sequence[Trouble]:
    """What was found within the last half minute."""
    now = time.monotonic()
    if not _found or now >= _found[0][0]:
        _found[:] = [(now + settings.BANNERS_KEPT_S, _troubles())]
    return _found[0][1]


def _troubles() -> Sequence[Trouble]:
    now = timezone.now()
    broken = Q(enabled=True, failing_since__lt=now - PATIENCE)
    stopped = Q(enabled=False, failing_since__gt=now - STOPPED_FOR) & ~Q(stopped_why="")
    rows = Channel.objects.filter(broken | stopped).order_by("failing_since")
    editors = Q(team__memberships__role__in=(Role.EDITOR, Role.OWNER))
    found: dict[int, Trouble] = {}
    fields = ("pk", "name", "failing_since", "enabled", "team__memberships__user")
    for pk, name, since, enabled, reader in rows.filter(editors).values_list(*fields)[:200]:
        before = found[pk].readers if pk in found else frozenset()
        found[pk] = Trouble(pk, name, since, enabled, before | {reader})
    return list(found.values())


def forget() -> None:
    """The next page looks anew."""
    _found.clear()
