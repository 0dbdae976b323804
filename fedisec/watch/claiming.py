"""Who may read a source, and how a try ends: claimed by a conditional UPDATE under a lease, and written
down only by who still holds it.

The pause after a failure grows; a Retry-After is honoured up to a day.
"""

from __future__ import annotations

import logging
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from checks.clean import clean
from fedisec.watch import stacks
from fedisec.watch.doubts import Doubt
from fedisec.watch.models import Source
from fedisec.watch.parsing import parse_date

log = logging.getLogger(__name__)

PAUSES_S = (300, 900, 3600, 3 * 3600, 6 * 3600)  # after the first failure, the second …
RETRY_AFTER_MAX_S = 24 * 3600


def due(now: datetime) -> QuerySet[Source]:
    """Feeds to read now, the one that waits longest first."""
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    found = Source.objects.filter(free, enabled=True, next_fetch_at__lte=now)
    return found.order_by("next_fetch_at", "pk") if settings.FEEDS else found.none()


def claim(source_id: int, now: datetime | None = None) -> Source | None:
    """The feed under a fresh token and lease; None when it is not due, or somebody was first."""
    now, token = now or timezone.now(), secrets.token_hex(16)
    lease = now + timedelta(seconds=settings.MAIL_LEASE_S)
    if due(now).filter(pk=source_id).update(token=token, lease_until=lease) != 1:
        return None
    return Source.objects.filter(pk=source_id, token=token).first()


def retry_after(value: str, now: datetime) -> int:
    """Seconds that a server asks us to wait, at most a day; 0 where it names none.  RFC 9110 10.2.3."""
    value = value.strip()[:60]
    if value.isascii() and value.isdigit():
        seconds = int(value[:9])
    else:
        when = parse_date(value)
        seconds = int((when - now).total_seconds()) if when is not None else 0
    return max(0, min(seconds, RETRY_AFTER_MAX_S))


def _ours(source: Source) -> QuerySet[Source]:
    return Source.objects.filter(pk=source.pk, token=source.token)


def _next(source: Source, now: datetime, pause_s: int) -> datetime | None:
    """NULL where nobody needs it any more: it sleeps."""
    return now + timedelta(seconds=pause_s) if stacks.needs().names(source) else None


def believed(source: Source, now: datetime, marks: dict[str, Any], *, pause_s: int | None = None) -> bool:
    """True if the feed was still ours.  `pause_s`: until the next try, where that is not its usual pause."""
    ours = _ours(source).update(
        token="",
        lease_until=None,
        rung_at=None,
        fetched_at=now,
        last_ok_at=now,
        failing_since=None,
        failures=0,
        last_error="",
        error_reason="",
        held="",
        held_detail="",
        next_fetch_at=_next(source, now, source.every_s if pause_s is None else pause_s),
        **marks,
    )
    return ours == 1


def failed(source: Source, reason: str, detail: str, *, pause: int = 0) -> None:
    now = timezone.now()
    pause = max(pause, PAUSES_S[min(source.failures, len(PAUSES_S) - 1)])
    _ours(source).update(
        token="",
        lease_until=None,
        rung_at=None,
        fetched_at=now,
        believe=False,  # that was meant for what it said then
        cursor=source.cursor,  # pages that came before the one that failed
        failing_since=source.failing_since or now,
        failures=F("failures") + 1,
        error_reason=reason[:30],
        last_error=clean(detail, 300, newlines=False),
        next_fetch_at=_next(source, now, pause),
    )
    log.info("feed %s: %s (%s)", source.slug, reason, clean(detail, 200, newlines=False))


def held(source: Source, now: datetime, why: Doubt, detail: str) -> None:
    """What it says is kept out; it is asked for again at its pace."""
    _ours(source).update(
        token="",
        lease_until=None,
        rung_at=None,
        fetched_at=now,
        failing_since=source.failing_since or now,
        failures=F("failures") + 1,
        error_reason="held",
        last_error="",
        held=why.value,
        held_detail=clean(detail, 300, newlines=False),
        next_fetch_at=_next(source, now, source.every_s),
    )
    log.warning("feed %s says what is not believed: %s %s", source.slug, why.value, detail[:200])
