"""What an operator changes about feeds.  Feeds belong to the installation: each change stands in the trail of
every team of who made it."""

from __future__ import annotations

import secrets
from typing import Any

from django.db import transaction
from django.utils import timezone

from fedisec.accounts import audit
from fedisec.accounts.models import User
from fedisec.scans.bell import OUTSIDE_QUEUE, ring
from fedisec.watch.fetching import FETCH_FEED
from fedisec.watch.models import Source

EVERY_S = 2 * 3600  # own feeds


def add(user: User, **fields: Any) -> Source:
    """`fields`: title, url, kind, about."""
    with transaction.atomic():
        made = Source.objects.create(slug=f"own-{secrets.token_hex(8)}", own=True, every_s=EVERY_S, **fields)
        _note("source.added", user, made)
    return made


def turn(source: Source, user: User, *, on: bool) -> None:
    """On: it is read at once, and not warned of for a time in which nobody asked it."""
    changes: dict[str, Any] = {"enabled": on}
    if on:
        changes |= {"next_fetch_at": None, "failing_since": None, "failures": 0}
    with transaction.atomic():
        if Source.objects.filter(pk=source.pk).exclude(enabled=on).update(**changes):
            _note("source.on" if on else "source.off", user, source)


def read_now(source: Source, user: User, *, believe: bool) -> None:
    """As soon as somebody can.  `believe`: whatever it says this time."""
    with transaction.atomic():
        Source.objects.filter(pk=source.pk).update(next_fetch_at=timezone.now(), believe=believe)
        if believe:
            _note("source.believed", user, source, said=f"{source.held} {source.held_detail}".strip())
        transaction.on_commit(lambda: ring_for(source.pk))


def ring_for(pk: int) -> None:
    """Tells a worker, where there is a broker; else a runner looks for itself."""
    ring(FETCH_FEED, pk, queue=OUTSIDE_QUEUE)


def remove(source: Source, user: User) -> None:
    with transaction.atomic():
        _note("source.removed", user, source)
        source.delete()


def _note(action: str, user: User, source: Source, **data: str) -> None:
    for team in user.teams.order_by("pk"):
        audit.record(action, team=team, by=user, after=source.title, data={"url": source.url, **data})
