"""What an instance runs, as its looks tell: enough to choose feeds by and to match warnings with."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from checks.facts import Facts
from checks.facts.software import Software
from fedisec.instances.models import Instance
from fedisec.watch import clock, stacks
from fedisec.watch.catalogue import sync
from fedisec.watch.models import Concern, Entry, Source, Stack
from tests.checks.inside.reports import report
from tests.factories import a_recorded_scan, an_instance

pytestmark = pytest.mark.django_db
NOW = timezone.now()
INSIDE = report(
    release='ID=raspbian\nVERSION_ID="12"\nPRETTY_NAME="Raspbian 12"',
    packages="ii \tnginx\t1.22.1-9+deb12u3\tnginx",
    versions="nginx nginx version: nginx/1.22.1\nnode v20.19.2",
    docker="== version\n28.0.0\n== ps\nbb\tcache\tredis:7.2-alpine\t",
)
MASTODON = Software("mastodon", "mastodon", "4.7.2+glitch", "4.7.2", "glitch")


def _looked(instance: Instance, *facts: object, ago_h: int = 0) -> Stack:
    found = Facts({type(fact): fact for fact in facts})  # type: ignore[misc]  # a table's shorthand
    a_recorded_scan(instance, found, timezone.now() - timedelta(hours=ago_h))
    stacks.refresh()
    return Stack.objects.get(instance=instance)


def test_a_look_tells_software_distribution_and_products() -> None:
    found = _looked(an_instance(), MASTODON, INSIDE)
    assert (found.software, found.family, found.version) == ("mastodon", "mastodon", "4.7.2+glitch")
    assert found.distribution == "debian", "whose packages it has, and so whose warnings"
    assert {tuple(pair) for pair in found.products} == {
        ("nginx", "1.22.1"), ("nodejs", "20.19.2"), ("redis", "7.2"), ("openssh", ""), ("linux", ""),
    }  # fmt: skip


def test_what_a_later_look_cannot_see_is_not_forgotten() -> None:
    instance = an_instance()
    before = _looked(instance, MASTODON, INSIDE, ago_h=3)
    after = _looked(instance)
    assert after.scan_id > before.scan_id
    assert (after.software, after.distribution, after.products) == ("mastodon", "debian", before.products)
    newer = _looked(instance, Software("misskey", "misskey", "2026.9.1", "2026.9.1"))
    assert (newer.software, newer.products) == ("misskey", before.products)


def test_only_what_changed_is_made_anew() -> None:
    instance = an_instance()
    _looked(instance, MASTODON)
    assert stacks.refresh() == []
    a_recorded_scan(instance, Facts({Software: MASTODON}))
    assert stacks.refresh() == [], "another look, the same programs"
    later = Software("mastodon", "mastodon", "4.7.3", "4.7.3")
    assert _looked(instance, later).version == "4.7.3"


def test_a_first_look_wakes_its_feeds_and_finds_the_warnings_of_the_last_weeks(settings: Settings) -> None:
    settings.FEEDS = True
    sync()
    jvn = Source.objects.get(slug="warnings-jvn")
    for title, days in (("Redis の脆弱性", 3), ("Redis の古い脆弱性", 60)):
        when = NOW - timedelta(days=days)
        Entry.objects.create(source=jvn, guid=title, title=title, published_at=when, matched=True)
    instance = an_instance()
    a_recorded_scan(instance, Facts({Software: MASTODON, type(INSIDE): INSIDE}), NOW)
    clock.tick(timezone.now())
    awake = set(Source.objects.exclude(next_fetch_at=None).values_list("slug", flat=True))
    assert {"release-mastodon", "warnings-jvn", "warnings-debian"} <= awake and "release-akkoma" not in awake
    assert [(c.entry.title, c.product) for c in Concern.objects.all()] == [("Redis の脆弱性", "redis")]


@pytest.mark.parametrize(
    ("about", "software", "family", "followed"),
    [("mastodon", "mastodon", "mastodon", True), ("sharkey", "sharkey", "misskey", True),
     ("misskey", "sharkey", "misskey", False), ("mastodon", "hometown", "mastodon", False),
     ("mastodon", "", "mastodon", True), ("", "", "", False)],
)  # fmt: skip
def test_a_release_feed_is_followed_by_name(about: str, software: str, family: str, followed: bool) -> None:
    assert stacks.followed_by(about, software, family) is followed
