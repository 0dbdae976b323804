"""Processes are killed at random; afterwards nothing is missing and nothing is there twice.  For ten minutes
and two hundred instances: tests/faults/test_random.py."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from typing import Any

import pytest

from tests.running.conftest import MakeWorld
from tests.running.expected import check_mails, expected_changes, is_calm, stored_changes
from tests.running.world import children_of, command_line, wait_for
from tests.smtp import a_relay

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

DOMAINS = [f"n{number}.example" for number in range(6)]
INTERVAL_S = "3"
KILLS, KILL_EVERY_S = 9, (1.0, 3.0)
CALM_S = 60


@pytest.mark.wide
def test_kills_at_random_lose_nothing_and_double_nothing(
    mode: str, make_world: MakeWorld, record_property: Any
) -> None:
    seed = random.randrange(10**6)
    record_property("seed", seed)
    with a_relay() as (relay, port):
        world = make_world(
            mode,
            EMAIL_URL=f"smtp://127.0.0.1:{port}",
            FEDISEC_SCAN_LEASE="3",
            FEDISEC_CONFIRM_AFTER="0",
            TEST_ATTEMPTS="1000",
        )
        parent = world.up()
        world.tool("add", INTERVAL_S, *DOMAINS)
        world.tool("alarm")
        killed = kill_at_random(parent.pid, random.Random(seed))
        world.tool("pause")
        wait_for(lambda: is_calm(world), CALM_S, f"calm after {killed}, seed {seed}\n{world.log()[-3000:]}")
        assert parent.poll() is None
        expected = expected_changes(world)
        assert len(expected) >= 5, "too little happened to prove anything"
        assert stored_changes(world) == expected
        told = sum(told for *_, told in expected)
        assert check_mails(world, relay, told + len(DOMAINS), KILLS) > 1  # and each server's other key


def kill_at_random(parent: int, chance: random.Random) -> list[str]:
    """kill -9 to children of `up` and to theirs; returns what was killed."""
    killed = []
    for _ in range(KILLS):
        time.sleep(chance.uniform(*KILL_EVERY_S))
        alive = children_of(parent)
        for child in list(alive):
            with suppress(FileNotFoundError, ProcessLookupError):
                alive += children_of(child)
        victim = chance.choice(alive)
        killed.append(" ".join(command_line(victim)[1:4]))
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
    return killed
