"""One feed from claim to record.  Safe to call twice, from anywhere, at any time: the database decides.

What a server says in any number of failures, or implausibly, never touches what is stored.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlsplit

from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.utils import timezone

from checks.data.tables import forks, releases
from checks.errors import ParseError, ProbeError, Reason
from checks.parse.versions import comparable
from checks.probes.http_dial import WEB_PORTS
from fedisec.lib import fetch
from fedisec.lib.limits import TimeIsUp
from fedisec.watch import catching_up, matching, telling
from fedisec.watch.claiming import believed, claim, failed, held, retry_after
from fedisec.watch.doubts import Known, doubt
from fedisec.watch.models import Entry, Source, SourceKind
from fedisec.watch.parsing import FeedEntry, parse_feed
from fedisec.watch.versions import release_of, speaks_of_security

FETCH_FEED = "fedisec.fetch_feed"  # name of the task
DEADLINE_S = 10.0
KEPT = 2000  # entries of one source; older ones go
_ACCEPT = "application/atom+xml, application/rss+xml, application/rdf+xml, application/feed+json, */*;q=0.5"


def fetch_source(source_id: int) -> None:
    """Claims the feed if it is due, reads it, and stores what is new and believed."""
    source = claim(source_id)
    if source is None:
        return
    try:
        answer = _ask(source)
    except ProbeError as error:
        failed(source, error.reason.value, error.detail)
    except (TimeIsUp, SoftTimeLimitExceeded):
        failed(source, Reason.TIMEOUT.value, "the time limit of a job was reached")
    else:
        _take(source, answer)


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
        believed(source, now, {})
        return
    if answer.status != 200:
        pause = retry_after(answer.header("retry-after") or "", now)
        failed(source, f"http_{answer.status}", f"HTTP {answer.status}", pause=pause)
        return
    try:
        entries = parse_feed(answer.body, answer.url)
    except ParseError as error:
        failed(source, Reason.MALFORMED.value, str(error))
        return
    software = source.about if source.kind == SourceKind.RELEASE else ""
    doubted = None if source.believe else doubt(entries, known_of(source), now, software=software)
    if doubted is not None:
        held(source, now, *doubted)
        return
    marks = {"etag": _mark(answer, "etag", 200), "last_modified": _mark(answer, "last-modified", 60)}
    first = source.last_ok_at is None
    with transaction.atomic():
        if not believed(source, now, marks | {"believe": False}):
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
