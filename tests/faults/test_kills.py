"""kill -9 at each named step of a scan and of a mail (R1): nothing is lost, and only what nobody can know is
done twice, under the same Message-ID.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fedisec.lib.crash import KILLED, POINTS
from tests.faults.forked import Forker, a_forker, sigkill
from tests.faults.table import fault, full
from tests.running.conftest import MakeWorld
from tests.running.world import World, wait_for
from tests.smtp import Relay, a_relay

Seen = Callable[[str], None]
# Where the relay has the mail and nobody noted it: no program can tell, so it is sent again.
MAY_DOUBLE = ("after_data", "after_250", "before_sent")
# The second look that confirms the fall is the third of this instance: see looks.SEQUENCE.
DOMAIN, LOOKS_BEFORE = "n1.example", 2
LEASE_S = 2

killed_at = fault(
    "R1",
    "kill -9 at each step of scan and mail",
    "nothing lost; the scan done again within a lease; a second copy only where the relay's answer "
    "was not noted, with the same Message-ID",
)


@pytest.fixture(scope="module")
def relay_and_port() -> Iterator[tuple[Relay, int]]:
    with a_relay() as found:
        yield found


@pytest.fixture
def relay(relay_and_port: tuple[Relay, int]) -> Relay:
    relay = relay_and_port[0]
    relay.answers, relay.taken, relay.on_content = [], [], lambda: None
    return relay


@pytest.fixture(scope="module")
def forker(relay_and_port: tuple[Relay, int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forker]:
    """Before the second look at an instance that fell."""
    env = {"EMAIL_URL": f"smtp://127.0.0.1:{relay_and_port[1]}", "FEDISEC_CONFIRM_AFTER": "0"}
    world = World("embedded", tmp_path_factory.mktemp("kills"), {}, **env)
    world.manage("prepare")
    world.tool("add", "86400", DOMAIN)
    world.tool("look", DOMAIN, str(LOOKS_BEFORE))
    with a_forker(world) as found:
        yield found


def asked(data: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(data / "fedisec.sqlite3", timeout=20)) as connection:
        return list(connection.execute(query))


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
def test_a_kill_at_a_step_loses_nothing(
    forker: Forker, relay: Relay, tmp_path: Path, point: str, seen: Seen
) -> None:
    data = forker.copy(tmp_path / "data")

    def meet(pid: int) -> None:
        if point == "after_data":  # in the middle of the relay's turn
            relay.on_content = lambda: sigkill(pid)

    code = forker.run(data, "work", "tick", "work", crash_at=point, meet=meet)
    assert code == (-signal.SIGKILL if point == "after_data" else KILLED)
    relay.on_content = lambda: None
    for _ in range(2):
        assert forker.run(data, "lease", "work", "tick", "work") == 0
    seen("SQLite: " + check(lambda query: asked(data, query), relay, point))


def test_without_a_kill_there_is_one_mail(forker: Forker, relay: Relay, tmp_path: Path) -> None:
    data = forker.copy(tmp_path / "data")
    for _ in range(2):
        assert forker.run(data, "work", "tick", "work") == 0
    assert check(lambda query: asked(data, query), relay, "") == "one mail"


@killed_at
@full
@pytest.mark.timeout(120)
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
        EMAIL_URL=f"smtp://127.0.0.1:{relay_and_port[1]}",
        FEDISEC_CONFIRM_AFTER="0",
        FEDISEC_SCAN_LEASE=str(LEASE_S),
    )
    world.manage("prepare")
    world.tool("add", "86400", DOMAIN)
    world.tool("look", DOMAIN, str(LOOKS_BEFORE))
    died = let_die(world, relay, point)
    world.start("manage.py", "ticker")
    world.worker()
    wait_for(lambda: bool(relay.taken) and is_told(world), 60, f"the mail\n{world.log()}")
    took = time.monotonic() - died
    where = "SQLite" if mode == "embedded" else "PostgreSQL, Redis, Celery"
    seen(f"{where}: {check(world.rows, relay, point)}")
    assert took < 45


def is_told(world: World) -> bool:
    return world.rows("SELECT state FROM alerts_delivery") == [("sent",)]


def let_die(world: World, relay: Relay, point: str) -> float:
    """Starts what gets to `point`, and returns when it died there."""
    clock_dies = point in {"noticed", "packed"}
    if clock_dies:
        world.worker()
        wait_for(lambda: "queued" not in world.scan_states(), 30, f"the second look\n{world.log()}")
    else:
        world.start("manage.py", "ticker")
    if clock_dies:
        doomed = world.start("manage.py", "ticker", FEDISEC_CRASH_AT=point)
        assert doomed.wait(30) == KILLED
        return time.monotonic()
    doomed = world.worker(FEDISEC_CRASH_AT=point)
    if point == "after_data":
        relay.on_content = lambda: os.killpg(doomed.pid, signal.SIGKILL)
    if world.mode == "embedded":
        assert doomed.wait(40) == (-signal.SIGKILL if point == "after_data" else KILLED)
    else:  # the child of the pool died, and its parent goes on until it is killed
        wait_for(lambda: f"exitcode {KILLED}" in world.log() or doomed.poll() is not None, 40, world.log())
        if doomed.poll() is None:
            os.killpg(doomed.pid, signal.SIGKILL)
        doomed.wait(10)
    relay.on_content = lambda: None
    return time.monotonic()
