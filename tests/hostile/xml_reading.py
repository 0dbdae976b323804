"""A feed that was believed, read once more from a hostile world by fedisec's own reader."""

from __future__ import annotations

from datetime import timedelta
from unittest import mock

from django.db import connection, transaction
from django.test import override_settings
from django.utils import timezone

from fedisec.alerts.models import Notice
from fedisec.lib import fetch
from fedisec.watch import fetching
from fedisec.watch.models import Entry, Source, SourceKind, Stack
from tests.factories import an_instance
from tests.hostile.feed_known import NOW, PATH, SOUND
from tests.hostile.model import Scene, Seen
from tests.lab import places as at


class _Undone(Exception):
    """Takes back what a look stored."""


def reading(scene: Scene) -> Seen:
    """One reading of a feed that was believed before.  `feed`: believed, the reason of its failure, or held-<doubt>;
    `before`: what became of the entries that were there; `told`: whether anybody was; `clean`: whether all that is
    stored can be shown as it is."""
    states: dict[str, str] = {}
    shown: list[str] = []
    try:
        with (
            override_settings(FEEDS=True),
            mock.patch.object(fetch, "vantage", lambda: scene.vantage),
            mock.patch.object(fetching, "DEADLINE_S", min(fetching.DEADLINE_S, scene.limits.request_s)),
            transaction.atomic(),
        ):
            source = _believed_before()
            fetching.fetch_source(source.pk)
            states, shown = _states(source)
            raise _Undone
    except _Undone:
        return Seen(states, shown=tuple(shown))
    finally:
        connection.close()


def _believed_before() -> Source:
    """A feed of releases that somebody needs, with two of them known."""
    instance, now = an_instance(), timezone.now()
    Stack.objects.create(
        instance=instance, software="mastodon", family="mastodon", version="4.7.2", products=[], made_at=now
    )
    source = Source.objects.create(
        kind=SourceKind.RELEASE, slug=f"hostile-{instance.pk}", title="hostile", about="mastodon",
        url=f"https://{at.GOOD}{PATH}", next_fetch_at=now, last_ok_at=now - timedelta(hours=1),
    )  # fmt: skip
    for n, tag in enumerate(SOUND):
        Entry.objects.create(
            source=source, guid=f"tag:github.com,2008:Repository/1/{tag}", title=f"Release {tag}",
            version=tag[1:], published_at=NOW - n * timedelta(days=1),
        )  # fmt: skip
    return source


def _states(source: Source) -> tuple[dict[str, str], list[str]]:
    source.refresh_from_db()
    entries = list(Entry.objects.filter(source=source))
    kept = {entry.title for entry in entries} >= {f"Release {tag}" for tag in SOUND}
    held = f"held-{source.held}" if source.held else source.error_reason
    shown = [source.last_error, source.held_detail, source.etag, source.last_modified]
    for entry in entries:
        shown += [entry.title, entry.summary, entry.url, entry.guid, entry.version, str(entry.data)]
    raw = any(
        ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u2066\u2028" for text in shown for c in text
    )
    states = {
        "feed": held or "believed",
        "before": "kept" if kept else "lost",
        "told": "somebody"
        if Notice.objects.filter(instance__stack__software="mastodon").exists()
        else "nobody",
        "more": "many" if len(entries) > 202 else "few",
        "clean": "no" if raw or any("javascript:" in entry.url for entry in entries) else "yes",
    }
    return states, shown
