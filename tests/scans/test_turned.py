"""A clock that is turned back leaves nothing in the future; a right one is left alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fedisec.instances.models import Instance
from fedisec.scans import clock
from fedisec.scans.models import Scan
from fedisec.scans.queue import queue_scan
from fedisec.scans.turned import Watch, put_right
from tests.factories import a_running_scan, an_instance

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ([NOW], [True]),
        ([NOW, NOW + HOUR, NOW + 2 * DAY], [True, False, False]),
        ([NOW, NOW - 59 * MINUTE / 60, NOW - 59 * MINUTE / 60], [True, False, False]),
        ([NOW, NOW - DAY, NOW - DAY + MINUTE], [True, True, False]),
    ],
)
def test_the_watch_sees_a_step_back(readings: list[datetime], expected: list[bool]) -> None:
    watch = Watch()
    assert [watch.was_turned_back(now) for now in readings] == expected


@pytest.mark.django_db
def test_what_a_right_clock_wrote_stays() -> None:
    instance = an_instance(next_scan_at=NOW + DAY + 59 * MINUTE, inside_interval_s=3600)
    Instance.objects.update(next_inside_at=NOW + HOUR + 59 * MINUTE)
    scan = a_running_scan(instance, NOW)
    queue_scan(other := an_instance(), "confirm", due_at=NOW + 20 * MINUTE, now=NOW)
    before = list(Scan.objects.order_by("pk").values()), list(Instance.objects.order_by("pk").values())
    put_right(NOW)
    assert before == (
        list(Scan.objects.order_by("pk").values()),
        list(Instance.objects.order_by("pk").values()),
    )
    assert scan.pk and other.pk


@pytest.mark.django_db
@pytest.mark.parametrize("back", [timedelta(hours=4), 2 * DAY, 400 * DAY])
def test_after_a_step_back_everything_is_within_reach(back: timedelta) -> None:
    then = NOW + back
    hourly = an_instance(next_scan_at=then + HOUR, interval_s=3600, inside_interval_s=3600)
    Instance.objects.update(next_inside_at=then + HOUR)
    dead = a_running_scan(an_instance(), then)
    queue_scan(second := an_instance(), "confirm", due_at=then + 5 * MINUTE, now=then)
    queue_scan(unheard := an_instance(), "manual", now=then)
    Scan.objects.filter(instance=unheard).update(due_at=NOW, rung_at=then)
    put_right(NOW)
    hourly.refresh_from_db()
    assert (hourly.next_scan_at, hourly.next_inside_at) == (None, None)
    assert Scan.objects.get(pk=dead.pk).heartbeat_at == NOW
    assert Scan.objects.get(instance=second).due_at == NOW + 5 * MINUTE
    assert Scan.objects.get(instance=unheard).rung_at is None


@pytest.mark.django_db
def test_the_clock_itself_looks_out_for_it() -> None:
    instance = an_instance(interval_s=3600)
    clock.tick(NOW + 2 * DAY)
    clock.tick(NOW + 2 * DAY + HOUR)
    Scan.objects.all().delete()
    clock.tick(NOW)
    instance.refresh_from_db()
    assert instance.next_scan_at is not None and instance.next_scan_at <= NOW + HOUR
