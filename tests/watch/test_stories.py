"""One piece of news is one line, in however many languages and places it stands."""

from __future__ import annotations

import pytest
from django.utils import timezone

from fedisec.watch import fetching, stories, storing
from fedisec.watch.models import Concern, Entry, Name, Source
from fedisec.watch.stories import names_of
from tests.watch import feeds
from tests.watch.conftest import AddRunner, AddSource
from tests.watch.site import Site

NOW = timezone.now()
FLAW = {"id": "JVNDB-2026-000001", "cpe": "cpe:/a:redis:redis", "cve": "CVE-2026-1000"}


def test_a_set_of_cves_is_a_name_only_as_a_whole() -> None:
    assert names_of(["CVE-2026-2", "JVNDB-2026-1"]) == ("JVNDB-2026-1", "CVE-2026-2")
    both = names_of(["CVE-2026-1", "CVE-2026-2"])
    assert both == names_of(["CVE-2026-2", "CVE-2026-1", "CVE-2026-2"]) and len(both) == 1
    assert not set(both) & {*names_of(["CVE-2026-1"]), *names_of(["CVE-2026-1", "CVE-2026-3"])}
    assert names_of([]) == ()


@pytest.mark.django_db
def test_a_warning_in_two_languages_and_two_places_is_one_line(
    web: Site, runs: AddRunner, source: AddSource
) -> None:
    instance = runs("mastodon", "4.7.2", products=[["redis", "7.2.4"]], distribution="debian")
    web.say("/ja", feeds.jvndb({**FLAW, "title": "Redis の脆弱性"}, newest=NOW))
    web.say("/en", feeds.jvndb({**FLAW, "title": "Flaw in Redis"}, newest=NOW))
    web.say(
        "/jvn",
        feeds.jvndb({"id": "JVNVU#90000000", "title": "Redis の件", "cve": "CVE-2026-1000"}, newest=NOW),
    )
    web.say("/debian", feeds.rss2("DSA-1-1 redis - CVE-2026-1000", newest=NOW))
    for path, fields in {
        "/ja": {"language": "ja"}, "/en": {"language": "en"}, "/jvn": {"language": "ja"},
        "/debian": {"language": "en", "about": "debian"},
    }.items():  # fmt: skip
        fetching.fetch_source(source(path, **fields).pk)
    lines = Concern.objects.filter(instance=instance).order_by("pk")
    assert [(line.entry.title, line.story) for line in lines] == [
        ("Redis の脆弱性", "JVNDB-2026-000001"),
        ("DSA-1-1 redis - CVE-2026-1000", Entry.objects.get(source__about="debian").story),
    ]
    tellings = stories.told_in(["JVNDB-2026-000001"])["JVNDB-2026-000001"]
    first = lines[0].entry
    titles = [stories.for_reader(tellings, language, first).title for language in ("en-gb", "ja", "de")]
    assert titles == ["Flaw in Redis", "Redis の脆弱性", "Redis の脆弱性"]


@pytest.mark.django_db
def test_names_go_with_the_last_entry_of_their_story(
    web: Site, source: AddSource, runs: AddRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs()
    monkeypatch.setattr(storing, "KEPT", 1)
    found = source("/ja")
    for number in (1, 2):
        web.say("/ja", feeds.jvndb({"id": f"JVNDB-2026-00000{number}", "title": "Redis"}, newest=NOW))
        Source.objects.update(next_fetch_at=NOW)
        fetching.fetch_source(found.pk)
    assert [name.pk for name in Name.objects.all()] == ["JVNDB-2026-000002"]
