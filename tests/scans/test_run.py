"""One scan from claim to record: once, by one, whatever happens to the process."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from datetime import timedelta

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.utils import timezone
from pytest_django import Settings

from checks.probes import Gathered, Progress
from checks.target import Target, Vantage
from fedisec.lib.limits import TimeIsUp, time_limits
from fedisec.lib.supervisor import stop_on_signal
from fedisec.scans import clock, run
from fedisec.scans.models import ItemState, Scan
from fedisec.scans.queue import queue_scan
from fedisec.scans.run import claim, run_scan
from tests.factories import an_instance
from tests.fakes import REQUIRED, facts

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fake_items")]


class Looking:
    """Stands in for `checks.probes.gather`; what a look does is `act`."""

    async def act(self, progress: Progress) -> None:
        progress("dns", 1, 1)

    async def __call__(self, target: Target, vantage: Vantage, *, progress: Progress) -> Gathered:
        await self.act(progress)
        return Gathered(facts(lock="fail"), {"dns": 1})


looking = Looking()


@pytest.fixture(autouse=True)
def _gather(settings: Settings) -> None:
    settings.GATHER = "tests.scans.test_run.looking"


@pytest.fixture
def scan() -> Scan:
    queue_scan(an_instance(), "first")
    return Scan.objects.get()


def now_of(scan: Scan) -> Scan:
    return Scan.objects.get(pk=scan.pk)


def test_a_queued_scan_is_run_and_recorded(scan: Scan) -> None:
    run_scan(scan.pk)
    done = now_of(scan)
    assert (done.state, done.attempt, done.token) == ("done", 1, "")
    assert ItemState.objects.get(item_id=REQUIRED.id).status == "fail"


def test_a_look_at_one_item_judges_that_alone() -> None:
    queue_scan(an_instance(), "item", only=[REQUIRED.id])
    run_scan(Scan.objects.get().pk)
    assert [state.item_id for state in ItemState.objects.all()] == [REQUIRED.id]
    done = Scan.objects.get()
    assert (done.state, done.facts, done.counts) == ("done", None, {"required": {"fail": 1}})


def test_a_scan_that_is_done_is_not_run_again(scan: Scan) -> None:
    run_scan(scan.pk)
    before = now_of(scan).finished_at
    run_scan(scan.pk)
    assert now_of(scan).finished_at == before


def test_a_scan_is_claimed_once(scan: Scan) -> None:
    first = claim(scan.pk)
    assert first is not None and first.attempt == 1
    assert claim(scan.pk) is None


def test_a_scan_is_not_claimed_before_its_time(scan: Scan) -> None:
    Scan.objects.update(due_at=timezone.now() + timedelta(minutes=5))
    assert claim(scan.pk) is None


def test_a_scan_of_an_instance_that_was_removed_is_no_error(scan: Scan) -> None:
    scan.instance.delete()
    run_scan(scan.pk)


def test_no_transaction_is_open_while_looking(scan: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import connection

    open_ones: list[bool] = []

    async def act(progress: Progress) -> None:
        open_ones.append(connection.in_atomic_block)

    monkeypatch.setattr(looking, "act", act)
    run_scan(scan.pk)
    assert open_ones == [False]


def test_a_look_that_breaks_off_is_queued_again_with_growing_pauses_then_failed(
    scan: Scan, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    async def act(progress: Progress) -> None:
        raise ZeroDivisionError("our\0 bug")

    monkeypatch.setattr(looking, "act", act)
    pauses = []
    for _ in range(settings.SCAN_ATTEMPTS):
        Scan.objects.update(due_at=timezone.now())
        with pytest.raises(ZeroDivisionError):
            run_scan(scan.pk)
        pauses.append(round((now_of(scan).due_at - timezone.now()).total_seconds()))
    assert pauses[:2] == list(settings.SCAN_RETRY_PAUSES_S)
    ended = now_of(scan)
    assert (ended.state, ended.attempt, ended.token) == ("failed", 3, "")
    assert ended.error == "ZeroDivisionError: our\ufffd bug"
    assert ended.finished_at is not None


@pytest.mark.parametrize("limit", [TimeIsUp, SoftTimeLimitExceeded])
def test_a_time_limit_gives_the_scan_back_and_goes_on(
    scan: Scan, monkeypatch: pytest.MonkeyPatch, limit: type[BaseException]
) -> None:
    async def act(progress: Progress) -> None:
        raise limit

    monkeypatch.setattr(looking, "act", act)
    run_scan(scan.pk)
    assert (now_of(scan).state, now_of(scan).attempt) == ("queued", 1)
    assert "time limit" in now_of(scan).error


def test_the_soft_limit_breaks_a_look_that_never_ends(scan: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    async def act(progress: Progress) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(looking, "act", act)
    began = time.monotonic()
    with time_limits(0.5, 30):
        run_scan(scan.pk)
    assert time.monotonic() - began < 30
    assert now_of(scan).state == "queued"


def test_the_soft_limit_breaks_a_loop_that_never_awaits(scan: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    async def act(progress: Progress) -> None:
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            pass

    monkeypatch.setattr(looking, "act", act)
    with time_limits(0.5, 30):
        run_scan(scan.pk)
    assert now_of(scan).state == "queued"


def test_being_stopped_is_no_failed_try(scan: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    async def act(progress: Progress) -> None:
        asyncio.get_running_loop().call_later(0.1, os.kill, os.getpid(), signal.SIGTERM)
        await asyncio.sleep(60)

    monkeypatch.setattr(looking, "act", act)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    stop_on_signal()
    try:
        with pytest.raises(SystemExit):
            run_scan(scan.pk)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    waiting = now_of(scan)
    assert (waiting.state, waiting.attempt, waiting.token, waiting.error) == ("queued", 0, "", "")
    assert waiting.due_at <= timezone.now()


def test_the_heartbeat_beats_while_a_look_lasts(
    scan: Scan, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.SCAN_LEASE_S = 1
    beats = set()

    async def act(progress: Progress) -> None:
        for number in range(8):
            progress("dns", number + 1, 8)
            await asyncio.sleep(0.25)
            beats.add(await asyncio.to_thread(_heartbeat, scan.pk))

    monkeypatch.setattr(looking, "act", act)
    run_scan(scan.pk)
    assert 3 <= len(beats) <= 6, "progress is written at most twice a second"
    assert now_of(scan).state == "done"
    assert now_of(scan).progress["dns"][0] >= 6


def _heartbeat(pk: int) -> object:
    from django.db import connection

    try:
        return Scan.objects.values_list("heartbeat_at", flat=True).get(pk=pk)
    finally:
        connection.close()


def test_who_lost_the_token_stops_looking_and_stores_nothing(
    scan: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancelled = threading.Event()

    async def act(progress: Progress) -> None:
        try:
            await asyncio.to_thread(_take_over, scan.pk)
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    monkeypatch.setattr(looking, "act", act)
    monkeypatch.setattr("fedisec.scans.heartbeat.WRITE_PAUSE_S", 0.05)
    monkeypatch.setattr("django.conf.settings.SCAN_LEASE_S", 1)
    run_scan(scan.pk)
    assert cancelled.is_set()
    assert (now_of(scan).state, now_of(scan).token) == ("running", "another")
    assert not ItemState.objects.exists()


def _take_over(pk: int) -> None:
    from django.db import connection

    try:
        Scan.objects.filter(pk=pk).update(token="another")
    finally:
        connection.close()


def test_a_stale_scan_goes_back_to_the_queue_and_fails_after_the_last_try(
    scan: Scan, settings: Settings
) -> None:
    for attempt in range(1, settings.SCAN_ATTEMPTS + 1):
        now = timezone.now()
        Scan.objects.update(due_at=now)
        held = claim(scan.pk)
        assert held is not None and held.attempt == attempt
        clock.requeue_stale(now + timedelta(seconds=settings.SCAN_LEASE_S - 5))
        assert now_of(scan).state == "running"
        clock.requeue_stale(now + timedelta(seconds=settings.SCAN_LEASE_S + 5))
        assert now_of(scan).token == ""
    assert now_of(scan).state == "failed"


def test_a_heartbeat_in_the_last_moment_keeps_the_scan(scan: Scan) -> None:
    held = claim(scan.pk)
    assert held is not None
    run.give_back(held, "gone", silent_since=timezone.now() - timedelta(seconds=30))
    assert now_of(scan).state == "running"
