"""Processes are killed at random; afterwards nothing is missing and nothing is there twice.

Whatever happened, the n-th finished look at an instance sees what `looks.status_of` says, so the changes and
the mails that must have come out are known.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fedisec.scans.settle import Look, State, settle
from tests.running.conftest import MakeWorld
from tests.running.looks import status_of
from tests.running.world import World, children_of, command_line, wait_for
from tests.smtp import Relay, a_relay

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

DOMAINS = [f"n{number}.example" for number in range(6)]
INTERVAL_S = "3"
KILLS, KILL_EVERY_S = 9, (1.0, 3.0)
CALM_S = 60


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
        check_mails(world, relay, {scan for scan, _, told in expected if told})


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


def is_calm(world: World) -> bool:
    """No scan is live, the outbox is empty, every mail is out."""
    return not any(
        world.one(query)
        for query in (
            "SELECT COUNT(*) FROM scans_scan WHERE state IN ('queued', 'running')",
            "SELECT COUNT(*) FROM scans_change WHERE processed_at IS NULL",
            "SELECT COUNT(*) FROM alerts_delivery WHERE state <> 'sent'",
        )
    )


def expected_changes(world: World) -> list[tuple[int, str, bool]]:
    """(scan, kind, told) as the pure state machine says, from the looks that were finished."""
    rows = world.rows(
        "SELECT s.id, i.domain, s.state, s.started_at, s.finished_at FROM scans_scan s "
        "JOIN instances_instance i ON i.id = s.instance_id ORDER BY s.id"
    )
    assert {state for _, _, state, _, _ in rows} == {"done"}
    return sorted(found for domain in DOMAINS for found in story(domain, [r for r in rows if r[1] == domain]))


def story(domain: str, rows: Iterable[tuple[Any, ...]]) -> list[tuple[int, str, bool]]:
    state, found = State(), []
    for number, (scan, _, _, began, ended) in enumerate(rows):
        look = Look(status_of(domain, number), moment(began), moment(ended))
        step = settle(state, look, timedelta(0))
        state = step.state
        if step.change is not None:
            found.append((scan, step.change.kind.value, step.change.told))
    return found


def moment(value: datetime | str) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value).replace(tzinfo=UTC)


def stored_changes(world: World) -> list[tuple[int, str, bool]]:
    """What the database has; who was not told has no mail."""
    mailed = {scan for (scan,) in world.rows("SELECT scan_id FROM alerts_delivery WHERE kind = 'regression'")}
    rows = world.rows("SELECT scan_id, kind FROM scans_change WHERE item_id = 'fake.lock' ORDER BY scan_id")
    return [(scan, kind, scan in mailed) for scan, kind in rows]


def check_mails(world: World, relay: Relay, expected: set[int]) -> None:
    """One row per told change and one per alarm, each under a Message-ID of its own, and each arrived.  A copy
    is allowed only under the same Message-ID: SMTP loses the "250" of a process that dies while it reads it."""
    rows = world.rows("SELECT kind, scan_id, message_id FROM alerts_delivery")
    assert {scan for kind, scan, _ in rows if kind == "regression"} == expected
    assert [kind for kind, _, _ in rows].count("host_key") == len(DOMAINS)
    assert len(rows) == len({message_id for *_, message_id in rows}) == len(expected) + len(DOMAINS)
    arrived = Counter(str(message["Message-ID"]) for message in relay.taken)
    assert set(arrived) == {message_id for *_, message_id in rows}
    assert arrived.total() - len(arrived) <= KILLS
