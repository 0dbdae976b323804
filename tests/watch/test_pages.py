"""The reading list of an instance and the page of sources, as people see them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from fedisec.accounts.models import Membership, User
from fedisec.instances.models import Instance
from fedisec.watch import judging, matching, stories
from fedisec.watch.catalogue import sync
from fedisec.watch.models import Concern, Entry, Flaw, Source, SourceKind, Stack
from tests.factories import signed_in
from tests.watch.conftest import AddRunner

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def reader(runs: AddRunner) -> tuple[Client, Instance]:
    """Somebody who may edit, and an instance with four warnings."""
    instance = runs(
        "mastodon", "4.7.2", domain="first.example", distribution="debian", release="bookworm",
        products=[["nginx", "1.22.1"], ["redis", "7.0.15"]],
        packages=[["nginx", "1.22.1-9+deb12u1"], ["redis", "5:7.0.15-1~deb12u1"]],
        owned={"nginx": "nginx", "redis": "redis"},
    )  # fmt: skip
    for name, package, state, fixed in (
        ("CVE-2026-0001", "nginx", "fixed", "1.22.1-9+deb12u2"),
        ("CVE-2026-0002", "redis", "fixed", "5:7.0.15-1~deb12u1"),
        ("CVE-2026-0003", "nginx", "open", ""),
    ):
        Flaw.objects.create(
            distribution="debian", release="bookworm", package=package, name=name, state=state, fixed=fixed,
            urgency="high", seen_at=NOW,
        )  # fmt: skip
    judging.refresh(Stack.objects.all())
    ja, en = (
        Source.objects.create(
            slug=slug, kind="warnings", title=title, url=f"https://{slug}.example/", language=slug
        )
        for slug, title in (("ja", "JVN iPedia"), ("en", "JVN iPedia (English)"))
    )
    _said(ja, 1, "nginx における情報漏えいの脆弱性", "CVE-2026-0001")
    _said(en, 1, "Information disclosure in nginx", "CVE-2026-0001")
    _said(ja, 2, "Redis の脆弱性", "CVE-2026-0002")
    _said(ja, 3, "nginx のサービス運用妨害", "CVE-2026-0003")
    _said(ja, 4, "Mastodon の脆弱性", "CVE-2026-0004")
    matching.match_new(NOW)
    member = Membership.objects.filter(team=instance.team).first()
    assert member is not None
    return signed_in(Client(), member.user), instance


def _said(source: Source, number: int, title: str, cve: str) -> None:
    row = Entry(
        source=source, guid=f"JVNDB-2026-{number:06}", title=title, url=f"https://jvndb.example/{number}",
        published_at=NOW - timedelta(days=number), data={"ids": [f"JVNDB-2026-{number:06}", cve], "cpe": []},
    )  # fmt: skip
    stories.tell_apart([row], source)
    row.save()


def _shown(client: Client, instance: Instance, language: str = "ja", **query: str) -> Any:
    page = client.get(f"/instances/{instance.address}/news/", query, headers={"accept-language": language})
    assert page.status_code == 200
    return [line.entry.title for line in page.context["lines"]], page.content.decode()


def test_each_reader_gets_a_warning_once_in_their_language(reader: tuple[Client, Instance]) -> None:
    client, instance = reader
    _, page = _shown(client, instance, "en")
    assert "Information disclosure in nginx" in page and "情報漏えい" not in page
    assert "JVN iPedia (English), JVN iPedia" in page


def test_what_the_distribution_repaired_is_put_aside_and_said(reader: tuple[Client, Instance]) -> None:
    client, instance = reader
    titles, page = _shown(client, instance)
    assert len(titles) == 3 and not any("Redis" in title for title in titles)
    assert "1.22.1-9+deb12u2" in page
    assert len(_shown(client, instance, said="repaired")[0]) == 1
    assert len(_shown(client, instance, said="all")[0]) == 4


@pytest.mark.parametrize(
    ("query", "found"),
    [({"q": "disclosure"}, 1), ({"q": "nginx"}, 2), ({"q": "JVNDB-2026-000004"}, 1), ({"q": "%"}, 0),
     ({"product": "mastodon"}, 1), ({"source": "en"}, 1), ({"product": "nginx", "q": "運用"}, 1), ({"source": "x"}, 0)],
)  # fmt: skip
def test_the_list_can_be_searched_and_narrowed(
    reader: tuple[Client, Instance], query: dict[str, str], found: int
) -> None:
    client, instance = reader
    assert len(_shown(client, instance, **query)[0]) == found


def test_what_is_said_leads_back_to_the_same_list_and_nowhere_else(reader: tuple[Client, Instance]) -> None:
    client, instance = reader
    line = Concern.objects.get(product="mastodon")
    answer = client.post(
        f"/instances/{instance.address}/news/{line.pk}/",
        {"said": "done", "back": "said=all&q=a b&page=2&next=https://evil.example/"},
    )
    assert answer["Location"] == f"/instances/{instance.address}/news/?said=all&q=a+b&page=2"
    assert _shown(client, instance, said="done")[0] == ["Mastodon の脆弱性"]


def test_pages_keep_what_the_list_was_narrowed_to(
    reader: tuple[Client, Instance], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client, instance = reader
    ja = Source.objects.get(slug="ja")
    for number in range(10, 70):
        _said(ja, number, f"nginx の件 {number}", f"CVE-2026-{number:04}")
    matching.match_new(NOW)
    _shown(client, instance)
    with django_assert_max_num_queries(30):
        titles, page = _shown(client, instance, product="nginx", q="件")
    assert len(titles) == 30 and "?q=%E4%BB%B6&amp;product=nginx&amp;page=2" in page


def test_packages_with_known_flaws_stand_above_the_list(reader: tuple[Client, Instance]) -> None:
    client, instance = reader
    _, page = _shown(client, instance)
    assert page.count('class="mono">nginx</th>') == 1 and 'class="mono">redis</th>' not in page
    assert "CVE-2026-0001" in page and "1.22.1-9+deb12u1" in page


def test_the_page_of_sources_shows_each_with_its_state_and_the_age_of_what_was_shipped(db: None) -> None:
    sync()
    operator = User.objects.create_user("root@example.org", "a sentence nobody guesses", is_superuser=True)
    bad = {
        "last_ok_at": NOW - timedelta(days=4),
        "failing_since": NOW - timedelta(days=4),
        "next_fetch_at": NOW,
    }
    Source.objects.filter(slug="warnings-myjvn").update(
        **bad, error_reason="refused_by_api", last_error="MYJVN-E-0001 busy"
    )
    Source.objects.filter(slug="release-mastodon").update(
        held="leap", held_detail="99.0.0, 4.7.2", next_fetch_at=NOW
    )
    page = signed_in(Client(), operator).get("/watch/").content.decode()
    for source in Source.objects.filter(
        kind__in=[SourceKind.WARNINGS, SourceKind.PACKAGES, SourceKind.RELEASE]
    ):
        assert f'id="source-{source.pk}"' in page
    assert "MYJVN-E-0001 busy" in page and "99.0.0, 4.7.2" in page and 'value="yes"' in page
    assert page.count("<dt>") >= 3 and "MyJVN API" in page
