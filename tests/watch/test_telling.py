"""A release is told once to each who hears of a server that runs something older; warnings come in the morning."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from django.utils.translation import override
from pytest_django import Settings

from fedisec.alerts.letters.news import _in_own_language
from fedisec.alerts.models import MailKind, Notice, Subscription
from fedisec.instances.models import Instance
from fedisec.watch import fetching, telling
from fedisec.watch.models import Concern, Source, SourceKind, Stack
from tests.factories import a_subscriber
from tests.watch import feeds
from tests.watch.conftest import AddRunner, AddSource
from tests.watch.site import Site

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def known(web: Site, source: AddSource, runs: AddRunner) -> Source:
    """A feed of Mastodon that was read once: 4.7.2 and 4.6.8 are known."""
    found = source("/mastodon", SourceKind.RELEASE, about="mastodon")
    runs("mastodon", "4.7.2", domain="first.example")
    _read(web, found, "v4.7.2", "v4.6.8")
    return found


def _read(web: Site, source: Source, *tags: str, notes: str = "Fixes.") -> None:
    web.say("/mastodon", feeds.github("mastodon/mastodon", *tags, notes=notes, newest=NOW))
    Source.objects.filter(pk=source.pk).update(next_fetch_at=NOW)
    fetching.fetch_source(source.pk)


def _hears(instance: Instance, **fields: str) -> Instance:
    a_subscriber(instance, **fields)
    return instance


def _told() -> list[tuple[str, str, list[str]]]:
    """(address, version, domains) of each notice."""
    return [
        (
            notice.user.email if notice.user else "",
            notice.data["version"],
            [i["domain"] for i in notice.data["instances"]],
        )
        for notice in Notice.objects.filter(kind=MailKind.NEWS).order_by("about", "user__email")
    ]


def test_the_first_reading_tells_nothing(web: Site, source: AddSource, runs: AddRunner) -> None:
    _hears(runs("mastodon", "4.5.0"))
    _read(web, source("/mastodon", SourceKind.RELEASE, about="mastodon"), "v4.7.3")
    assert not Notice.objects.exists()


def test_one_notice_for_each_who_hears_names_all_their_servers(
    web: Site, known: Source, runs: AddRunner
) -> None:
    first, second = Instance.objects.get(), runs("mastodon", "4.7.1", domain="second.example")
    both = a_subscriber(first, email="both@example.org")
    second.team.memberships.create(user=both, role="viewer")
    Subscription.objects.create(user=both, instance=second)
    _hears(second, email="one@example.org")
    _hears(runs("mastodon", "4.7.3", domain="current.example"), email="current@example.org")
    _hears(runs("misskey", "2026.9.1", domain="other.example"), email="other@example.org")
    _hears(runs("mastodon", "4.7.2", domain="off.example", follow_releases=False), email="off@example.org")
    _read(web, known, "v4.7.3", "v4.7.2", notes="A security fix")
    assert _told() == [
        ("both@example.org", "4.7.3", ["first.example", "second.example"]),
        ("one@example.org", "4.7.3", ["second.example"]),
    ]
    notice = Notice.objects.get(user__email="one@example.org")
    assert notice.about == "release mastodon 4.7.3" and notice.instance == second
    assert notice.data["urgent"] is True and notice.data["kind"] == "release"
    assert notice.data["url"] == "https://github.com/mastodon/mastodon/releases/tag/v4.7.3"
    assert notice.data["instances"] == [{"domain": "second.example", "version": "4.7.1"}]
    _read(web, known, "v4.7.3", "v4.7.2")
    assert Notice.objects.count() == 2, "nobody is told twice"


def test_each_server_hears_of_its_own_branch_or_else_of_the_newest(
    web: Site, known: Source, runs: AddRunner
) -> None:
    for version in ("4.6.8", "4.5.4", "4.7.2+glitch"):
        domain = f"v{version[2]}.example"
        _hears(runs("mastodon", version, domain=domain), email=f"v{version[2]}@example.org")
    _read(web, known, "v4.7.3", "v4.6.9", "v4.8.0-beta.1")
    assert _told() == [
        ("v6@example.org", "4.6.9", ["v6.example"]),
        ("v5@example.org", "4.7.3", ["v5.example"]),
        ("v7@example.org", "4.7.3", ["v7.example"]),
    ]


def test_an_old_release_that_turns_up_again_is_no_news(web: Site, known: Source, runs: AddRunner) -> None:
    _hears(runs("mastodon", "4.6.0"))
    _read(web, known, "v4.7.2", "v4.6.7")
    assert not Notice.objects.exists()


def test_what_is_held_is_told_to_nobody(web: Site, known: Source, runs: AddRunner) -> None:
    _hears(runs("mastodon", "4.6.0"))
    _read(web, known, "v99.0.0")
    assert Source.objects.get(pk=known.pk).held == "leap" and not Notice.objects.exists()


def test_two_feeds_of_one_software_tell_once(
    web: Site, known: Source, runs: AddRunner, source: AddSource
) -> None:
    _hears(runs("mastodon", "4.6.8"))
    again = source("/again", SourceKind.RELEASE, about="mastodon")
    web.say("/again", feeds.github("a/b", "v4.7.2", newest=NOW))
    fetching.fetch_source(again.pk)
    _read(web, known, "v4.6.9", "v4.7.2")
    web.say("/again", feeds.github("a/b", "v4.6.9", "v4.7.2", newest=NOW))
    Source.objects.update(next_fetch_at=NOW)
    fetching.fetch_source(again.pk)
    assert Notice.objects.count() == 1


@pytest.fixture
def warned(web: Site, source: AddSource, runs: AddRunner) -> Instance:
    """A server with Redis, and a warning about that which came after the first reading of the feed."""
    found = source("/jvndb", title="JVN iPedia")
    instance = runs("mastodon", "4.7.2", domain="first.example", products=[["redis", "7.2.4"]])
    first = {"id": "JVNDB-2026-000001", "title": "Redis: 古い話", "cpe": "cpe:/a:redis:redis"}
    fresh = {
        "id": "JVNDB-2026-000002",
        "title": "Redis: 新しい話",
        "cpe": "cpe:/a:redis:redis",
        "score": "9.8",
    }
    for items in ((first,), (fresh, first)):
        web.say("/jvndb", feeds.jvndb(*items, newest=NOW))
        Source.objects.filter(pk=found.pk).update(next_fetch_at=NOW)
        fetching.fetch_source(found.pk)
    return instance


def _tomorrow() -> datetime:
    return telling.morning(timezone.now()) + timedelta(days=1, minutes=1)


def test_warnings_are_told_in_the_next_morning_and_once(warned: Instance) -> None:
    _hears(warned, email="reader@example.org")
    telling.tick(timezone.now())
    assert not Notice.objects.exists() and Concern.objects.filter(told_at=None).count() == 1
    for _ in range(2):
        telling.tick(_tomorrow())
    notice = Notice.objects.get()
    assert notice.instance == warned and notice.about.startswith("warning ")
    assert {key: notice.data[key] for key in ("kind", "title", "source", "severity", "instances")} == {
        "kind": "warning",
        "title": "Redis: 新しい話",
        "source": "JVN iPedia",
        "severity": "CVSS 3.0 9.8 (Critical)",
        "instances": [{"domain": "first.example", "version": "redis 7.2.4"}],
    }


def test_a_warning_in_two_languages_is_one_notice_and_each_reader_gets_theirs(
    web: Site, warned: Instance, source: AddSource
) -> None:
    _hears(warned, email="reader@example.org")
    english = source("/en", title="JVN iPedia (English)", language="en")
    item = {"id": "JVNDB-2026-000002", "title": "Redis: new story", "cpe": "cpe:/a:redis:redis"}
    web.say("/en", feeds.jvndb(item, newest=NOW))
    Source.objects.exclude(pk=english.pk).update(language="ja")
    fetching.fetch_source(english.pk)
    telling.tick(_tomorrow())
    notice = Notice.objects.get()
    titles = {}
    for language in ("en", "ja", "de"):
        with override(language):
            titles[language] = {_in_own_language(notice.data).get("title", notice.data["title"])}
    assert titles == {"en": {"Redis: new story"}, "ja": {"Redis: 新しい話"}, "de": {"Redis: 新しい話"}}


def test_what_the_distribution_has_repaired_is_told_to_nobody(warned: Instance) -> None:
    _hears(warned)
    Concern.objects.update(verdict="repaired")
    telling.tick(_tomorrow())
    assert not Notice.objects.exists() and not Concern.objects.filter(told_at=None).exists()


@pytest.mark.parametrize("why", ["said", "off", "demo"])
def test_what_is_settled_or_switched_off_is_not_told(warned: Instance, why: str) -> None:
    _hears(warned)
    if why == "said":
        Concern.objects.update(said="not")
    elif why == "off":
        Instance.objects.update(follow_sources=False)
    else:
        Instance.objects.update(demo=True)
    telling.tick(_tomorrow())
    assert not Notice.objects.exists() and not Concern.objects.filter(told_at=None).exists()


def test_the_morning_is_that_of_the_installation(settings: Settings) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    noon = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    assert telling.morning(noon) == datetime(2026, 11, 20, 23, 0, tzinfo=UTC)
    assert telling.morning(datetime(2026, 11, 20, 22, 59, tzinfo=UTC)) == datetime(
        2026, 11, 19, 23, tzinfo=UTC
    )


def test_without_anything_to_tell_a_round_is_one_query(
    db: None, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    with django_assert_num_queries(1):  # type: ignore[operator]  # the plugin's fixture has no public type
        telling.tick(NOW)
    assert not Stack.objects.exists()
