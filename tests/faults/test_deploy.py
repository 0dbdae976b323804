"""A new version takes the place of the old one in the middle of looks (R11)."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from tests.faults.table import fault, full
from tests.faults.test_schema import NEWER, brought_on
from tests.running.conftest import MakeWorld
from tests.running.world import wait_for

pytestmark = [full, pytest.mark.timeout(200)]
Seen = Callable[[str], None]
DOMAINS = ["slow6.example", "slow7.example", *(f"n{number}.example" for number in range(4))]


@fault(
    "R11",
    "deploy in the middle of looks: migration, SIGTERM, new version",
    "no scan lost; what was under way is finished by the old workers or done again by the new ones",
)
def test_deploy(mode: str, make_world: MakeWorld, seen: Seen) -> None:
    world = make_world(mode, begin="prepared", FEDISEC_SCAN_LEASE="6", FEDISEC_RUNNERS="2")
    old = world.up()
    world.tool("add", "0", *DOMAINS)
    wait_for(lambda: {"slow6.example", "slow7.example"} <= set(world.looks()), 60, f"looks\n{world.log()}")
    # The new version's migration, while the old code looks: a column more, and its row.
    world.execute("ALTER TABLE scans_scan ADD COLUMN of_tomorrow integer DEFAULT 0 NOT NULL")
    brought_on(world)
    old.send_signal(signal.SIGTERM)
    assert old.wait(40) in {0, 3}
    left = [state for state in world.scan_states() if state != "done"]
    world.execute(f"DELETE FROM django_migrations WHERE name = '{NEWER[1]}'")  # the new version knows it
    world.up()
    wait_for(lambda: set(world.scan_states()) == {"done"}, 80, f"all scans\n{world.log()[-3000:]}")
    assert len(world.scan_states()) == len(DOMAINS)
    assert "Traceback" not in world.log(), world.log()[-4000:]
    attempts = world.one("SELECT max(attempt) FROM scans_scan")
    where = "SQLite" if mode == "embedded" else "PostgreSQL, Redis, Celery"
    seen(
        f"{where}: {len(left)} of {len(DOMAINS)} left to the new version, {len(DOMAINS)} done, at most {attempts} tries"
    )


@fault(
    "R11",
    "SIGTERM to a Celery worker in the middle of a look",
    "it finishes the look, then ends (warm shutdown)",
)
def test_warm_shutdown(make_world: MakeWorld, seen: Seen) -> None:
    world = make_world("grown", begin="prepared")
    world.tool("add", "0", "slow6.example", "n1.example")
    world.start("manage.py", "ticker")
    worker = world.worker(1)
    wait_for(lambda: "slow6.example" in world.looks(), 40, f"the look\n{world.log()}")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(40) == 0
    states = dict(
        world.rows(
            "SELECT i.domain, s.state FROM scans_scan s JOIN instances_instance i ON i.id = s.instance_id"
        )
    )
    assert states["slow6.example"] == "done"
    seen("the look was stored at its first try, the rest left in the queue")
