"""Two hundred instances at an interval of a minute, a worker killed every five seconds, for ten minutes (R2)."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from tests.faults.table import fault, full
from tests.running.conftest import MakeWorld
from tests.running.expected import check_mails, expected_changes, is_calm, stored_changes
from tests.running.world import children_of, wait_for
from tests.smtp import Relay

Seen = Callable[[str], None]
INSTANCES, INTERVAL_S, KILL_EVERY_S = 200, 60, 5.0
FOR_S = float(os.environ.get("FEDISEC_FAULTS_KILL_FOR", "600"))
WORKERS = 4
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
        FEDISEC_CONFIRM_AFTER="0", TEST_ATTEMPTS="1000", FEDISEC_RUNNERS=str(WORKERS),
    )  # fmt: skip
    parent = world.up()
    world.tool("add", str(INTERVAL_S), *(f"n{number}.example" for number in range(INSTANCES)))
    killed = kill(parent.pid, FOR_S, random.Random(seed))
    world.tool("pause")
    wait_for(lambda: is_calm(world), CALM_S, f"calm, seed {seed}\n{world.log()[-3000:]}")
    assert parent.poll() is None
    expected = expected_changes(world)
    assert stored_changes(world) == expected
    told = sum(told for *_, told in expected)
    mails = check_mails(world, relay, told, copies_max=killed)
    scans, attempts = world.rows("SELECT COUNT(*), SUM(attempt) FROM scans_scan")[0]
    behind = world.one("SELECT MAX(EXTRACT(EPOCH FROM finished_at - due_at)) FROM scans_scan")
    copies = len(relay.taken) - mails
    assert scans > INSTANCES and told > INSTANCES / 2
    seen(
        f"{killed} kills in {FOR_S:.0f} s: {scans} scans, all done ({attempts - scans} of them begun again, none "
        f"later than {behind:.0f} s after it was due); {len(expected)} changes of {len(expected)}, {told} told in "
        f"{mails} mails of {mails}, {copies} copies"
    )


def kill(parent: int, for_s: float, chance: random.Random) -> int:
    """kill -9, every KILL_EVERY_S, of one process that does jobs: a child of the pool, or its parent."""
    ends, count = time.monotonic() + for_s, 0
    while time.monotonic() < ends:
        time.sleep(KILL_EVERY_S)
        doing = [pid for pid in children_of(parent) if b"celery" in command(pid)]
        pool = [child for pid in doing for child in below(pid)]
        # One in six is the whole worker: it takes a while to start again.
        victims = doing if chance.random() < 1 / 6 or not pool else pool
        if not victims:
            continue
        with suppress(ProcessLookupError):
            os.kill(chance.choice(victims), signal.SIGKILL)
            count += 1
    return count


def command(pid: int) -> bytes:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def below(pid: int) -> list[int]:
    try:
        return children_of(pid)
    except (FileNotFoundError, ProcessLookupError):
        return []
