"""kill -9 at each named step of a scan and of a mail (R1): nothing is lost, and only what nobody can know is
done twice, under the same Message-ID.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable

import pytest

from fedisec.lib.crash import KILLED, POINTS
from fedisec.scans.bell import RUN_SCAN
from tests.faults.forked import Site
from tests.faults.table import fault, full
from tests.running.conftest import MakeWorld
from tests.running.world import World, wait_for
from tests.smtp import Relay

Seen = Callable[[str], None]
# Where the relay has the mail and nobody noted it: no program can tell, so it is sent again.
MAY_DOUBLE = ("after_data", "after_250", "before_sent")
LEASE_S = 2

killed_at = fault(
    "R1",
    "kill -9 at each step of scan and mail",
    "nothing lost; the scan done again within a lease; a second copy only where the relay's answer "
    "was not noted, with the same Message-ID",
)


def copies_of(relay: Relay) -> int:
    """How often the one mail arrived."""
    arrived = Counter(str(message["Message-ID"]) for message in relay.taken)
    assert len(arrived) == 1, arrived
    return arrived.total()


def check(query: Callable[[str], list[tuple[object, ...]]], relay: Relay, point: str) -> str:
    """All that must have come of it, whatever died; returns what was seen."""
    assert query("SELECT DISTINCT state FROM scans_scan") == [("done",)]
    assert query("SELECT kind FROM scans_change WHERE item_id = 'fake.lock' ORDER BY id") == [
        ("first",), ("regressed",),
    ]  # fmt: skip
    assert query("SELECT kind, count(*) FROM alerts_notice GROUP BY kind") == [("regression", 1)]
    assert query("SELECT state FROM alerts_delivery") == [("sent",)]
    copies = copies_of(relay)
    assert copies == 1 or (copies == 2 and point in MAY_DOUBLE), copies
    return f"two copies at {point}, same Message-ID" if copies == 2 else "one mail"


@killed_at
@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_a_step_loses_nothing(site: Site, relay: Relay, point: str, seen: Seen) -> None:
    assert site.run("work", "tick", "work", crash_at=point) == KILLED
    for _ in range(2):
        assert site.run("lease", "work", "tick", "work") == 0
    seen(f"SQLite: {check(site.rows, relay, point)}")


def test_without_a_kill_there_is_one_mail(site: Site, relay: Relay) -> None:
    for _ in range(2):
        assert site.run("work", "tick", "work") == 0
    assert check(site.rows, relay, "") == "one mail"


@killed_at
@full
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("mode", "point"),
    [*(("grown", point) for point in POINTS), ("embedded", "connected"), ("embedded", "packed")],
)
def test_a_kill_of_a_real_process_loses_nothing(
    mode: str, make_world: MakeWorld, relay_and_port: tuple[Relay, int], relay: Relay, point: str, seen: Seen
) -> None:
    """The whole group of the worker or the clock dies; others, which were there all the time, take over."""
    world = make_world(
        mode,
        begin="fallen",
        EMAIL_URL=f"smtp://127.0.0.1:{relay_and_port[1]}",
        FEDISEC_CONFIRM_AFTER="0",
        FEDISEC_SCAN_LEASE=str(LEASE_S),
    )
    let_die(world, point)
    world.start("manage.py", "ticker")
    world.worker()
    wait_for(lambda: bool(relay.taken) and is_told(world), 90, f"the mail\n{world.log()}")
    where = "SQLite" if mode == "embedded" else "PostgreSQL, Redis, Celery"
    seen(f"{where}: {check(world.rows, relay, point)}")


def is_told(world: World) -> bool:
    return world.rows("SELECT state FROM alerts_delivery") == [("sent",)]


def let_die(world: World, point: str) -> None:
    """Starts what gets to `point`, and returns once it died there."""
    clock_dies = point in {"before_noticed", "noticed", "packed"}
    if clock_dies:
        world.worker()
        if world.mode == "grown":  # no clock is there to ring
            world.tool("ring", RUN_SCAN, str(world.one("SELECT max(id) FROM scans_scan")), "1")
        wait_for(lambda: "queued" not in world.scan_states(), 90, f"the second look\n{world.log()}")
    else:
        world.start("manage.py", "ticker")
    if clock_dies:
        doomed = world.start("manage.py", "ticker", FEDISEC_CRASH_AT=point)
        assert doomed.wait(60) == KILLED
        return
    doomed = world.worker(FEDISEC_CRASH_AT=point)
    if world.mode == "embedded":
        assert doomed.wait(60) == KILLED
    else:  # the child of the pool died, and its parent goes on until it is killed
        wait_for(lambda: f"exitcode {KILLED}" in world.log(), 60, world.log())
        os.killpg(doomed.pid, signal.SIGKILL)
        doomed.wait(10)
