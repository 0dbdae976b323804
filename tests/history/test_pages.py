"""The pages of the history, for who may see them."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries as AtMost

from checks.items import all_items
from fedisec.instances.models import Instance
from fedisec.scans.models import Scan, Span
from tests.factories import a_recorded_scan, a_user, an_instance, put_otherwise, signed_in
from tests.fakes import facts
from tests.history.conftest import day

pytestmark = pytest.mark.django_db
PAGE = "/instances/social.example"
PAGES = ["scans/", "compare/?to={last}", "changes/", "trend/"]


def page_of(client: Client, path: str, **query: str) -> str:
    answer = client.get(f"{PAGE}/{path}", query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_stranger_finds_nothing(looks: list[Scan], client: Client) -> None:
    signed_in(client, a_user())
    for path in PAGES:
        assert client.get(f"{PAGE}/{path.format(last=looks[-1].pk)}").status_code == 404


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_page_is_for_who_may_look_and_needs_few_queries(
    looks: list[Scan], client_of: Client, language: str, django_assert_max_num_queries: AtMost
) -> None:
    client_of.cookies["language"] = language
    for path in PAGES:
        with django_assert_max_num_queries(12):
            text = page_of(client_of, path.format(last=looks[-1].pk))
        assert " style=" not in text
        assert "<script>" not in text


def test_an_instance_without_scans_says_what_comes(instance: Instance, client_of: Client) -> None:
    assert "The first scan starts by itself" in page_of(client_of, "scans/")
    assert "no two scans to compare yet" in page_of(client_of, "changes/")
    assert "each look adds a point" in page_of(client_of, "trend/")
    assert client_of.get(f"{PAGE}/changes/?format=json").status_code == 404


def test_the_list_says_why_how_long_and_what_each_scan_saw(looks: list[Scan], client_of: Client) -> None:
    Scan.objects.filter(state="queued").delete()
    Scan.objects.filter(pk=looks[1].pk).update(started_at=day(1) - timedelta(seconds=34))
    Scan.objects.create(
        instance=looks[0].instance,
        reason="manual",
        state="failed",
        finished_at=day(5),
        error="<b>gone\x1b[31m",
    )
    text = page_of(client_of, "scans/")
    assert "34 s" in text
    assert "broke off: &lt;b&gt;gone" in text and "\x1b" not in text
    rows = re.findall(r"<tr.*?</tr>", text, re.DOTALL)[1:]
    assert len(rows) == 5
    assert "the first look" in rows[-1]
    assert f"compare/?to={looks[3].pk}" in rows[1] and "3 items" in rows[1]
    assert re.search(r"<b>\d+</b> could not check", rows[1])
    assert 'type="radio"' not in rows[0]  # what broke off is compared with nothing


def test_the_list_is_paged(instance: Instance, client_of: Client) -> None:
    now = timezone.now()
    Scan.objects.bulk_create(
        Scan(instance=instance, reason="scheduled", state="done", started_at=now, finished_at=now)
        for _ in range(60)
    )
    assert page_of(client_of, "scans/").count('name="to"') == 50
    assert page_of(client_of, "scans/", page="2").count('name="to"') == 10
    assert page_of(client_of, "scans/", page="nonsense").count('name="to"') == 50
    assert page_of(client_of, "scans/", page="99").count('name="to"') == 10


def test_two_scans_are_compared_whichever_is_named_first(looks: list[Scan], client_of: Client) -> None:
    first, last = str(looks[0].pk), str(looks[3].pk)
    text = page_of(client_of, "compare/", **{"from": last, "to": first})
    ways = [text, page_of(client_of, "compare/", **{"from": first, "to": last})]
    assert len({way[way.index("<h1>") :] for way in ways}) == 1
    places = [text.index(f'id="{kind}"') for kind in ("worse", "better", "blind", "back")]
    assert places == sorted(places)
    assert f'href="{PAGE}/items/fake.lock/"' in text
    assert "It is broken on social.example." in text and "All is well on social.example." in text
    assert "The lamp thing is in place" in text


def test_a_comparison_as_json_says_what_was_before_and_after(looks: list[Scan], client_of: Client) -> None:
    found = json.loads(
        page_of(client_of, "compare/", **{"from": str(looks[0].pk), "to": str(looks[3].pk), "format": "json"})
    )
    assert (found["instance"], found["from"]["id"], found["to"]["id"]) == (
        "social.example",
        looks[0].pk,
        looks[3].pk,
    )
    lock = found["changes"][0]
    assert (lock["item"], lock["kind"], lock["rejudged"]) == ("fake.lock", "worse", False)
    assert (lock["before"]["status"], lock["after"]["status"]) == ("pass", "fail")
    assert lock["after"]["data"] == {"where": "social.example"}
    assert found["changed_and_back"] == ["fake.bolt"]


def test_a_scan_that_is_none_of_this_instance_is_not_found(looks: list[Scan], client_of: Client) -> None:
    first, last, other = looks[0].pk, looks[3].pk, a_recorded_scan(an_instance(), facts(), day(0)).pk
    wrong = [
        "",
        "?to=",
        "?to=x",
        f"?to={10**20}",
        f"?to={10**19}",
        "?to=-1",
        "?to=²",
        f"?to={other}",
        f"?to={first}",
    ]
    wrong += [f"?to={last}&from={value}" for value in ("", "0", other)]
    for query in wrong:
        assert client_of.get(f"{PAGE}/compare/{query}").status_code == 404, query


def test_changes_since_a_day_and_since_the_last_scan(looks: list[Scan], client_of: Client) -> None:
    since_last = page_of(client_of, "changes/")
    assert "The bolt thing" in since_last and "The lock thing" not in since_last
    since_day = page_of(client_of, "changes/", since=f"{day(2):%Y-%m-%d}")
    assert "The lock thing" in since_day
    found = json.loads(page_of(client_of, "changes/", since=f"{day(2):%Y-%m-%d}", format="json"))
    assert found["from"]["id"] == looks[1].pk


def test_a_day_that_does_not_exist_is_said_and_does_no_harm(looks: list[Scan], client_of: Client) -> None:
    for text in ("2026-02-30", "yesterday", "0000-00-00", "9999-12-31", "<b>", "1-1-1"):
        assert "Write a day that exists" in page_of(client_of, "changes/", since=text)


def test_a_day_to_come_has_no_changes(looks: list[Scan], client_of: Client) -> None:
    tomorrow = timezone.localdate() + timedelta(days=1)
    assert "no two scans to compare" in page_of(client_of, "changes/", since=tomorrow.isoformat())


def test_an_item_that_is_no_more_is_still_named(looks: list[Scan], client_of: Client) -> None:
    put_otherwise(Span.objects.filter(item_id="fake.lock"), item_id="gone.item")
    assert "gone.item" not in all_items()
    assert "gone.item" in page_of(client_of, "compare/", **{"from": str(looks[0].pk), "to": str(looks[3].pk)})


def test_the_trend_is_a_page_and_a_part(looks: list[Scan], client_of: Client) -> None:
    assert "<!doctype html>" in page_of(client_of, "trend/")
    part = client_of.get(f"{PAGE}/trend/?days=365", headers={"HX-Request": "true"}).content.decode()
    assert part.strip().startswith("<section")
    assert 'aria-current="true">365 days' in part
    assert page_of(client_of, "trend/", days="7").count('aria-current="true">90 days') == 1
