"""The history of an item, and the state of all items as of any scan."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from checks.items import all_items
from checks.model import Status
from fedisec.checklist.state import State
from fedisec.history.spans import SpanView, of_item, state_at
from fedisec.history.words import sentence, state_of
from fedisec.scans.models import ItemState
from tests.factories import a_recorded_scan, an_instance
from tests.fakes import RECOMMENDED, REQUIRED, facts, no_facts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_items")]
LOCK, BELL = REQUIRED.id, RECOMMENDED.id
START = timezone.now().replace(microsecond=0) - timedelta(days=9)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def test_an_item_has_its_stretches_newest_first(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    instance = an_instance()
    for number, status in enumerate(("pass", "pass", "fail", "pass")):
        a_recorded_scan(instance, facts(lock=status), day(number))
    with django_assert_num_queries(1):
        views = of_item(instance, LOCK)
    assert [(v.status, v.since, v.until) for v in views] == [
        ("pass", day(3), None),
        ("fail", day(2), day(3)),
        ("pass", day(0), day(2)),
    ]
    assert views[1].text("en") == "It is broken on social.example."
    assert views[1].text("ja") == "social.example で壊れています。"
    assert views[1].evidence == (("GET https://social.example/", "what was seen"),)


def test_the_state_at_each_scan_is_what_the_scan_said(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    instance, other = an_instance(), an_instance()
    told, scans = [], []
    for number, (lock, bell) in enumerate(
        [("pass", "fail"), ("fail", "fail"), ("fail", "warn"), ("pass", "unknown")]
    ):
        scans.append(a_recorded_scan(instance, facts(lock=lock, bell=bell), day(number)))
        told.append({s.item_id: (s.status, s.code) for s in ItemState.objects.filter(instance=instance)})
        a_recorded_scan(other, no_facts(), day(number))
    for scan, was in zip(scans, told, strict=True):
        with django_assert_num_queries(1):
            found = state_at(instance, scan.pk)
        assert {key: (view.status, view.code) for key, view in found.items()} == was
        assert len(found) == len(all_items())


def test_a_value_that_moves_by_itself_is_told_of_the_first_scan_alone() -> None:
    view = SpanView("http.security_txt", 7, day(0), None, "pass", "valid", data={"days": 40})
    assert "40" in view.later(7).text("en")
    assert "40" not in view.later(9).text("en")
    assert "…" in view.later(9).text("en")


@pytest.mark.parametrize(
    ("item_id", "code", "reason", "start"),
    [
        ("http.hsts", "", "timeout", "No answer"),
        ("http.hsts", "word_of_an_older_version", "", "word_of_an_older_version"),
        ("http.hsts", "", "a_reason_of_a_newer_version", "a_reason_of_a_newer_version"),
        ("plan.hosting_considered", "", "", "Nobody but you"),
        ("gone.item", "bad", "", "bad"),
        ("gone.item", "", "", ""),
    ],
)
def test_every_verdict_of_any_time_has_words(item_id: str, code: str, reason: str, start: str) -> None:
    assert sentence(item_id, code, reason, {}, "en").startswith(start)


def test_every_status_is_shown_as_a_state() -> None:
    assert {state_of(status) for status in Status} <= set(State)
