"""What was believed of a source, as rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from checks.data.tables import forks, releases
from checks.parse.versions import comparable
from fedisec.watch import stories
from fedisec.watch.doubts import Known
from fedisec.watch.models import Entry, Source, SourceKind
from fedisec.watch.parsing import FeedEntry
from fedisec.watch.versions import release_of, speaks_of_security

KEPT = 2000  # entries of one source; older ones go


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


def store(source: Source, entries: Iterable[FeedEntry], now: datetime, *, first: bool) -> list[Entry]:
    """The entries that are new, stored; inside the transaction that says that they are believed."""
    entries = tuple(entries)
    there = set(
        Entry.objects.filter(source=source, guid__in=[e.guid for e in entries]).values_list("guid", flat=True)
    )
    fresh = [_row(source, entry, now) for entry in entries if entry.guid not in there]
    for row in fresh if first else ():
        row.data["first"] = True  # nobody is told of what stood there before
    stories.tell_apart(fresh, source)
    Entry.objects.bulk_create(fresh, ignore_conflicts=True)
    stored = list(Entry.objects.filter(source=source, guid__in=[row.guid for row in fresh]))
    _forget_old(source)
    return stored


def _forget_old(source: Source) -> None:
    over = dict(Entry.objects.filter(source=source).order_by("-pk").values_list("pk", "story")[KEPT:])
    if over:
        Entry.objects.filter(pk__in=list(over)).delete()
        stories.forget(list(over.values()))


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
