"""A feed of releases that is poisoned, empty, or goes back in time (R22).  More of it: tests/watch."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from fedisec.alerts.models import Notice
from fedisec.watch import fetching
from fedisec.watch.models import Entry, Source, SourceKind
from tests.factories import a_subscriber
from tests.faults.table import fault
from tests.watch import feeds
from tests.watch.conftest import AddRunner, AddSource, runs, source, web
from tests.watch.site import Site

__all__ = ["runs", "source", "web"]

pytestmark = pytest.mark.django_db
Seen = Callable[[str], None]
NOW = timezone.now()
FEEDS = {
    "poisoned (version 99)": feeds.github("a/b", "v99.0.0", newest=NOW),
    "empty": feeds.github("a/b"),
    "back in time": feeds.github("a/b", "v4.5.0", newest=NOW - timedelta(days=90)),
    "of next week": feeds.github("a/b", "v4.7.4", newest=NOW + timedelta(days=9)),
    "a bomb of entities": feeds.LAUGHS,
}


@fault(
    "R22",
    "a feed of releases is poisoned, empty, goes back in time",
    "nobody is told, what was believed stays, the feed stands as doubted or failing",
)
@pytest.mark.parametrize("what", FEEDS)
def test_nobody_is_told(web: Site, source: AddSource, runs: AddRunner, what: str, seen: Seen) -> None:  # noqa: F811
    a_subscriber(runs("mastodon", "4.6.0"))
    feed = source("/mastodon", SourceKind.RELEASE, about="mastodon")
    for text in (feeds.github("a/b", "v4.7.3", newest=NOW), FEEDS[what]):
        web.say("/mastodon", text)
        Source.objects.update(next_fetch_at=NOW)
        fetching.fetch_source(feed.pk)
    after = Source.objects.get(pk=feed.pk)
    assert after.held or after.error_reason
    assert [entry.version for entry in Entry.objects.all()] == ["4.7.3"]
    assert not Notice.objects.exists()
    seen(f"{what}: {'held as ' + after.held if after.held else after.error_reason}, 0 notices")
