"""The page of sources and the reading list: who sees what, who may change what, and what is shown."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from fedisec.accounts.models import AuditEvent, User
from fedisec.instances.models import Instance
from fedisec.watch.catalogue import sync
from fedisec.watch.models import Concern, Entry, Source, Stack

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def operator(alice: User, instance: Instance) -> User:
    User.objects.filter(pk=alice.pk).update(is_superuser=True)
    return alice


@pytest.fixture
def jvn(settings: Settings) -> Source:
    settings.FEEDS = True
    sync()
    Source.objects.filter(slug="warnings-jvn").update(
        last_ok_at=NOW, fetched_at=NOW, next_fetch_at=NOW + timedelta(hours=1)
    )
    return Source.objects.get(slug="warnings-jvn")


def _page(client: Client, path: str = "/watch/") -> str:
    return " ".join(client.get(path).content.decode().split())


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({}, "read</span>"),
        ({"failing_since": NOW, "error_reason": "http_503", "last_error": "HTTP 503"}, "last try failed"),
        ({"failing_since": NOW, "error_reason": "timeout"}, "No answer came in time."),
        ({"last_ok_at": NOW - timedelta(days=4), "failing_since": NOW - timedelta(days=4)}, "out of date"),
        ({"last_ok_at": None, "failing_since": NOW}, "never answered well"),
        ({"held": "leap", "held_detail": "99.0.0, 4.7.3", "error_reason": "held"}, "held: hard to believe"),
        ({"held": "leap", "held_detail": "99.0.0, 4.7.3"}, "more than one major version ahead"),
        ({"last_ok_at": None}, "not read yet"),
        ({"next_fetch_at": None}, "nobody here needs it"),
        ({"enabled": False}, "switched off"),
    ],
)
def test_each_feed_says_how_it_stands(
    as_alice: Client, jvn: Source, fields: dict[str, object], word: str
) -> None:
    Source.objects.exclude(pk=jvn.pk).delete()
    Source.objects.filter(pk=jvn.pk).update(**fields)
    assert word in _page(as_alice)


def test_everybody_reads_the_page_and_operators_alone_change_it(
    as_alice: Client, as_bob: Client, operator: User, jvn: Source
) -> None:
    own = Source.objects.create(
        slug="own", kind="warnings", title="Ours", url="https://x.example/?key=1", own=True
    )
    assert "Switch off" in _page(as_alice) and "key=1" in _page(as_alice)
    theirs = _page(as_bob)
    assert "JVN iPedia" in theirs and "Switch off" not in theirs and "key=1" not in theirs
    assert Client().get("/watch/").status_code == 302
    for path in ("turn", "read", "remove"):
        assert as_bob.post(f"/watch/{own.pk}/{path}/", {"on": "no"}).status_code == 404
    assert as_bob.get("/watch/add/").status_code == as_bob.post("/watch/add/").status_code == 404
    assert Source.objects.get(pk=own.pk).enabled


def test_a_feed_is_switched_and_the_trail_knows(as_alice: Client, operator: User, jvn: Source) -> None:
    for on in ("no", "no", "yes"):
        assert as_alice.post(f"/watch/{jvn.pk}/turn/", {"on": on}).status_code == 302
    assert [event.action for event in AuditEvent.objects.order_by("pk")] == ["source.off", "source.on"]
    again = Source.objects.get(pk=jvn.pk)
    assert again.enabled and again.next_fetch_at is None, "whoever needs it wakes it"


def test_what_is_held_can_be_believed(as_alice: Client, operator: User, jvn: Source) -> None:
    as_alice.post(f"/watch/{jvn.pk}/read/", {"believe": "yes"})
    assert not Source.objects.get(pk=jvn.pk).believe, "nothing is held"
    Source.objects.filter(pk=jvn.pk).update(held="leap", held_detail="9.0.0")
    assert "Believe it" in _page(as_alice)
    as_alice.post(f"/watch/{jvn.pk}/read/", {"believe": "yes"})
    assert Source.objects.get(pk=jvn.pk).believe
    assert AuditEvent.objects.get().data["said"] == "leap 9.0.0"


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({}, ""),
        ({"kind": "release", "about": "Snac"}, ""),
        ({"kind": "release", "about": ""}, "Which software"),
        ({"url": "javascript:alert(1)"}, "This is no web address."),
        ({"url": "https://[::1"}, "This is no web address."),
        ({"url": "https://user:secret@x.example/feed"}, "a password in it"),
        ({"url": "https://jvn.jp/rss/jvn.rdf"}, "there already"),
        ({"title": ""}, "This field is required."),
    ],
)
def test_an_own_feed_is_added(
    as_alice: Client, operator: User, jvn: Source, given: dict[str, str], error: str
) -> None:
    fields = {
        "title": "Ours",
        "url": "https://feeds.example/feed.xml",
        "kind": "warnings",
        "about": "",
        **given,
    }
    answer = as_alice.post("/watch/add/", fields)
    if error:
        assert answer.status_code == 422 and error in answer.content.decode()
        assert not Source.objects.filter(own=True).exists()
    else:
        made = Source.objects.get(own=True)
        assert answer.status_code == 302 and made.about == given.get("about", "").lower()
        assert as_alice.post(f"/watch/{made.pk}/remove/").status_code == 302
        assert [event.action for event in AuditEvent.objects.order_by("pk")] == [
            "source.added",
            "source.removed",
        ]
    assert as_alice.post(f"/watch/{jvn.pk}/remove/").status_code == 404, "what ships is switched off"


@pytest.fixture
def listed(instance: Instance, jvn: Source) -> Instance:
    """Three warnings, one of each word, and a newer Mastodon than the one that runs."""
    Stack.objects.create(
        instance=instance, software="mastodon", family="mastodon", version="4.7.2", products=[["redis", "7.2.4"]],
        made_at=NOW,
    )  # fmt: skip
    for number, (title, said) in enumerate(
        (("Redis <b>one</b>", ""), ("Redis two", "done"), ("Redis three", "not"))
    ):
        entry = Entry.objects.create(
            source=jvn, guid=f"JVNDB-{number}", title=title, url="https://jvn.jp/1", published_at=NOW,
            data={"cvss": {"score": "9.8", "version": "3.0"}},
        )  # fmt: skip
        Concern.objects.create(
            instance=instance, entry=entry, product="redis", matched="Redis", said=said, story=f"e{entry.pk}"
        )
    Entry.objects.create(
        source=Source.objects.get(slug="release-mastodon"), guid="v", title="v4.7.3", version="4.7.3", urgent=True,
        url="https://github.com/mastodon/mastodon/releases/tag/v4.7.3", published_at=NOW,
    )  # fmt: skip
    return instance


def _news(instance: Instance, rest: str = "") -> str:
    return f"/instances/{instance.domain}/news/{rest}"


def test_the_list_shows_what_waits_and_why(as_alice: Client, listed: Instance) -> None:
    text = _page(as_alice, _news(listed))
    assert "Redis &lt;b&gt;one&lt;/b&gt;" in text and "Redis two" not in text
    assert "It names Redis; 7.2.4 runs here." in text and "(by a word of the title)" in text
    assert "CVSS 3.0 9.8, as given by JVN" in text
    assert "Mastodon 4.7.3 is out; 4.7.2 runs here." in text and "Its notes speak of security." in text


@pytest.mark.parametrize(
    ("query", "shown"),
    [("said=done", ["two"]), ("said=all", ["one", "two", "three"]), ("said=all&q=THREE", ["three"]),
     ("said=all&q=jvndb-1", ["two"]), ("said=all&q=nginx", []), ("said=nonsense", ["one", "two", "three"])],
)  # fmt: skip
def test_the_list_is_sorted_and_searched(
    as_alice: Client, listed: Instance, query: str, shown: list[str]
) -> None:
    text = _page(as_alice, _news(listed, f"?{query}"))
    assert {
        word for word in ("one", "two", "three") if f"Redis {word}" in text.replace("&lt;b&gt;", "")
    } == set(shown)


def test_an_editor_says_what_it_is_and_the_trail_knows(as_alice: Client, listed: Instance) -> None:
    concern = Concern.objects.get(said="")
    for said in ("concerns", "concerns", "done", ""):
        assert as_alice.post(_news(listed, f"{concern.pk}/"), {"said": said}).status_code == 302
    assert [e.action for e in AuditEvent.objects.order_by("pk")] == [
        "warning.concerns", "warning.done", "warning.open",
    ]  # fmt: skip
    concern.refresh_from_db()
    assert (concern.said, concern.said_by, concern.said_at) == ("", None, None)
    assert as_alice.post(_news(listed, f"{concern.pk}/"), {"said": "nonsense"}).status_code == 404


def test_viewers_read_and_strangers_find_nothing(
    as_bob: Client, as_charlie: Client, listed: Instance
) -> None:
    concern = Concern.objects.get(said="")
    assert "Concerns us</button>" not in _page(as_bob, _news(listed))
    assert as_bob.post(_news(listed, f"{concern.pk}/"), {"said": "done"}).status_code == 404
    assert as_charlie.get(_news(listed)).status_code == 404
    assert as_charlie.post(_news(listed, f"{concern.pk}/"), {"said": "done"}).status_code == 404


def test_the_number_of_queries_does_not_grow(
    as_alice: Client, listed: Instance, operator: User, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    for page, most in (("/watch/", 12), (_news(listed, "?said=all"), 20)):
        with django_assert_max_num_queries(most):  # type: ignore[operator]  # the plugin's fixture has no type
            as_alice.get(page)


def test_both_items_lead_there(as_alice: Client, listed: Instance) -> None:
    for key in ("updates.sources_followed", "updates.releases_followed"):
        text = _page(as_alice, f"/instances/{listed.domain}/items/{key}/")
        assert 'href="/watch/"' in text and f'href="{_news(listed)}"' in text
