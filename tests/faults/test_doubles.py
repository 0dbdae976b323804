"""The same job from everywhere at once (R10): it is done once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis

from fedisec.scans.bell import RUN_SCAN, SEND_MAIL
from tests.faults.forked import Site
from tests.faults.forker import CROWD, TIMES
from tests.faults.table import fault, full
from tests.running.conftest import MakeWorld
from tests.running.world import wait_for
from tests.smtp import Relay

Seen = Callable[[str], None]
REDELIVERED = 50


@fault("R10", "every job done over and over, by several at once", "one look, one mail")
def test_a_crowd_does_it_once(site: Site, relay: Relay, seen: Seen) -> None:
    looks = len((site.data / "looks.txt").read_text().splitlines())
    assert site.run("crowd", "tick", "crowd") == 0
    assert len((site.data / "looks.txt").read_text().splitlines()) == looks + 1
    assert site.rows("SELECT state, attempt FROM scans_scan ORDER BY id DESC LIMIT 1") == [("done", 1)]
    assert site.rows("SELECT state, attempts FROM alerts_delivery") == [("sent", 1)]
    assert len(relay.taken) == 1
    seen(f"{CROWD} processes x {TIMES} times: one look, one mail")


@full
@fault("R10", "two clocks, two workers, each message delivered 50 times", "one look, one mail")
@pytest.mark.timeout(120)
def test_redelivery(
    make_world: MakeWorld, relay_and_port: tuple[Relay, int], relay: Relay, seen: Seen
) -> None:
    world = make_world(
        "grown", begin="fallen", EMAIL_URL=f"smtp://127.0.0.1:{relay_and_port[1]}", FEDISEC_CONFIRM_AFTER="0"
    )
    looks = len(world.looks())
    for _ in range(2):
        world.start("manage.py", "ticker")
        world.worker(2)
    world.tool("ring", RUN_SCAN, str(world.one("SELECT max(id) FROM scans_scan")), str(REDELIVERED))
    wait_for(lambda: bool(world.rows("SELECT id FROM alerts_delivery")), 40, f"the mail\n{world.log()}")
    world.tool("ring", SEND_MAIL, str(world.one("SELECT id FROM alerts_delivery")), str(REDELIVERED))
    wait_for(lambda: world.rows("SELECT state FROM alerts_delivery") == [("sent",)], 40, world.log())
    world.tool("ring", SEND_MAIL, str(world.one("SELECT id FROM alerts_delivery")), str(REDELIVERED))
    wait_for(lambda: waiting(world.env["REDIS_URL"]) == 0, 40, "an empty queue")
    assert (len(world.looks()), len(relay.taken)) == (looks + 1, 1)
    seen("one look, one mail")


def waiting(url: str) -> int:
    """Messages that nobody took."""
    broker = redis.Redis.from_url(url)
    return sum(int(broker.llen(key)) for key in broker.scan_iter() if broker.type(key) == b"list")
