"""A relay that refuses, defers, drops and hangs (R6), and one that is away while something breaks and heals (R7)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.faults.forked import Site
from tests.faults.table import fault, full
from tests.running.conftest import MakeWorld
from tests.running.looks import FALLS
from tests.running.world import wait_for
from tests.smtp import Relay, free_port, text_of

Seen = Callable[[str], None]
TIMEOUT_S = 2  # for one mail; a minute in production

PAUSES_MIN = (1, 2, 5, 10, 30, 60, 60)


def ids(relay: Relay) -> set[str]:
    return {str(message["Message-ID"]) for message in relay.taken}


def pause_min(site: Site) -> int:
    """Until the next try of the one mail, in minutes."""
    ((state, at),) = site.rows("SELECT state, next_try_at FROM alerts_delivery")
    assert state == "pending"
    return round((datetime.fromisoformat(at).replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds() / 60)


def fail_and_wait(site: Site, times: int, **settings: str | int) -> list[int]:
    """The pauses after so many tries that failed."""
    found = []
    for _ in range(times):
        assert site.run("retry", "work", crash_at="", **settings) == 0
        found.append(pause_min(site))
    return found


@fault(
    "R6", "relay refuses connections", "tried again after 1, 2, 5, 10, 30, 60 minutes, then hourly; one mail"
)
def test_refused(site: Site, relay: Relay, seen: Seen) -> None:
    site.run("work", "tick")
    pauses = fail_and_wait(site, len(PAUSES_MIN), EMAIL_URL=f"smtp://127.0.0.1:{free_port()}")
    assert tuple(pauses) == PAUSES_MIN
    site.run("retry", "work")
    assert len(relay.taken) == 1
    seen(f"pauses of {', '.join(map(str, pauses))} minutes; one mail once the relay was there")


@fault("R6", "451 three times", "tried again after 1, 2 and 5 minutes; one mail")
def test_deferred(site: Site, relay: Relay, seen: Seen) -> None:
    relay.answers = ["data 451 try later", "rcpt 451 greylisted", "data 451 try later"]
    site.run("work", "tick")
    assert fail_and_wait(site, 3) == [1, 2, 5]
    site.run("retry", "work")
    assert len(relay.taken) == 1
    assert site.rows("SELECT state, attempts FROM alerts_delivery") == [("sent", 4)]
    seen("pauses of 1, 2, 5 minutes; one mail at the fourth try")


@fault(
    "R6",
    "550 for one of two readers",
    "the other has it at once and once; the refusal is kept, and not tried again",
)
def test_one_of_two(site: Site, relay: Relay, seen: Seen) -> None:
    other = "other@example.net"
    site.add_reader(other)
    relay.refused = {other}
    for _ in range(3):
        site.run("work", "tick", "retry", "work")
    assert len(relay.taken) == 1 and relay.recipients != [other]
    rows = site.rows("SELECT state, attempts, answer FROM alerts_delivery ORDER BY state")
    assert [row[:2] for row in rows] == [("failed", 1), ("sent", 1)]
    assert rows[0][2].startswith("550 no such mailbox")
    seen("one mail to the one; the other's stands as failed, with the relay's words")


@fault("R6", "connection dropped after DATA", "sent again, as nobody knows; the copy has the same Message-ID")
def test_dropped(site: Site, relay: Relay, seen: Seen) -> None:
    relay.answers = ["drop"]
    site.run("work", "tick")
    assert fail_and_wait(site, 1) == [1]
    assert site.rows("SELECT maybe_arrived FROM alerts_delivery") == [(1,)]
    site.run("retry", "work")
    assert (len(relay.taken), len(ids(relay))) == (2, 1)
    seen("two copies, one Message-ID; noted as maybe arrived")


@fault(
    "R6",
    "relay hangs after DATA",
    "given up within the time of one mail; sent again with the same Message-ID",
)
def test_hung(site: Site, relay: Relay, seen: Seen) -> None:
    relay.answers = ["hang"]
    site.run("work", "tick")
    began = time.monotonic()
    assert fail_and_wait(site, 1, EMAIL_TIMEOUT=TIMEOUT_S) == [1]
    assert TIMEOUT_S <= time.monotonic() - began < TIMEOUT_S + 30
    site.run("retry", "work")
    assert (len(relay.taken), len(ids(relay))) == (2, 1)
    seen(f"given up after the limit (here {TIMEOUT_S} s, 60 s in production); two copies, one Message-ID")


@fault("R7", "relay away for an hour, fall and recovery inside", "one mail that says both; none lost")
def test_both_in_one(site: Site, relay: Relay, seen: Seen) -> None:
    away = f"smtp://127.0.0.1:{free_port()}"
    site.run("work", "tick")
    assert fail_and_wait(site, 3, EMAIL_URL=away) == [1, 2, 5]
    for _ in range(2):  # still broken; well, and well again
        site.run("ask", "work", "tick", EMAIL_URL=away)
    kinds = site.rows("SELECT n.kind, n.delivery_id FROM alerts_notice n ORDER BY n.id")
    assert [kind for kind, _ in kinds] == ["regression", "recovery"]
    assert len({mail for _, mail in kinds}) == 1
    site.run("retry", "tick", "work")
    assert len(relay.taken) == 1
    said = text_of(relay.taken[0])
    assert FALLS in str(relay.taken[0]["Subject"]) and "lock" in said
    seen("one mail with the fall and the recovery")


@full
@fault("R6", "relay hangs for one runner", "looks go on meanwhile")
@pytest.mark.timeout(120)
def test_looks_go_on(
    make_world: MakeWorld, relay_and_port: tuple[Relay, int], relay: Relay, seen: Seen
) -> None:
    relay.answers = ["hang"]
    world = make_world(
        "embedded",
        begin="fallen",
        EMAIL_URL=f"smtp://127.0.0.1:{relay_and_port[1]}", FEDISEC_CONFIRM_AFTER="0", TEST_MAIL_TIMEOUT="40",
    )  # fmt: skip
    world.tool("add", "0", "n0.example")
    world.up()
    wait_for(lambda: bool(relay.taken), 30, f"the mail\n{world.log()}")
    looked = "SELECT COUNT(*) FROM scans_scan WHERE state = 'done' AND instance_id = 2"
    before, began = world.one(looked), time.monotonic()
    world.tool("ask", "n0.example")
    wait_for(lambda: world.one(looked) > before, 35, f"a look\n{world.log()}")
    took = time.monotonic() - began
    assert world.rows("SELECT state FROM alerts_delivery") == [("sending",)]
    seen(f"a look that was asked for was done {took:.0f} s later, while the sender hung")
