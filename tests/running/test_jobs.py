"""Jobs in real processes, as SQLite with runners and as PostgreSQL with Redis and Celery."""

from __future__ import annotations

import os
import signal
from collections import Counter

import pytest
import redis

from tests.running.conftest import MakeWorld
from tests.running.servers import Redis
from tests.running.world import World, wait_for

pytestmark = pytest.mark.timeout(120)
LOOKERS = 4


def ready(world: World, *domains: str) -> World:
    world.manage("prepare")
    world.tool("add", "0", *domains)
    return world


def all_done(world: World) -> bool:
    return set(world.scan_states()) == {"done"}


def test_many_workers_look_at_each_instance_once(mode: str, make_world: MakeWorld) -> None:
    domains = [f"n{number}.example" for number in range(12)]
    world = ready(make_world(mode), *domains)
    for _ in range(LOOKERS if mode == "embedded" else 2):
        world.worker() if mode == "embedded" else world.worker(2)
    world.start("manage.py", "ticker")
    world.start("manage.py", "ticker")
    wait_for(lambda: all_done(world), 40, f"all scans done\n{world.log()}")
    assert Counter(world.looks()) == Counter(domains)
    assert world.rows("SELECT DISTINCT attempt, token FROM scans_scan") == [(1, "")]
    assert world.one("SELECT COUNT(*) FROM scans_change WHERE kind = 'first' AND item_id = 'fake.lock'") > 0


def test_a_scan_whose_runner_was_killed_is_done_by_another(mode: str, make_world: MakeWorld) -> None:
    world = ready(make_world(mode, FEDISEC_SCAN_LEASE="2"), "slow2.example")
    world.start("manage.py", "ticker")
    doomed = world.worker()
    wait_for(lambda: len(world.looks()) == 1, 20, f"the first look\n{world.log()}")
    os.killpg(doomed.pid, signal.SIGKILL)
    world.worker()
    wait_for(lambda: all_done(world), 30, f"the scan done\n{world.log()}")
    assert world.rows("SELECT attempt FROM scans_scan") == [(2,)]
    assert len(world.looks()) == 2


def test_a_runner_that_froze_past_its_lease_stores_nothing(mode: str, make_world: MakeWorld) -> None:
    world = ready(make_world(mode, FEDISEC_SCAN_LEASE="2"), "slow2.example")
    world.start("manage.py", "ticker")
    zombie = world.worker()
    wait_for(lambda: len(world.looks()) == 1, 20, f"the first look\n{world.log()}")
    os.killpg(zombie.pid, signal.SIGSTOP)
    world.worker()
    wait_for(lambda: all_done(world), 30, f"the scan done\n{world.log()}")
    before = world.rows("SELECT finished_at, attempt, token FROM scans_scan")
    os.killpg(zombie.pid, signal.SIGCONT)
    wait_for(lambda: "taken over by somebody else" in world.log(), 15, f"the zombie to notice\n{world.log()}")
    assert world.rows("SELECT finished_at, attempt, token FROM scans_scan") == before
    firsts = "SELECT COUNT(*) FROM scans_change WHERE item_id = 'fake.lock'"
    assert world.one(firsts) <= 1


def test_stopping_puts_a_scan_back_at_once(make_world: MakeWorld) -> None:
    world = ready(make_world("embedded"), "slow9.example")
    runner = world.worker()
    wait_for(lambda: len(world.looks()) == 1, 20, "the look")
    runner.send_signal(signal.SIGTERM)
    assert runner.wait(30) == 0
    assert world.rows("SELECT state, attempt, token FROM scans_scan") == [("queued", 0, "")]
    assert "Traceback" not in world.log()


def test_a_look_that_never_comes_back_is_ended_and_given_up(make_world: MakeWorld) -> None:
    env = {"TEST_LIMITS": "1,3", "FEDISEC_SCAN_LEASE": "1", "TEST_ATTEMPTS": "2", "FEDISEC_RUNNERS": "1"}
    world = ready(make_world("embedded", **env), "stuck.example", "n1.example")
    world.up()
    wait_for(lambda: set(world.scan_states()) == {"done", "failed"}, 40, f"both to end\n{world.log()}")
    assert world.one("SELECT attempt FROM scans_scan WHERE state = 'failed'") == 2
    assert "Timeout (0:00:03)!" in world.log()  # the traceback of the one that hung


def test_a_broker_that_is_down_fails_nothing_and_delays_little(
    make_world: MakeWorld, redis_server: Redis
) -> None:
    world = ready(make_world("grown"), "n0.example")
    world.worker()
    world.start("manage.py", "ticker")
    wait_for(lambda: all_done(world), 30, f"the first scan\n{world.log()}")
    redis_server.stop()
    try:
        assert world.tool("ask", "n0.example").strip() == "queued"
        assert world.rows("SELECT state, rung_at FROM scans_scan ORDER BY id DESC LIMIT 1") == [
            ("queued", None)
        ]
    finally:
        redis_server.start()
    wait_for(lambda: world.scan_states() == ["done", "done"], 40, f"the second scan\n{world.log()}")


def test_a_message_that_got_lost_is_rung_again(make_world: MakeWorld) -> None:
    world = ready(make_world("grown"), "n0.example")
    # The bell was rung while nobody listened, and the broker forgot.
    redis.Redis.from_url(world.env["REDIS_URL"]).flushdb()
    world.rows("UPDATE scans_scan SET rung_at = now() - interval '2 minutes' RETURNING id")
    world.worker()
    world.start("manage.py", "ticker")
    wait_for(lambda: all_done(world), 30, f"the scan\n{world.log()}")
