"""One feed from claim to record.  Safe to call twice, from anywhere, at any time: the database decides.

The pause after a failure grows; a Retry-After is honoured up to a day; what a server says in any number of
failures, or implausibly, never touches what is stored.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from checks.clean import clean
from checks.data.tables import forks, releases
from checks.errors import ParseError, ProbeError, Reason
from checks.parse.versions import comparable
from checks.probes.http_dial import WEB_PORTS
from fedisec.lib import fetch
from fedisec.lib.limits import TimeIsUp
from fedisec.watch import catching_up, matching, stacks, telling
from fedisec.watch.doubts import Doubt, Known, doubt
from fedisec.watch.models import Entry, Source, SourceKind
from fedisec.watch.parsing import FeedEntry, parse_date, parse_feed
from fedisec.watch.versions import release_of, speaks_of_security

log = logging.getLogger(__name__)

FETCH_FEED = "fedisec.fetch_feed"  # name of the task
DEADLINE_S = 10.0
PAUSES_S = (300, 900, 3600, 3 * 3600, 6 * 3600)  # after the first failure, the second …
RETRY_AFTER_MAX_S = 24 * 3600
KEPT = 2000  # entries of one source; older ones go
_ACCEPT = "application/atom+xml, application/rss+xml, application/rdf+xml, application/feed+json, */*;q=0.5"


def due(now: datetime) -> QuerySet[Source]:
    """Feeds to read now, the one that waits longest first."""
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    found = Source.objects.filter(free, enabled=True, next_fetch_at__lte=now)
    return found.order_by("next_fetch_at", "pk") if settings.FEEDS else found.none()


def fetch_source(source_id: int) -> None:
    """Claims the feed if it is due, reads it, and stores what is new and believed."""
    source = claim(source_id)
    if source is None:
        return
    try:
        answer = _ask(source)
    except ProbeError as error:
        _failed(source, error.reason.value, error.detail)
    except (TimeIsUp, SoftTimeLimitExceeded):
        _failed(source, Reason.TIMEOUT.value, "the time limit of a job was reached")
    else:
        _take(source, answer)


def claim(source_id: int, now: datetime | None = None) -> Source | None:
    """The feed under a fresh token and lease; None when it is not due, or somebody was first."""
    now, token = now or timezone.now(), secrets.token_hex(16)
    lease = now + timedelta(seconds=settings.MAIL_LEASE_S)
    if due(now).filter(pk=source_id).update(token=token, lease_until=lease) != 1:
        return None
    return Source.objects.filter(pk=source_id, token=token).first()


def _ask(source: Source) -> fetch.Raw:
    headers = [("Accept", _ACCEPT)]
    if source.etag:
        headers.append(("If-None-Match", source.etag))
    if source.last_modified:
        headers.append(("If-Modified-Since", source.last_modified))
    ports = WEB_PORTS
    if source.own:  # an operator may name another port; what fedisec comes with and redirects may not
        ports |= {urlsplit(source.url).port or 443}
    return fetch.get(source.url, headers=headers, deadline_s=DEADLINE_S, ports=ports)


def _take(source: Source, answer: fetch.Raw) -> None:
    """An answer came, good or bad."""
    now = timezone.now()
    if answer.status == 304 and (source.etag or source.last_modified):
        _believed(source, now, {})
        return
    if answer.status != 200:
        pause = retry_after(answer.header("retry-after") or "", now)
        _failed(source, f"http_{answer.status}", f"HTTP {answer.status}", pause=pause)
        return
    try:
        entries = parse_feed(answer.body, answer.url)
    except ParseError as error:
        _failed(source, Reason.MALFORMED.value, str(error))
        return
    software = source.about if source.kind == SourceKind.RELEASE else ""
    doubted = None if source.believe else doubt(entries, known_of(source), now, software=software)
    if doubted is not None:
        _held(source, now, *doubted)
        return
    marks = {"etag": _mark(answer, "etag", 200), "last_modified": _mark(answer, "last-modified", 60)}
    first = source.last_ok_at is None
    with transaction.atomic():
        if not _believed(source, now, marks | {"believe": False}):
            return
        stored = _store(source, entries, now, first=first)
        if source.kind == SourceKind.RELEASE and not first:
            telling.tell_releases(source, stored, now)
    if source.kind == SourceKind.WARNINGS:
        matching.match_new(now)
    if first:
        catching_up.judge_waiting()


def _mark(answer: fetch.Raw, name: str, limit: int) -> str:
    """A header that is sent back as it came, if it can be."""
    value = answer.header(name) or ""
    return value if value.isascii() and value.isprintable() and len(value) <= limit else ""


def retry_after(value: str, now: datetime) -> int:
    """Seconds that a server asks us to wait, at most a day; 0 where it names none.  RFC 9110 10.2.3."""
    value = value.strip()[:60]
    if value.isascii() and value.isdigit():
        seconds = int(value[:9])
    else:
        when = parse_date(value)
        seconds = int((when - now).total_seconds()) if when is not None else 0
    return max(0, min(seconds, RETRY_AFTER_MAX_S))


def known_of(source: Source) -> Known:
    """What was believed of a feed so far."""
    mine = Entry.objects.filter(source=source)
    count = mine.count()
    newest_at = mine.exclude(published_at=None).values_list("published_at", flat=True).first()
    if source.kind != SourceKind.RELEASE:
        return Known(count, "", newest_at)
    versions = [version for version in mine.values_list("version", flat=True) if version]
    return Known(count, max(versions, key=comparable, default=shipped_newest(source.about)), newest_at)


def shipped_newest(software: str) -> str:
    """The newest release that fedisec's own table names; of a fork under a name of its own none."""
    table = None if software in forks() else releases().get(software)
    return table.branches[0].latest if table is not None else ""


def _ours(source: Source) -> QuerySet[Source]:
    return Source.objects.filter(pk=source.pk, token=source.token)


def _next(source: Source, now: datetime, pause_s: int) -> datetime | None:
    """NULL where nobody needs it any more: it sleeps."""
    return now + timedelta(seconds=pause_s) if stacks.needs().names(source) else None


def _believed(source: Source, now: datetime, marks: dict[str, Any]) -> bool:
    """True if the feed was still ours."""
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
        next_fetch_at=_next(source, now, source.every_s),
        **marks,
    )
    return ours == 1


def _failed(source: Source, reason: str, detail: str, *, pause: int = 0) -> None:
    now = timezone.now()
    pause = max(pause, PAUSES_S[min(source.failures, len(PAUSES_S) - 1)])
    _ours(source).update(
        token="",
        lease_until=None,
        rung_at=None,
        fetched_at=now,
        believe=False,  # that was meant for what it said then
        failing_since=source.failing_since or now,
        failures=F("failures") + 1,
        error_reason=reason[:30],
        last_error=clean(detail, 300, newlines=False),
        next_fetch_at=_next(source, now, pause),
    )
    log.info("feed %s: %s (%s)", source.slug, reason, clean(detail, 200, newlines=False))


def _held(source: Source, now: datetime, why: Doubt, detail: str) -> None:
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


def _store(source: Source, entries: Iterable[FeedEntry], now: datetime, *, first: bool) -> list[Entry]:
    """The entries that are new, stored; inside the transaction that says that they are believed."""
    entries = tuple(entries)
    there = set(
        Entry.objects.filter(source=source, guid__in=[e.guid for e in entries]).values_list("guid", flat=True)
    )
    fresh = [_row(source, entry, now) for entry in entries if entry.guid not in there]
    for row in fresh if first else ():
        row.data["first"] = True  # nobody is told of what stood there before
    Entry.objects.bulk_create(fresh, ignore_conflicts=True)
    stored = list(Entry.objects.filter(source=source, guid__in=[row.guid for row in fresh]))
    over = list(Entry.objects.filter(source=source).order_by("-pk").values_list("pk", flat=True)[KEPT:])
    Entry.objects.filter(pk__in=over).delete()
    return stored


def _row(source: Source, entry: FeedEntry, now: datetime) -> Entry:
    row = Entry(
        source=source,
        guid=entry.guid,
        title=entry.title,
        url=entry.url,
        summary=entry.summary,
        published_at=entry.published_at,
        first_seen_at=now,
        matched=source.kind == SourceKind.RELEASE,
        data={"ids": list(entry.ids), "cpe": list(entry.cpes)},
    )
    if entry.cvss is not None:
        row.data["cvss"] = {
            "score": entry.cvss.score,
            "severity": entry.cvss.severity,
            "vector": entry.cvss.vector,
            "version": entry.cvss.version,
        }
    if source.kind == SourceKind.RELEASE:
        version, row.prerelease = release_of(entry, source.about)
        row.version = version[:60]
        row.urgent = speaks_of_security(entry)
    return row
