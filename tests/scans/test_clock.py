"""What is due gets queued, once; what was missed collapses; one live scan per instance."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis.exceptions
from django.db import IntegrityError, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from fedisec.enrolment.models import SshAccess
from fedisec.instances.models import Instance
from fedisec.scans import clock, tasks
from fedisec.scans.models import Scan, Side
from fedisec.scans.queue import Asked, first_slot, next_slot, queue_scan, round_slot, waits_longest
from tests.factories import a_running_scan, an_instance

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def instance() -> Instance:
    return an_instance(next_scan_at=NOW - HOUR)


def slot_of(instance: Instance) -> datetime | None:
    return Instance.objects.get(pk=instance.pk).next_scan_at


def test_a_due_instance_is_queued_and_gets_its_next_slot(instance: Instance) -> None:
    clock.tick(NOW)
    scan = Scan.objects.get()
    assert (scan.state, scan.reason, scan.due_at) == ("queued", "scheduled", NOW)
    assert slot_of(instance) == NOW - HOUR + DAY


def test_a_second_tick_queues_nothing_more(instance: Instance) -> None:
    clock.tick(NOW)
    clock.tick(NOW)
    assert Scan.objects.count() == 1


def test_missed_slots_collapse_into_one(instance: Instance) -> None:
    clock.tick(NOW + 10 * DAY)
    assert Scan.objects.count() == 1
    assert slot_of(instance) == NOW - HOUR + 11 * DAY


@pytest.mark.parametrize("fields", [{"paused": True}, {"next_scan_at": NOW + HOUR}])
def test_what_is_paused_or_not_due_is_left_alone(fields: dict[str, Any]) -> None:
    an_instance(**{"next_scan_at": NOW - HOUR, **fields})
    clock.tick(NOW)
    assert not Scan.objects.exists()


def test_more_than_a_batch_is_queued_in_one_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "BATCH", 2)
    for _ in range(5):
        an_instance(next_scan_at=NOW - HOUR)
    clock.tick(NOW)
    assert Scan.objects.count() == 5


def test_an_instance_that_was_never_scheduled_gets_its_place_in_the_hour() -> None:
    instances = [an_instance() for _ in range(8)]
    clock.tick(NOW)
    slots = [slot_of(instance) for instance in instances]
    assert all(slot is not None and NOW <= slot < NOW + HOUR for slot in slots)
    assert len(set(slots)) > 4
    assert slots == [first_slot(instance, NOW) for instance in instances]


def test_a_short_interval_spreads_over_itself() -> None:
    assert first_slot(an_instance(interval_s=4), NOW) < NOW + timedelta(seconds=4)


@pytest.mark.parametrize(
    ("slot", "expected"),
    [
        (NOW, NOW + DAY),
        (NOW - DAY, NOW + DAY),
        (NOW - DAY - HOUR, NOW - HOUR + DAY),
        (NOW + HOUR, NOW + HOUR),
    ],
)
def test_the_next_slot_stays_on_the_grid(slot: datetime, expected: datetime) -> None:
    assert next_slot(slot, 86_400, NOW) == expected


def test_the_database_allows_one_live_scan(instance: Instance) -> None:
    Scan.objects.create(instance=instance, reason="first")
    with pytest.raises(IntegrityError), transaction.atomic():
        Scan.objects.create(instance=instance, reason="first")
    assert queue_scan(instance, "manual") is Asked.LIVE
    Scan.objects.update(state="done")
    assert queue_scan(instance, "manual") is Asked.QUEUED


def test_a_first_scan_gives_the_instance_its_place_in_the_next_round() -> None:
    instance = an_instance()
    queue_scan(instance, "first", now=NOW)
    slot = slot_of(instance)
    assert slot is not None and NOW + DAY / 2 <= slot < NOW + DAY * 1.5


def test_servers_added_together_are_spread_evenly_over_the_interval() -> None:
    slots = sorted((round_slot(pk, 86_400, NOW) - NOW) / timedelta(hours=1) for pk in range(1, 1001))
    assert 12 <= slots[0] < 12.1 and 35.9 < slots[-1] < 36
    assert max(later - slot for slot, later in itertools.pairwise(slots)) < 0.1


INSIDE: dict[str, Any] = {"interval_s": 3600, "inside_interval_s": 86_400}


@pytest.mark.parametrize(
    ("outside_in", "inside_in", "side", "moved"),
    [
        (-1, 600, "outside", ("next_scan_at",)),
        (600, -1, "inside", ("next_inside_at",)),
        (-1, -1, "both", ("next_scan_at", "next_inside_at")),
        (-1, 30, "both", ("next_scan_at", "next_inside_at")),  # within a minute: one scan
    ],
)
def test_the_sides_have_paces_of_their_own(
    outside_in: int, inside_in: int, side: str, moved: tuple[str, ...]
) -> None:
    before: dict[str, Any] = {
        "next_scan_at": NOW + timedelta(seconds=outside_in),
        "next_inside_at": NOW + timedelta(seconds=inside_in),
    }
    instance = an_instance(**INSIDE, **before)
    clock.tick(NOW)
    assert Scan.objects.get().side == side
    after = Instance.objects.get(pk=instance.pk)
    for name, pace in (("next_scan_at", HOUR), ("next_inside_at", DAY)):
        assert getattr(after, name) == before[name] + (pace if name in moved else timedelta(0))


def test_a_second_look_makes_a_waiting_scan_of_one_side_whole() -> None:
    instance = an_instance(**INSIDE)
    queue_scan(instance, "scheduled", now=NOW, side=Side.OUTSIDE)
    assert queue_scan(instance, "confirm", due_at=NOW + HOUR, now=NOW) is Asked.LIVE
    assert Scan.objects.get().side == "both"


def test_a_scan_that_logs_in_waits_for_a_worker_with_the_keys(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.REDIS_URL = "redis://unused"
    rung: list[tuple[int, str]] = []
    monkeypatch.setattr(
        "celery.app.base.Celery.send_task", lambda *a, args, queue, **more: rung.append((args[0], queue))
    )
    with_key, without = an_instance(), an_instance()
    SshAccess.objects.create(instance=with_key, sealed_key="x", public_key="y")
    with django_capture_on_commit_callbacks(execute=True):
        queue_scan(with_key, "first", now=NOW)
        queue_scan(without, "first", now=NOW)
    first, second = Scan.objects.order_by("pk")
    assert (first.needs_key, second.needs_key) == (True, False)
    assert rung == [(first.pk, "inside"), (second.pk, "outside")]


def test_scan_now_is_answered_once_a_minute(settings: Settings) -> None:
    settings.SCAN_NOW_PAUSE_S = 60
    instance = an_instance()
    scan = a_running_scan(instance, NOW)
    assert queue_scan(instance, "manual", now=NOW + timedelta(seconds=30)) is Asked.TOO_SOON
    Scan.objects.filter(pk=scan.pk).update(state="done")
    assert queue_scan(instance, "manual", now=NOW + timedelta(seconds=59)) is Asked.TOO_SOON
    assert queue_scan(instance, "manual", now=NOW + timedelta(seconds=61)) is Asked.QUEUED


def test_the_pause_of_scan_now_can_be_switched_off(settings: Settings) -> None:
    settings.SCAN_NOW_PAUSE_S = 0
    instance = an_instance()
    Scan.objects.filter(pk=a_running_scan(instance, NOW).pk).update(state="done")
    assert queue_scan(instance, "manual", now=NOW) is Asked.QUEUED


def test_scan_now_takes_the_place_of_a_second_look_that_waits() -> None:
    instance = an_instance()
    queue_scan(instance, "confirm", due_at=NOW + timedelta(minutes=5), now=NOW)
    assert queue_scan(instance, "manual", now=NOW) is Asked.QUEUED
    scan = Scan.objects.get()
    assert (scan.reason, scan.due_at) == ("manual", NOW)


def test_a_second_look_does_not_push_out_a_scan_that_waits() -> None:
    instance = an_instance()
    queue_scan(instance, "manual", now=NOW)
    assert queue_scan(instance, "confirm", due_at=NOW + timedelta(minutes=5), now=NOW) is Asked.LIVE
    assert Scan.objects.get().reason == "manual"


def test_without_a_broker_nothing_is_rung(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    def rings(*args: object, **kwargs: object) -> None:
        raise AssertionError("the broker was called")

    monkeypatch.setattr("celery.app.base.Celery.send_task", rings)
    clock.tick(NOW)
    assert Scan.objects.get().rung_at is None


@pytest.mark.parametrize(
    "trouble", [OperationalError("refused"), redis.exceptions.ConnectionError(), ConnectionRefusedError()]
)
def test_a_broker_that_is_down_fails_no_request(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    trouble: Exception,
) -> None:
    def fails(*args: object, **options: object) -> None:
        raise trouble

    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr("celery.app.base.Celery.send_task", fails)
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        assert queue_scan(an_instance(), "manual") is Asked.QUEUED
    assert len(callbacks) == 1
    assert Scan.objects.get().rung_at is None


def test_an_unheard_scan_is_rung_again_after_a_while(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    rung: list[tuple[str, int]] = []
    monkeypatch.setattr(
        "celery.app.base.Celery.send_task", lambda self, name, args, **options: rung.append((name, *args))
    )
    waiting: list[int | None] = [0]
    monkeypatch.setattr(clock, "unheard", lambda queue: waiting[0])
    queue_scan(an_instance(), "manual")
    scan = Scan.objects.get()
    clock.ring_unheard(timezone.now())
    clock.ring_unheard(timezone.now())
    assert rung == [("fedisec.run_scan", scan.pk)]
    later = timezone.now() + timedelta(seconds=clock.RING_AGAIN_S + 1)
    for waiting[0] in (clock.BATCH, None):  # workers are behind; the broker is gone
        clock.ring_unheard(later)
    assert len(rung) == 1
    waiting[0] = clock.BATCH - 1
    clock.ring_unheard(later)
    assert len(rung) == 2


def test_whoever_is_rung_does_what_has_waited_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    for number, minutes in enumerate((5, 30, 10)):
        queue_scan(
            an_instance(domain=f"s{number}.example"), "scheduled", due_at=now - timedelta(minutes=minutes)
        )
    needs_key = Scan.objects.create(
        instance=an_instance(domain="inside.example"),
        reason="scheduled",
        due_at=now - timedelta(days=1),
        needs_key=True,
    )
    newest, oldest, middle = Scan.objects.exclude(pk=needs_key.pk).order_by("pk").values_list("pk", flat=True)
    tried: list[int] = []

    def taken_by_another(pk: int) -> bool:
        tried.append(pk)
        Scan.objects.filter(pk=pk).update(state="running")
        return len(tried) > 1

    monkeypatch.setattr(tasks, "run_scan", taken_by_another)
    tasks.run(newest)
    assert tried == [oldest, middle]
    assert waits_longest(needs_key.pk) == needs_key.pk and waits_longest(10**12) == newest
