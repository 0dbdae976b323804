"""The counts that are kept say what the rows say, as long as they say they do."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db.models import F
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from checks.items import all_items
from fedisec.checklist import answers, daily
from fedisec.checklist.board import posture, rows_of
from fedisec.checklist.models import Attestation
from fedisec.checklist.state import State
from fedisec.history import standing
from fedisec.history.models import DayCount, Standing
from fedisec.instances.models import Instance
from fedisec.scans.clock import tick
from fedisec.scans.models import ItemState
from tests.factories import a_recorded_scan, an_instance
from tests.fakes import REQUIRED, facts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_items")]
ASKED = "plan.audience_decided"
NOW = timezone.now().replace(microsecond=0)


def kept(instance: Instance) -> Standing:
    return Standing.objects.get(instance=instance)


def count_of(counts: dict[str, dict[str, int]]) -> dict[str, int]:
    return {state: sum(level.get(state, 0) for level in counts.values()) for state in State}


def agrees(instance: Instance, now: datetime | None = None) -> bool:
    """The kept count is that of the rows."""
    where, found = posture(rows_of(instance, now=now)), kept(instance)
    return (
        count_of(found.counts) == {state: where.states.get(state, 0) for state in State}
        and (found.required_not_met, found.not_met_since, found.new)
        == (where.required_not_met, where.not_met_since, where.new)
        and all(
            standing.applicable(found.counts[one.level]) == one.applicable
            and found.counts[one.level].get("met", 0) == one.met
            for one in where.levels
        )
    )  # fmt: skip


def test_a_scan_leaves_the_count_of_its_instance_and_of_its_day() -> None:
    instance = an_instance()
    a_recorded_scan(instance, facts(lock="fail"), NOW)
    assert agrees(instance)
    assert kept(instance).required_not_met == 1
    day = DayCount.objects.get()
    assert (day.day, day.scanned, day.counts) == (standing.day_of(NOW), True, kept(instance).counts)
    assert (day.met, day.applicable) == standing.shares(day.counts)
    assert 0 < day.met < day.applicable


def test_a_second_scan_of_a_day_counts_for_the_day() -> None:
    instance = an_instance()
    a_recorded_scan(instance, facts(lock="fail", bolt="fail"), NOW)
    a_recorded_scan(instance, facts(lock="pass", bolt="fail"), NOW)
    assert DayCount.objects.get().counts == kept(instance).counts
    assert agrees(instance)


def _answered(instance: Instance, days: int = 30) -> None:
    user = instance.created_by
    assert user is not None
    answers.attest(instance, all_items()[ASKED], user, met=True, note="", link="", days=days)
    daily.note(instance)


def test_an_answer_moves_the_count_of_its_day_and_leaves_the_scan_on_it() -> None:
    instance = an_instance()
    a_recorded_scan(instance, facts(), NOW)
    before = DayCount.objects.get().met
    _answered(instance)
    day = DayCount.objects.get()
    assert (day.met, day.scanned) == (before + 1, True)
    assert agrees(instance)


def test_an_answer_before_the_first_scan_draws_no_point() -> None:
    instance = an_instance()
    _answered(instance)
    assert agrees(instance)
    assert not DayCount.objects.exists()


def test_a_day_on_which_only_people_spoke_is_no_scanned_day() -> None:
    instance = an_instance()
    a_recorded_scan(instance, facts(), NOW - timedelta(days=2))
    _answered(instance)
    assert list(DayCount.objects.order_by("day").values_list("scanned", flat=True)) == [True, False]


def test_the_clock_counts_anew_when_an_answer_has_ended() -> None:
    instance = an_instance()
    a_recorded_scan(instance, facts(), NOW)
    _answered(instance, days=30)
    met = count_of(kept(instance).counts)["met"]
    ends = Attestation.objects.get().valid_until
    assert kept(instance).good_until == ends
    assert instance.pk in standing.latest([instance], ends - timedelta(seconds=1))
    assert instance.pk not in standing.latest([instance], ends)
    _let_pass(ends - timezone.now())
    Instance.objects.update(paused=True)  # no scan may help
    now = timezone.now()
    assert count_of(daily.standings_of([instance], now)[instance.pk].counts)["met"] == met - 1
    tick(now)
    assert count_of(kept(instance).counts)["met"] == met - 1
    assert agrees(instance)
    assert not standing.outdated(now).exists()


def _let_pass(time: timedelta) -> None:
    """Everything was said and settled that much longer ago."""
    Attestation.objects.update(created_at=F("created_at") - time, valid_until=F("valid_until") - time)
    ItemState.objects.update(settled_since=F("settled_since") - time)
    Standing.objects.update(good_until=F("good_until") - time)


def test_what_is_new_is_counted_anew_a_day_later() -> None:
    instance = an_instance()
    for minutes, status in ((60, "pass"), (50, "fail"), (40, "fail")):
        a_recorded_scan(instance, facts(lock=status), NOW - timedelta(minutes=minutes))
    assert kept(instance).new == 1
    ends = kept(instance).good_until
    assert ends is not None
    assert ends == NOW - timedelta(minutes=40) + timedelta(hours=24)
    _let_pass(timedelta(hours=24))
    daily.refresh(timezone.now())
    assert kept(instance).new == 0


def test_another_version_counts_anew() -> None:
    instance = an_instance()
    a_recorded_scan(instance, facts(lock="fail"), NOW)
    Standing.objects.update(rules="0.0.9/1", counts={}, required_not_met=0)
    assert daily.standings_of([instance])[instance.pk].required_not_met == 1
    assert daily.refresh(timezone.now()) == 1
    assert agrees(instance)
    assert daily.refresh(timezone.now()) == 0


def test_standings_of_many_need_as_many_queries_as_of_one(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    instances = [an_instance() for _ in range(4)]
    for instance in instances[:2]:
        a_recorded_scan(instance, facts(lock="fail"), NOW)
    with django_assert_max_num_queries(5):
        found = daily.standings_of(instances)
    assert [found[one.pk].required_not_met for one in instances] == [1, 1, 0, 0]


def test_the_words_of_history_are_states() -> None:
    assert {standing.MET, *standing.APART} <= set(State)
    assert REQUIRED.id in all_items()
