"""The flaws that an item names stand on its page as a list, with who rates them and where to read on."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.translation import override

from checks.data.tables import advisories
from checks.facts import Facts
from checks.facts.software import Software
from checks.items.updates import software_current
from checks.parse.advisories import applying
from fedisec.checklist.flaws import flaws_in
from tests.factories import a_recorded_scan, an_instance


def _facts(version: str) -> Facts:
    return Facts().with_facts(Software("mastodon", "mastodon", version, version, seen_at=timezone.now()))


def _evidence(version: str) -> str:
    found = {one.label: one.text for one in software_current.check(_facts(version)).evidence}
    return found["advisories"]


@pytest.mark.parametrize("version", ["4.5.4", "4.6.3", "3.1.0", "4.7.0", "2.5.1"])
def test_every_line_that_the_item_writes_is_read_back(version: str) -> None:
    found, more = flaws_in(_evidence(version))
    hits = applying(advisories(), "mastodon", version)
    hits = [one for one in hits if one.seen] or hits
    assert [one.name for one in found] == [one.id for one in hits[: len(found)]] and len(found) >= min(
        4, len(hits)
    )
    assert [one.url for one in found] == [one.url for one in hits[: len(found)]]
    assert more == len(hits) - len(found)
    assert all(one.title and (one.word or one.rated == "not rated") for one in found)


def test_a_line_says_who_rates_it_in_the_readers_language() -> None:
    text = "CVE-2026-1 (high, CVSS 3.1 7.5 by the vector of NVD, versions inferred): a (b) < c < 4.5.5 https://x.test/1\n+3"
    with override("en"):
        ((one,), more) = flaws_in(text)
    assert (one.word, one.rated, one.is_inferred) == ("high", "CVSS 3.1 7.5, by the vector of NVD", True)
    assert (one.title, one.fixed, one.url, more) == ("a (b) < c", "4.5.5", "https://x.test/1", 3)
    ((other,), _) = flaws_in("A (no severity given): title")
    assert (other.word, other.fixed, other.url) == ("", "", "")


@pytest.mark.parametrize("text", ["", "anything", "A (high): t\nno line", "A (x(y)): t"])
def test_evidence_of_another_form_is_left_as_it_is(text: str) -> None:
    assert flaws_in(text) == ([], 0)


@pytest.mark.django_db
def test_the_page_lists_them_with_links_and_the_version_to_go_to() -> None:
    instance = an_instance()
    a_recorded_scan(instance, _facts("4.5.4"))
    client = Client()
    client.force_login(instance.created_by)  # type: ignore[arg-type]  # a_user made it
    page = client.get(f"/instances/{instance.address}/items/updates.software_current/").content.decode()
    assert '<ul class="flaws">' in page and "4.5.19" in page
    hits = [one for one in applying(advisories(), "mastodon", "4.5.4") if one.seen]
    for one in hits[:12]:
        assert one.id in page and f'href="{one.url}"' in page
    assert "by the vector of Bitnami" in page and f"and {len(hits) - 12} more" in page, (
        "and the rest is counted"
    )
