"""What a scan is told of the feeds, and the items that follow from it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from checks.evaluate import judge
from checks.facts import Facts
from checks.facts.fedisec import FeedsWatch
from checks.items import all_items
from checks.model import Status
from fedisec.instances.models import Instance
from fedisec.scans.models import ItemState, Scan
from fedisec.scans.run import with_self_facts
from fedisec.watch import fetching
from fedisec.watch.catalogue import sync
from fedisec.watch.models import Source, SourceKind, Stack
from tests.factories import a_recorded_scan, an_instance
from tests.watch import feeds
from tests.watch.conftest import AddRunner, AddSource
from tests.watch.site import Site

pytestmark = pytest.mark.django_db
SOURCES, RELEASES = "updates.sources_followed", "updates.releases_followed"


def _said(instance: Instance) -> dict[str, tuple[str, str]]:
    """Item -> (status, code), by the facts that a scan of `instance` would have."""
    facts = with_self_facts(Facts(), instance)
    verdicts = {key: judge(all_items()[key], facts) for key in (SOURCES, RELEASES)}
    return {key: (verdict.status.value, verdict.code) for key, verdict in verdicts.items()}


def test_both_items_are_met_once_their_feeds_were_read(web: Site, runs: AddRunner, source: AddSource) -> None:
    instance = runs("mastodon", "4.7.2")
    releases = source("/mastodon", SourceKind.RELEASE, about="mastodon")
    warnings = source("/jvn")
    assert _said(instance) == {SOURCES: ("unknown", "not_yet"), RELEASES: ("unknown", "not_yet")}
    web.say("/mastodon", feeds.github("a/b", "v4.7.3", newest=timezone.now()))
    web.say("/jvn", feeds.jpcert("A", newest=timezone.now()))
    fetching.fetch_source(releases.pk)
    fetching.fetch_source(warnings.pk)
    assert _said(instance) == {SOURCES: ("pass", "read"), RELEASES: ("pass", "read")}
    old = timezone.now() - timedelta(days=3, minutes=1)
    Source.objects.update(last_ok_at=old)
    assert _said(instance) == {SOURCES: ("warn", "stale"), RELEASES: ("warn", "stale")}
    Instance.objects.update(follow_sources=False, follow_releases=False)
    assert _said(Instance.objects.get()) == {SOURCES: ("fail", "off"), RELEASES: ("fail", "off")}


def test_a_feed_that_is_held_is_no_good_answer(web: Site, runs: AddRunner, source: AddSource) -> None:
    instance = runs("mastodon", "4.7.2")
    found = source("/mastodon", SourceKind.RELEASE, about="mastodon")
    web.say("/mastodon", feeds.github("a/b", "v99.0.0", newest=timezone.now()))
    fetching.fetch_source(found.pk)
    assert _said(instance)[RELEASES] == ("unknown", "silent")
    verdict = judge(all_items()[RELEASES], with_self_facts(Facts(), instance))
    assert verdict.status is Status.UNKNOWN and "not believed: leap 99.0.0" in verdict.evidence[0].text


def test_only_the_feed_of_the_own_distribution_counts(db: None, runs: AddRunner, settings: Settings) -> None:
    sync()
    instance = runs("mastodon", "4.7.2", distribution="debian")
    watch = with_self_facts(Facts(), instance).get(FeedsWatch)
    assert {feed.title for feed in watch.sources} == {
        "JPCERT/CC", "JPCERT/CC (English)", "JVN", "JVN (English)", "JVN iPedia", "JVN iPedia (English)",
        "JVN iPedia (MyJVN API)", "JVN iPedia (MyJVN API, English)", "IPA important security information",
        "ScanNetSecurity", "Debian security",
    }  # fmt: skip
    assert (watch.software, watch.family, watch.reading) == ("mastodon", "mastodon", False)
    Stack.objects.update(release="bookworm", packages=[["redis", "5:7.0.15-1~deb12u1"]])
    watch = with_self_facts(Facts(), instance).get(FeedsWatch)
    assert "Debian security tracker" in {feed.title for feed in watch.sources}, "packages of it were seen"
    settings.FEEDS = True
    assert with_self_facts(Facts(), instance).get(FeedsWatch).reading


def test_before_the_first_look_nothing_is_known(db: None) -> None:
    watch = with_self_facts(Facts(), an_instance()).get(FeedsWatch)
    assert (watch.software, watch.sources, watch.release_feeds) == ("", (), ())


def test_items_that_waited_are_judged_when_their_feed_was_read(
    web: Site, runs: AddRunner, source: AddSource
) -> None:
    instance = runs("mastodon", "4.7.2")
    found, other = source("/jvn"), source("/other")
    a_recorded_scan(instance, with_self_facts(Facts(), instance))

    def code(key: str) -> str:
        return ItemState.objects.get(instance=instance, item_id=key).code

    assert code(SOURCES) == "not_yet"
    web.say("/jvn", feeds.jpcert("A", newest=timezone.now()))
    web.say("/other", feeds.rss2("A", newest=timezone.now()))
    fetching.fetch_source(found.pk)
    assert code(SOURCES) == "not_yet" and not Scan.objects.filter(reason="item").exists()
    fetching.fetch_source(other.pk)
    assert code(SOURCES) == "read" and code(RELEASES) == "no_feed"


@pytest.mark.parametrize(
    ("item", "kind", "fields"),
    [(SOURCES, SourceKind.WARNINGS, {}), (RELEASES, SourceKind.RELEASE, {"about": "mastodon"})],
)
def test_a_feed_that_fails_for_three_days_turns_its_item_to_a_warning_by_the_next_scan(
    web: Site, runs: AddRunner, source: AddSource, item: str, kind: SourceKind, fields: dict[str, str]
) -> None:
    """From the web server's 503 to the item as it stands on the page."""
    instance = runs("mastodon", "4.7.2")
    found = source("/feed", kind, **fields)

    def look(days: float) -> tuple[str, str, str]:
        """Reads the feed, as long after the first good answer, and scans."""
        later = timedelta(days=days)
        Source.objects.filter(last_ok_at__isnull=False).update(last_ok_at=timezone.now() - later)
        Source.objects.update(next_fetch_at=timezone.now())
        fetching.fetch_source(found.pk)
        a_recorded_scan(instance, with_self_facts(Facts(), instance))
        state = ItemState.objects.get(instance=instance, item_id=item)
        return state.status, state.code, Source.objects.get(pk=found.pk).error_reason

    web.say("/feed", feeds.github("a/b", "v4.7.3", newest=timezone.now()))
    assert look(0) == ("pass", "read", "")
    web.say("/feed", b"busy", 503)
    assert look(2.9) == ("pass", "read", "http_503")
    assert look(3.1) == ("warn", "stale", "http_503")
    web.say("/feed", feeds.github("a/b", "v4.7.3", newest=timezone.now()))
    assert look(3.1) == ("pass", "read", "")
