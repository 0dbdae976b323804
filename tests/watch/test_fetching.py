"""Reading a feed: only what is new, politely, and what was believed outlasts whatever is said later."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from fedisec.watch import claiming, clock, fetching, storing
from fedisec.watch.catalogue import as_of, shipped, sync
from fedisec.watch.models import Entry, Source, SourceKind
from tests.factories import an_instance
from tests.watch import feeds
from tests.watch.conftest import AddRunner, AddSource
from tests.watch.site import Site, drip

pytestmark = pytest.mark.django_db
TODAY = timezone.now()
ROOT = Path(__file__).resolve().parents[2]


def _read(source: Source) -> Source:
    """One look at a feed, as when its time has come."""
    Source.objects.filter(pk=source.pk).update(next_fetch_at=timezone.now())
    fetching.fetch_source(source.pk)
    return Source.objects.get(pk=source.pk)


def _pause_s(source: Source) -> float:
    assert source.next_fetch_at is not None and source.fetched_at is not None
    return (source.next_fetch_at - source.fetched_at).total_seconds()


@pytest.fixture
def mastodon(source: AddSource, runs: AddRunner) -> Source:
    runs()
    return source("/mastodon", SourceKind.RELEASE, about="mastodon")


def test_what_a_feed_says_is_stored_once(web: Site, mastodon: Source) -> None:
    web.say("/mastodon", feeds.github("mastodon/mastodon", "v4.7.3", "v4.8.0-beta.1", newest=TODAY))
    read = _read(mastodon)
    assert read.last_ok_at == read.fetched_at and read.failing_since is None and not read.token
    assert _pause_s(read) == pytest.approx(3600, abs=5)
    web.say(
        "/mastodon", feeds.github("mastodon/mastodon", "v4.7.4", "v4.7.3", notes="security", newest=TODAY)
    )
    _read(mastodon)
    found = Entry.objects.filter(source=mastodon).order_by("pk")
    assert [(e.version, e.prerelease, e.urgent) for e in found] == [
        ("4.7.3", False, False), ("4.8.0", True, False), ("4.7.4", False, True),
    ]  # fmt: skip


@pytest.mark.parametrize("mark", [{"ETag": '"a1"'}, {"Last_Modified": "Sat, 21 Nov 2026 10:00:00 GMT"}])
def test_what_did_not_change_is_not_sent_again(web: Site, mastodon: Source, mark: dict[str, str]) -> None:
    web.say("/mastodon", feeds.github("a/b", "v4.7.3", newest=TODAY))
    web.replies["/mastodon"].headers |= {k.replace("_", "-"): v for k, v in mark.items()}
    first = _read(mastodon)
    second = _read(mastodon)
    assert [set(asked.headers) & {"if-none-match", "if-modified-since"} for asked in web.asked] == [
        set(), {"if-none-match" if "ETag" in mark else "if-modified-since"},
    ]  # fmt: skip
    assert second.last_ok_at is not None and first.last_ok_at is not None
    assert second.last_ok_at > first.last_ok_at and second.etag == mark.get("ETag", "")


def test_a_304_that_was_not_asked_for_is_no_good_answer(web: Site, mastodon: Source) -> None:
    web.say("/mastodon", status=304)
    assert _read(mastodon).error_reason == "http_304"


def _answer(status: int, **headers: str) -> Callable[[Site], None]:
    def answer(web: Site) -> None:
        web.say("/mastodon", b"sorry", status)
        web.replies["/mastodon"].headers |= {k.replace("_", "-"): v for k, v in headers.items()}

    return answer


@pytest.mark.parametrize(
    ("wrong", "reason", "pause_s"),
    [
        (_answer(503), "http_503", 300),
        (_answer(503, Retry_After="7200"), "http_503", 7200),
        (_answer(429, Retry_After="999999999"), "http_429", 86_400),
        (_answer(429, Retry_After="1"), "http_429", 300),
        (_answer(404), "http_404", 300),
        (lambda web: web.say("/mastodon", "<html>Sign in</html>"), "malformed", 300),
        (lambda web: web.say("/mastodon", feeds.LAUGHS), "malformed", 300),
        (lambda web: web.say("/mastodon", feeds.DEEP), "malformed", 300),
        (lambda web: web.say("/mastodon", b"x" * 1_100_000), "too_large", 300),
        (
            lambda web: web.say("/mastodon", gzip.compress(b" " * 20_000_000), Content_Encoding="gzip"),
            "too_large",
            300,
        ),
        (
            lambda web: web.say("/mastodon", status=302, Location="https://10.0.0.1/"),
            "forbidden_address",
            300,
        ),
    ],
)
def test_a_failure_leaves_what_was_believed_and_pauses(
    web: Site, mastodon: Source, wrong: Callable[[Site], None], reason: str, pause_s: int
) -> None:
    web.say("/mastodon", feeds.github("a/b", "v4.7.3", newest=TODAY), ETag='"1"')
    good = _read(mastodon)
    wrong(web)
    bad = _read(mastodon)
    assert bad.error_reason == reason and bad.last_error and bad.failing_since == bad.fetched_at
    assert (bad.last_ok_at, bad.etag) == (good.last_ok_at, '"1"') and Entry.objects.count() == 1
    assert _pause_s(bad) == pytest.approx(pause_s, abs=5)


def test_the_pause_grows_and_a_good_answer_ends_it(web: Site, mastodon: Source) -> None:
    web.say("/mastodon", status=500)
    pauses = [round(_pause_s(_read(mastodon)), -1) for _ in range(7)]
    assert pauses == [300, 900, 3600, 10800, 21600, 21600, 21600]
    failing = Source.objects.get(pk=mastodon.pk)
    assert failing.failures == 7 and failing.failing_since != failing.fetched_at
    web.say("/mastodon", feeds.github("a/b", "v4.7.3", newest=TODAY))
    assert (_read(mastodon).failures, _read(mastodon).last_error) == (0, "")


def test_a_feed_that_drips_ends_in_time(web: Site, mastodon: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "DEADLINE_S", 0.2)
    web.be_rude("/mastodon", drip(b"HTTP/1.1 200 OK\r\nX: ", b"y", web.over))
    assert _read(mastodon).error_reason in {"timeout", "busy"}


HELD = {
    "empty": (feeds.github("a/b"), "empty"),
    "poisoned": (feeds.github("a/b", "v99.0.0", newest=TODAY), "leap"),
    "backward": (feeds.github("a/b", "v4.5.0", newest=TODAY - timedelta(days=90)), "backward"),
    "of tomorrow": (feeds.github("a/b", "v4.7.4", newest=TODAY + timedelta(days=9)), "future"),
    "of nothing": (feeds.github("a/b", "hello", newest=TODAY), "no_releases"),
}


@pytest.mark.parametrize(("feed", "why"), HELD.values(), ids=HELD)
def test_what_cannot_be_true_is_held_until_it_can(web: Site, mastodon: Source, feed: str, why: str) -> None:
    web.say("/mastodon", feeds.github("a/b", "v4.7.3", newest=TODAY))
    good = _read(mastodon)
    web.say("/mastodon", feed, ETag='"evil"')
    held = _read(mastodon)
    assert held.held == why and held.last_ok_at == good.last_ok_at and held.etag == ""
    assert [entry.version for entry in Entry.objects.all()] == ["4.7.3"]
    web.say("/mastodon", feeds.github("a/b", "v4.7.4", "v4.7.3", newest=TODAY))
    again = _read(mastodon)
    assert again.held == "" and again.last_ok_at == again.fetched_at and Entry.objects.count() == 2


def test_an_operator_may_believe_it(web: Site, mastodon: Source) -> None:
    web.say("/mastodon", feeds.github("a/b", "v4.7.3", newest=TODAY))
    _read(mastodon)
    web.say("/mastodon", feeds.github("a/b", "v9.0.0", newest=TODAY))
    assert _read(mastodon).held == "leap"
    Source.objects.update(believe=True)
    believed = _read(mastodon)
    assert not believed.held and not believed.believe and Entry.objects.filter(version="9.0.0").exists()


def test_belief_is_for_one_answer(web: Site, mastodon: Source) -> None:
    web.say("/mastodon", feeds.github("a/b", "v4.7.3", newest=TODAY))
    _read(mastodon)
    Source.objects.update(believe=True)
    web.say("/mastodon", status=503)
    assert not _read(mastodon).believe
    web.say("/mastodon", feeds.github("a/b", "v9.0.0", newest=TODAY))
    assert _read(mastodon).held == "leap"


def test_a_feed_is_claimed_once(mastodon: Source) -> None:
    assert claiming.claim(mastodon.pk) is not None
    assert claiming.claim(mastodon.pk) is None


def test_a_lease_that_ran_out_is_taken_over_and_its_owner_stores_nothing(
    web: Site, mastodon: Source, settings: Settings
) -> None:
    web.say("/mastodon", feeds.github("a/b", "v4.7.3", newest=TODAY))
    dead = claiming.claim(mastodon.pk)
    assert dead is not None
    Source.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert list(claiming.due(timezone.now())) == [mastodon]
    fetching.fetch_source(mastodon.pk)
    assert Entry.objects.count() == 1
    web.say("/mastodon", feeds.github("a/b", "v4.7.9", newest=TODAY))
    fetching._take(dead, fetching._ask(dead))
    assert [entry.version for entry in Entry.objects.all()] == ["4.7.3"]


def test_a_port_of_no_web_server_is_dialled_for_an_operators_feed_alone(
    web: Site, source: AddSource, runs: AddRunner
) -> None:
    runs()
    web.say("/feed", feeds.rss2("x", newest=TODAY))
    assert _read(source("/feed", own=False, slug="theirs")).error_reason == "forbidden_address"
    assert _read(source("/feed", own=True, slug="ours")).error_reason == ""


def test_entries_of_one_source_do_not_grow_without_end(
    web: Site, source: AddSource, runs: AddRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs()
    monkeypatch.setattr(storing, "KEPT", 3)
    found = source()
    web.say("/feed", feeds.rss2(*"abcde", newest=TODAY))
    _read(found)
    assert Entry.objects.count() == 3


def test_only_feeds_that_somebody_needs_are_woken(db: None, settings: Settings, runs: AddRunner) -> None:
    settings.FEEDS = True
    sync()
    clock.tick(timezone.now())
    assert not claiming.due(timezone.now()).exists(), "nobody is there"
    runs("akkoma", "3.20.0", distribution="debian")
    runs("mastodon", "4.7.2+glitch", follow_sources=False, follow_releases=False)
    clock.tick(timezone.now())
    awake = set(claiming.due(timezone.now()).values_list("slug", flat=True))
    assert awake == {
        "release-akkoma", "warnings-debian", "warnings-jpcert", "warnings-jvn", "warnings-jvn-ipedia",
        "warnings-scannetsecurity", "warnings-ipa", "warnings-myjvn", "warnings-myjvn-en",
        "advisories-osv-mastodon", "advisories-github-mastodon", "advisories-offers-mastodon",
    }  # fmt: skip


def test_a_feed_that_nobody_needs_any_more_sleeps(web: Site, mastodon: Source) -> None:
    from fedisec.instances.models import Instance

    web.say("/mastodon", feeds.github("a/b", "v4.7.3", newest=TODAY))
    Instance.objects.update(follow_releases=False)
    assert _read(mastodon).next_fetch_at is None


def test_an_installation_without_the_internet_reads_nothing(mastodon: Source, settings: Settings) -> None:
    assert clock.next_job(timezone.now(), 0) is not None
    assert clock.next_job(timezone.now(), 600) is None, "scans come first for ten minutes"
    settings.FEEDS = False
    assert clock.next_job(timezone.now(), 0) is None and claiming.claim(mastodon.pk) is None


def test_a_demo_server_needs_no_feed(db: None, settings: Settings) -> None:
    settings.FEEDS = True
    sync()
    an_instance(demo=True)
    clock.tick(timezone.now())
    assert not claiming.due(timezone.now()).exists()


def test_the_rows_follow_the_file_and_keep_their_switch(db: None) -> None:
    sync()
    assert set(Source.objects.values_list("slug", flat=True)) == {one.slug for one in shipped()}
    Source.objects.filter(slug="warnings-jvn").update(enabled=False, url="https://old.example/", etag='"1"')
    Source.objects.create(slug="gone", kind="warnings", title="x", url="https://x.example/")
    Source.objects.create(slug="mine", kind="warnings", title="x", url="https://x.example/", own=True)
    sync()
    jvn = Source.objects.get(slug="warnings-jvn")
    assert (jvn.enabled, jvn.url, jvn.etag) == (False, "https://jvn.jp/rss/jvn.rdf", "")
    assert set(Source.objects.filter(slug__in=["gone", "mine"]).values_list("slug", flat=True)) == {"mine"}


def test_the_page_about_feeds_names_each() -> None:
    page = (ROOT / "docs" / "feeds.md").read_text()
    listed = [one for one in shipped() if one.kind is not SourceKind.ENDS]  # these are in a table of support
    assert [one.title for one in listed if f"| {one.title} | {one.url} |" not in page] == []
    assert str(as_of()) in page


def test_the_shipped_addresses_are_https_and_known_software() -> None:
    from checks.data.tables import families, forks

    assert all(one.url.startswith("https://") and one.page.startswith("https://") for one in shipped())
    about = {one.about for one in shipped() if one.kind is SourceKind.RELEASE}
    assert set(families()) <= about <= set(families()) | set(forks())
