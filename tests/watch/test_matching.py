"""Warnings and what instances run: by CPE first, then by whole words, and nobody hears of what is not theirs."""

from __future__ import annotations

import pytest
from django.utils import timezone

from fedisec.watch import fetching, matching
from fedisec.watch.matching import names_in
from fedisec.watch.models import Concern, Source
from tests.watch import feeds
from tests.watch.conftest import AddRunner, AddSource
from tests.watch.site import Site

NOW = timezone.now()


@pytest.mark.parametrize(
    ("title", "products"),
    [
        ("Redis における解放済みメモリ使用の脆弱性", {"redis"}),
        ("Redisの脆弱性", {"redis"}),
        ("Vulnerability in redis, nginx/1.27 and OpenSSL.", {"redis", "nginx", "openssl"}),
        ("redistribute the redist", set()),
        ("python-redis における脆弱性", set()),
        ("phpMyAdmin の脆弱性", set()),
        ("PHP の脆弱性", {"php"}),
        ("php-imap の脆弱性", set()),
        ("Ruby on Rails における脆弱性", set()),
        ("Ruby における脆弱性", {"ruby"}),
        ("Node.js における HTTP リクエストスマグリングの脆弱性", {"nodejs"}),
        ("Node-js-thing", set()),
        ("Apache HTTP Server の脆弱性", {"apache"}),
        ("Apache Tomcat の脆弱性", set()),
        ("Linux Kernel における脆弱性", {"linux"}),
        ("Linux 向け VPN クライアントの脆弱性", set()),
        ("Docker Desktop における脆弱性", set()),
        ("Docker における脆弱性", {"docker"}),
        ("USN-7000-1: PostgreSQL vulnerabilities", {"postgresql"}),
        ("Mastodon has a flaw", {"mastodon"}),
        ("", set()),
    ],
)
def test_whole_words_of_a_title_name_products(title: str, products: set[str]) -> None:
    assert {one.product for one in names_in(title, ())} == products


@pytest.mark.parametrize(
    ("title", "products"),
    [
        ("DSA-6001-1 linux - security update", {"linux"}),
        ("DSA-6002-1 postgresql-15 - security update", {"postgresql"}),
        ("DSA-6003-1 openssl - security update", {"openssl"}),
        ("DSA-6004-1 nodejs - security update", {"nodejs"}),
        ("DSA-6005-1 php8.2 - security update", {"php"}),
        ("DSA-6006-1 ruby-rack - security update", set()),
        ("DSA-6007-1 firefox-esr - security update", set()),
    ],
)
def test_titles_of_a_distribution_name_source_packages(title: str, products: set[str]) -> None:
    assert {one.product for one in names_in(title, (), distribution=True)} == products


def test_where_an_entry_has_cpes_its_words_do_not_count() -> None:
    (named,) = names_in("Redis を使う WordPress プラグインの脆弱性", ("redis:redis", "wordpress:wordpress"))
    assert (named.product, named.matched, named.by_cpe) == ("redis", "redis:redis", True)
    assert names_in("Redis Object Cache", ("rhubarbgroup:redis_object_cache",)) == ()


@pytest.mark.django_db
def test_warnings_reach_the_instances_that_run_what_they_name(
    web: Site, runs: AddRunner, source: AddSource
) -> None:
    one = runs("mastodon", "4.7.2", products=[["redis", "7.2.4"], ["nginx", "1.26"]], distribution="debian")
    two = runs("misskey", "2026.9.1", products=[["redis", "7.4.0"]], distribution="ubuntu")
    demo = runs("mastodon", "4.7.2", products=[["redis", "7.2.4"]], demo=True)
    web.say(
        "/jvndb",
        feeds.jvndb(
            {
                "id": "JVNDB-2026-000001",
                "title": "Redis の脆弱性",
                "cpe": "cpe:/a:redis:redis",
                "score": "9.8",
            },
            {"id": "JVNDB-2026-000002", "title": "Mastodon の脆弱性"},
            {"id": "JVNDB-2026-000003", "title": "冷蔵庫の脆弱性", "cpe": "cpe:/h:fridge:fridge"},
            newest=NOW,
        ),
    )
    web.say(
        "/debian",
        feeds.rss2("DSA-1-1 nginx - security update", "DSA-2-1 redis - security update", newest=NOW),
    )
    for found in (source("/jvndb"), source("/debian", about="debian")):
        fetching.fetch_source(found.pk)
    rows = Concern.objects.order_by("entry__title", "instance_id").values_list(
        "entry__title", "instance", "product", "by_cpe"
    )
    assert list(rows) == [
        ("DSA-1-1 nginx - security update", one.pk, "nginx", False),
        ("DSA-2-1 redis - security update", one.pk, "redis", False),
        ("Mastodon の脆弱性", one.pk, "mastodon", False),
        ("Redis の脆弱性", one.pk, "redis", True),
        ("Redis の脆弱性", two.pk, "redis", True),
    ]
    assert not Concern.objects.filter(instance=demo).exists()
    assert not Concern.objects.filter(told_at=None).exists(), "the first reading of a feed tells nothing"


@pytest.mark.django_db
def test_an_instance_that_is_new_finds_the_last_weeks_and_is_not_told(
    web: Site, runs: AddRunner, source: AddSource
) -> None:
    runs("misskey")
    found = source("/jpcert")
    web.say("/jpcert", feeds.jpcert("A", newest=NOW))
    fetching.fetch_source(found.pk)
    web.say("/jpcert", feeds.jpcert("A", "Mastodon の注意喚起", newest=NOW))
    Source.objects.update(next_fetch_at=NOW)
    fetching.fetch_source(found.pk)
    late = runs("mastodon")
    matching.match_stacks([late.stack], NOW)
    matching.match_stacks([late.stack], NOW)
    assert [(c.instance, c.told_at) for c in Concern.objects.all()] == [(late, NOW)]
