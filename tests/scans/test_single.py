"""A look at single items: it judges these and nothing else, and is no substitute for a whole one."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from checks.probes import Gathered
from fedisec.history.models import DayCount, Standing
from fedisec.instances.models import Glance, Instance
from fedisec.scans.clock import tick
from fedisec.scans.models import Change, ItemState, Scan, Span
from fedisec.scans.queue import Asked, queue_scan
from fedisec.scans.record import record
from fedisec.scans.rejudge import last_scan, rejudge
from tests.factories import a_recorded_scan, a_running_scan, an_instance, signed_in
from tests.fakes import RECOMMENDED, REQUIRED, facts, no_facts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_items")]
LOCK, BELL = REQUIRED.id, RECOMMENDED.id
START = timezone.now().replace(microsecond=0) - timedelta(hours=5)


def minutes(number: float) -> datetime:
    return START + timedelta(minutes=number)


def look_at(instance: Instance, only: list[str], gathered: Gathered, at: datetime) -> Scan:
    """A recorded look at these items alone."""
    Scan.objects.filter(instance=instance, state="queued").delete()
    scan = a_running_scan(instance, at)
    scan.only, scan.reason = only, "item"
    scan.save(update_fields=["only", "reason"])
    assert record(scan, scan.token, gathered, at)
    return Scan.objects.get(pk=scan.pk)


@pytest.fixture
def instance() -> Instance:
    """Seen once: the lock failed, all else passed."""
    found = an_instance()
    a_recorded_scan(found, facts(lock="fail"), minutes(0))
    return found


def statuses() -> tuple[str, str]:
    return tuple(ItemState.objects.get(item_id=key).status for key in (LOCK, BELL))  # type: ignore[return-value]  # two


def test_only_the_items_asked_for_move(instance: Instance) -> None:
    scan = look_at(instance, [LOCK], Gathered(facts(lock="pass", bell="fail"), {"dns": 1}), minutes(10))
    assert statuses() == ("pass", "pass")
    assert ItemState.objects.get(item_id=BELL).seen_at == minutes(0)
    assert list(Span.objects.filter(scan=scan).values_list("item_id", "status")) == [(LOCK, "pass")]
    assert scan.facts is None
    assert scan.counts == {"required": {"pass": 1}}


def test_a_blind_look_at_one_item_blinds_no_other(instance: Instance) -> None:
    look_at(instance, [LOCK], Gathered(no_facts(), {}), minutes(10))
    assert statuses() == ("unknown", "pass")


def test_an_item_that_is_no_more_is_not_looked_at(instance: Instance) -> None:
    scan = look_at(instance, ["gone.item", LOCK], Gathered(facts(), {}), minutes(10))
    assert scan.counts == {"required": {"pass": 1}}


def test_it_settles_by_the_same_rule_as_every_look(instance: Instance) -> None:
    look_at(instance, [LOCK], Gathered(facts(lock="pass"), {}), minutes(10))
    waiting = Scan.objects.get(state="queued")
    assert (waiting.reason, waiting.only, waiting.due_at) == ("confirm", [], minutes(15))
    assert not Change.objects.filter(kind="recovered").exists()
    look_at(instance, [LOCK], Gathered(facts(lock="pass"), {}), minutes(16))
    assert Change.objects.filter(kind="recovered", item_id=LOCK).count() == 1


def test_it_counts_for_today_and_makes_no_scanned_day(instance: Instance) -> None:
    Standing.objects.all().delete()
    DayCount.objects.update(day=START.date() - timedelta(days=3))
    look_at(instance, [LOCK], Gathered(facts(lock="pass"), {}), minutes(10))
    assert Standing.objects.get().required_not_met == 0
    assert list(DayCount.objects.order_by("day").values_list("scanned", flat=True)) == [True, False]


def test_it_is_no_base_for_judging_anew_nor_for_how_fresh_an_instance_is(instance: Instance) -> None:
    whole = last_scan(instance)
    assert whole is not None
    look_at(instance, [LOCK], Gathered(facts(lock="pass"), {}), minutes(10))
    assert last_scan(instance) == whole
    assert list(Scan.objects.whole()) == [whole]
    rejudge(whole)  # its facts are older than what was seen of the lock since
    assert statuses() == ("pass", "pass")


def test_it_costs_no_older_scan_its_facts(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fedisec.scans.record.FACTS_KEPT", 1)
    look_at(instance, [LOCK], Gathered(facts(), {}), minutes(10))
    assert Scan.objects.filter(facts__isnull=False).count() == 1


def queued(instance: Instance) -> tuple[str, list[str]]:
    scan = Scan.objects.get(instance=instance, state="queued")
    return scan.reason, scan.only


def test_one_item_is_queued_as_asked() -> None:
    instance = an_instance()
    assert queue_scan(instance, "item", only=[LOCK]) is Asked.QUEUED
    assert queued(instance) == ("item", [LOCK])
    assert queue_scan(instance, "item", only=[BELL]) is Asked.LIVE


def test_one_item_is_looked_at_once_a_minute() -> None:
    instance = an_instance()
    Scan.objects.create(instance=instance, reason="manual", state="done", started_at=timezone.now())
    assert queue_scan(instance, "item", only=[LOCK]) is Asked.TOO_SOON


def test_only_and_its_reason_belong_together() -> None:
    for reason, only in (("manual", [LOCK]), ("item", [])):
        with pytest.raises(AssertionError):
            queue_scan(an_instance(), reason, only=only)


def test_a_second_look_that_waits_stays_whole_and_comes_at_once() -> None:
    """It waits for other items too."""
    instance, now = an_instance(), timezone.now()
    queue_scan(instance, "confirm", due_at=now + timedelta(minutes=5))
    assert queue_scan(instance, "item", only=[LOCK]) is Asked.QUEUED
    assert queued(instance) == ("manual", [])
    assert Scan.objects.get().due_at < now + timedelta(minutes=1)


@pytest.mark.parametrize("attempt", [0, 1])
def test_a_whole_look_takes_the_place_of_a_single_one_that_waits(attempt: int) -> None:
    instance = an_instance(next_scan_at=timezone.now())
    queue_scan(instance, "item", only=[LOCK])
    Scan.objects.update(attempt=attempt, due_at=timezone.now() + timedelta(seconds=10 * attempt))
    tick(timezone.now())
    assert queued(instance) == ("scheduled", [])


def test_a_scheduled_look_waits_for_the_end_of_a_single_one_and_keeps_its_place() -> None:
    now = timezone.now()
    slot = now - timedelta(minutes=7)
    instance = an_instance(next_scan_at=slot)
    scan = a_running_scan(instance, now)
    Scan.objects.update(reason="item", only=[LOCK])
    tick(now)
    assert not Scan.objects.filter(state="queued").exists()
    Scan.objects.filter(pk=scan.pk).update(state="done")
    tick(now)
    assert queued(instance) == ("scheduled", [])
    instance.refresh_from_db()
    assert instance.next_scan_at == slot + timedelta(seconds=instance.interval_s)


def test_a_single_look_of_later_becomes_whole_as_a_whole() -> None:
    instance = an_instance()
    queue_scan(instance, "item", only=[LOCK], due_at=timezone.now() + timedelta(hours=1))
    assert queue_scan(instance, "manual") is Asked.QUEUED
    assert queued(instance) == ("manual", [])


def test_who_asks_for_the_whole_during_a_single_look_gets_it_afterwards(settings: Settings) -> None:
    settings.SCAN_NOW_PAUSE_S = 60
    now = timezone.now()
    instance = an_instance(next_scan_at=now + timedelta(hours=20))
    scan = a_running_scan(instance, now - timedelta(minutes=2))
    Scan.objects.update(reason="item", only=[LOCK])
    assert queue_scan(instance, "manual") is Asked.LIVE
    Scan.objects.filter(pk=scan.pk).update(state="done")
    tick(timezone.now())
    assert queued(instance) == ("scheduled", [])


def test_no_page_calls_it_the_last_look(instance: Instance, client: Client) -> None:
    """Freshness, and what moved since the last look, speak of whole ones."""
    from fedisec.checklist.glance import looks_of

    owner = instance.created_by
    assert owner is not None
    look_at(instance, [LOCK], Gathered(facts(lock="pass"), {}), minutes(10))
    assert [scan.only for scan in looks_of(instance)] == [[]]
    assert Glance.objects.get().looked_at == minutes(0)
    signed_in(client, owner)
    assert client.get(f"/instances/{instance.domain}/").context["last_scan"].only == []
