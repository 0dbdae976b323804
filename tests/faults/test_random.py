"""Two hundred instances at an interval of a minute, a worker killed every five seconds, for ten minutes (R2)."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from tests.faults.table import fault, full
from tests.running.conftest import MakeWorld
from tests.running.expected import check_mails, expected_changes, is_calm, stored_changes
from tests.running.world import World, children_of, wait_for
from tests.smtp import Relay

Seen = Callable[[str], None]
Start = Callable[[], subprocess.Popen[bytes]]
INSTANCES, INTERVAL_S, KILL_EVERY_S = 200, 60, 5.0
FOR_S = float(os.environ.get("FEDISEC_FAULTS_KILL_FOR", "600"))
CALM_S = 240


@full
@fault(
    "R2",
    "a worker killed every 5 s, 200 instances at one minute, 10 minutes",
    "0 scans lost or stuck; changes and mails are the expected set",
)
@pytest.mark.timeout(FOR_S + CALM_S + 200)
def test_random_kills(
    make_world: MakeWorld,
    relay_and_port: tuple[Relay, int],
    relay: Relay,
    seen: Seen,
    record_property: Callable[[str, Any], None],
) -> None:
    seed = random.randrange(10**6)
    record_property("seed", seed)
    world = make_world(
        "grown",
        begin="prepared",
        EMAIL_URL=f"smtp://127.0.0.1:{relay_and_port[1]}", FEDISEC_SCAN_LEASE="10",
        FEDISEC_CONFIRM_AFTER="0", TEST_ATTEMPTS="1000",
    )  # fmt: skip
    crew = Crew(world)
    world.tool("add", str(INTERVAL_S), *(f"n{number}.example" for number in range(INSTANCES)))
    killed = crew.suffer(FOR_S, random.Random(seed))
    world.tool("pause")
    wait_for(lambda: is_calm(world), CALM_S, f"calm, seed {seed}\n{world.log()[-3000:]}")
    expected = expected_changes(world)
    assert stored_changes(world) == expected
    told = sum(told for *_, told in expected)
    mails = check_mails(world, relay, told, copies_max=killed)
    scans, attempts = world.rows("SELECT COUNT(*), SUM(attempt) FROM scans_scan")[0]
    behind = world.one("SELECT MAX(EXTRACT(EPOCH FROM finished_at - due_at)) FROM scans_scan")
    copies = len(relay.taken) - mails
    assert scans >= INSTANCES and len(expected) >= INSTANCES / 2
    seen(
        f"{killed} kills in {FOR_S:.0f} s: {scans} scans, all done ({attempts - scans} of them begun again, none "
        f"later than {behind:.0f} s after it was due); {len(expected)} changes of {len(expected)}, {told} told in "
        f"{mails} mails of {mails}, {copies} copies"
    )


class Crew:
    """Two workers and two clocks, each started again as soon as it is gone."""

    def __init__(self, world: World) -> None:
        worker: Start = lambda: world.worker(2)  # noqa: E731 - with a type
        clock: Start = lambda: world.start("manage.py", "ticker")  # noqa: E731
        self._start = [worker, worker, clock, clock]
        self._members = [start() for start in self._start]

    def suffer(self, for_s: float, chance: random.Random) -> int:
        """kill -9 of one process every KILL_EVERY_S: a child of a worker's pool, one time in eight a whole worker
        or a clock.  Returns how many."""
        ends, count = time.monotonic() + for_s, 0
        while time.monotonic() < ends:
            time.sleep(KILL_EVERY_S)
            pool = [child for member in self._members[:2] for child in below(member.pid)]
            whole = [member.pid for member in self._members]
            victims = whole if chance.random() < 1 / 8 or not pool else pool
            with suppress(ProcessLookupError):
                os.kill(chance.choice(victims), signal.SIGKILL)
                count += 1
            time.sleep(0.2)
            for place, member in enumerate(self._members):
                if member.poll() is not None:
                    self._members[place] = self._start[place]()
        return count


def below(pid: int) -> list[int]:
    try:
        return children_of(pid)
    except (FileNotFoundError, ProcessLookupError):
        return []
