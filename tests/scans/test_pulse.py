"""fedisec notices that it had stopped; a clock that somebody sets is not taken for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from fedisec.alerts.models import MailKind, Notice
from fedisec.instances.models import Instance
from fedisec.scans import clock, pulse
from fedisec.scans.models import Pulse, Scan
from fedisec.scans.pulse import Machine
from tests.factories import a_user, an_instance

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class World:
    """One machine: its clock, which may be wrong, and its uptime, which is not."""

    def __init__(self) -> None:
        self.now, self.here = NOW, Machine("first", 1000.0)

    def passes(self, real: timedelta, *, boot: str = "") -> None:
        uptime_s = 10.0 if boot else self.here.uptime_s + real.total_seconds()
        self.now += real
        self.here = Machine(boot or self.here.boot, uptime_s)

    def is_set(self, by: timedelta) -> None:
        self.now += by

    def ticks(self) -> None:
        clock.tick(self.now)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World()
    monkeypatch.setattr(pulse, "machine", lambda: made.here)
    monkeypatch.setattr(clock, "_watch", type(clock._watch)())
    a_user(is_superuser=True)
    yield made


def hourly(*, paused: bool = False) -> Instance:
    return an_instance(interval_s=3600, next_scan_at=NOW + timedelta(minutes=10), paused=paused)


def told() -> list[dict[str, object]]:
    return [notice.data for notice in Notice.objects.filter(kind=MailKind.OUTAGE)]


def test_the_first_tick_ever_tells_nothing(world: World) -> None:
    an_instance(interval_s=60, next_scan_at=NOW - DAY)
    world.ticks()
    assert told() == []


def test_who_comes_back_says_from_when_to_when_and_what_was_missed_once(world: World) -> None:
    hourly(), hourly(), hourly(paused=True)
    an_instance(interval_s=86_400, next_scan_at=NOW + HOUR)  # late, and not one look was left out
    world.ticks()
    world.passes(3 * HOUR)
    world.ticks()
    world.passes(timedelta(seconds=2))
    world.ticks()
    since, until = NOW.isoformat(), (NOW + 3 * HOUR).isoformat()
    assert told() == [{"what": "stopped", "since": since, "until": until, "missed": 2}]
    assert Scan.objects.count() == 3, "what was missed is done once"


def test_a_start_of_the_machine_is_a_stop_too(world: World) -> None:
    hourly()
    world.ticks()
    world.passes(3 * HOUR, boot="second")
    world.ticks()
    assert len(told()) == 1


@pytest.mark.parametrize("stood", [timedelta(minutes=59), 2 * HOUR])
def test_a_short_stop_is_not_worth_a_word(world: World, stood: timedelta) -> None:
    hourly()
    world.ticks()
    world.passes(stood)
    world.ticks()
    assert told() == []


def test_a_stop_without_anything_to_do_is_not_worth_a_word(world: World) -> None:
    hourly(paused=True)
    world.ticks()
    world.passes(30 * DAY)
    world.ticks()
    assert told() == []


@pytest.mark.parametrize("jump", [2 * DAY, -DAY])
def test_a_clock_that_is_set_is_no_stop(world: World, jump: timedelta) -> None:
    hourly()
    world.ticks()
    world.passes(timedelta(seconds=2))
    world.is_set(jump)
    world.ticks()
    world.passes(timedelta(seconds=2))
    world.is_set(-jump)
    world.ticks()
    assert told() == []


def test_a_stop_is_measured_whatever_the_clock_says(world: World) -> None:
    hourly()
    world.ticks()
    world.passes(3 * HOUR)
    world.is_set(DAY)
    world.ticks()
    (data,) = told()
    assert data["since"] == (NOW + DAY).isoformat()


def test_while_another_machine_ticks_fedisec_is_alive(world: World) -> None:
    hourly()
    Pulse.objects.create(boot="other", at=NOW + 3 * HOUR - timedelta(seconds=20), uptime_s=5.0)
    Pulse.objects.create(boot="first", at=NOW, uptime_s=1000.0)
    world.passes(3 * HOUR)
    world.ticks()
    assert told() == []


def test_the_pulse_is_written_twice_a_minute(world: World) -> None:
    world.ticks()
    for _ in range(9):
        world.passes(timedelta(seconds=3))
        world.ticks()
    assert Pulse.objects.get().at == NOW
    world.passes(timedelta(seconds=3))
    world.ticks()
    assert Pulse.objects.get().at == NOW + timedelta(seconds=30)


def test_of_two_clocks_that_come_back_one_tells(world: World) -> None:
    hourly()
    world.ticks()
    world.passes(3 * HOUR)
    rows = list(Pulse.objects.all())
    pulse._tell_what_was_missed(rows, world.here, world.now)
    pulse._tell_what_was_missed(rows, world.here, world.now + timedelta(seconds=1))
    assert len(told()) == 1


def test_this_machine_has_a_name_and_an_uptime() -> None:
    first, second = pulse.machine(), pulse.machine()
    assert first.boot == second.boot != ""
    assert 0 < first.uptime_s <= second.uptime_s


# A clock that jumps (R8): nothing is left out for longer than an interval, nothing is done twice.


def looks(world: World, real: timedelta, step: timedelta) -> list[timedelta]:
    """Lets time pass; each scan is done at once.  The real times of the scans, from the first tick on."""
    found = []
    began = world.here.uptime_s
    for _ in range(int(real / step)):
        world.passes(step)
        world.ticks()
        if Scan.objects.filter(state="queued").update(state="done"):
            found.append(timedelta(seconds=world.here.uptime_s - began))
    return found


@pytest.mark.parametrize("jump", [2 * DAY, -DAY, timedelta(minutes=90), timedelta(minutes=-90)])
@pytest.mark.parametrize("interval", [HOUR, DAY])
def test_a_jump_leaves_out_no_look_and_doubles_none(
    world: World, jump: timedelta, interval: timedelta
) -> None:
    an_instance(interval_s=int(interval.total_seconds()), next_scan_at=NOW + interval / 2)
    step = interval / 24
    before = looks(world, interval, step)
    world.is_set(jump)
    after = looks(world, 5 * interval, step)
    assert len(before) == 1
    gaps = [b - a for a, b in zip(after, after[1:], strict=False)]
    assert after[0] <= interval + HOUR, "the first look after the jump"
    assert all(interval - step <= gap <= interval + step for gap in gaps[1:]), gaps
    assert len(after) >= 4
    assert told() == []
