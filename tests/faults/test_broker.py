"""Redis is killed, forgets, is away (R3, R4): it is only the doorbell."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from tests.faults.table import fault, full
from tests.lab.processes import MissingProgram
from tests.running.conftest import MakeWorld
from tests.running.looks import LOOKS_BEFORE
from tests.running.servers import Redis
from tests.running.world import World, wait_for
from tests.smtp import Relay

pytestmark = [full, pytest.mark.timeout(240)]
Seen = Callable[[str], None]
MANY = 40
AWAY_S = 20  # ten minutes in the list: times are a tenth to a thirtieth of the real ones here, see docs/reliability.md


@pytest.fixture(params=["without a file", "with an append-only file"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Redis]:
    """A Redis of the test's own, to be killed."""
    try:
        server = Redis(tmp_path / "broker", keeps=request.param.startswith("with an"))
    except MissingProgram as error:
        pytest.skip(str(error))
    yield server
    server.stop()


def a_world(make_world: MakeWorld, url: str, **env: str) -> World:
    return make_world("grown", REDIS_URL=url, FEDISEC_CONFIRM_AFTER="0", FEDISEC_SCAN_LEASE="4", **env)


def is_calm(world: World) -> bool:
    return not world.one("SELECT count(*) FROM scans_scan WHERE state IN ('queued', 'running')")


@fault(
    "R3",
    "kill -9 of Redis with a full queue, with and without a file",
    "every scan is done from the database; no mail lost",
)
def test_killed(
    make_world: MakeWorld, broker: Redis, relay_and_port: tuple[Relay, int], relay: Relay, seen: Seen
) -> None:
    world = a_world(
        make_world, broker.new_url(), begin="fallen", EMAIL_URL=f"smtp://127.0.0.1:{relay_and_port[1]}"
    )
    world.tool("add", "0", *(f"n{number}.example" for number in range(100, 100 + MANY)))
    world.start("manage.py", "ticker")
    world.worker(2)
    wait_for(lambda: len(world.looks()) > LOOKS_BEFORE + 5, 60, f"a beginning\n{world.log()}")
    broker.kill()
    down = time.monotonic()
    time.sleep(2)
    broker.start()
    wait_for(lambda: is_calm(world), 150, f"the end of all scans\n{world.log()[-3000:]}")
    took = time.monotonic() - down
    wait_for(lambda: len(relay.taken) == 1, 60, f"the mail\n{world.log()[-3000:]}")
    assert world.rows("SELECT state, count(*) FROM scans_scan GROUP BY state") == [
        ("done", MANY + LOOKS_BEFORE + 1)
    ]
    seen(f"{MANY} of {MANY} scans done, {took:.0f} s after the kill; one mail of one")


@fault("R3", "flushall", "every scan is done from the database, rung again after a minute")
def test_flushed(make_world: MakeWorld, redis_server: Redis, seen: Seen) -> None:
    world = a_world(make_world, redis_server.new_url(), begin="prepared")
    world.tool("add", "0", *(f"n{number}.example" for number in range(MANY)))
    assert redis.Redis.from_url(world.env["REDIS_URL"]).flushdb()
    flushed = time.monotonic()
    world.start("manage.py", "ticker")
    world.worker(2)
    wait_for(lambda: is_calm(world), 180, f"the end of all scans\n{world.log()[-3000:]}")
    seen(
        f"{MANY} of {MANY} scans done, {time.monotonic() - flushed:.0f} s after the broker had forgotten them"
    )


@fault(
    "R4",
    "Redis away for ten minutes",
    "pages work, a scan that is asked for waits; then all is caught up, each once",
)
def test_away(make_world: MakeWorld, redis_server: Redis, seen: Seen) -> None:
    world = a_world(make_world, redis_server.new_url(), begin="prepared")
    domains = [f"n{number}.example" for number in range(10)]
    world.tool("add", "2", *domains)  # every two seconds: ten slots are missed
    world.up()
    wait_for(lambda: world.one("SELECT count(*) FROM scans_scan WHERE state = 'done'") > 5, 60, "a beginning")
    redis_server.stop()
    try:
        gone = time.monotonic()
        answers = 0
        while time.monotonic() - gone < AWAY_S:
            with urllib.request.urlopen(f"{world.url}/account/login/", timeout=20) as page:
                answers += page.status == 200
            time.sleep(2)
        assert world.tool("ask", domains[0]).strip() in {"queued", "live"}
        queued = world.one("SELECT count(*) FROM scans_scan WHERE state = 'queued'")
    finally:
        redis_server.start()
    back = time.monotonic()
    last = world.one("SELECT max(id) FROM scans_scan")
    caught_up = f"SELECT count(DISTINCT instance_id) FROM scans_scan WHERE state = 'done' AND id > {last}"
    wait_for(lambda: world.one(caught_up) == len(domains), 150, f"all to be seen\n{world.log()[-3000:]}")
    took = time.monotonic() - back
    world.tool("pause")
    wait_for(lambda: is_calm(world), 120, f"the end of all scans\n{world.log()[-3000:]}")
    assert set(world.scan_states()) == {"done"}
    assert answers >= 3 and queued <= len(domains)  # what was missed is one scan an instance
    seen(
        f"{AWAY_S} s away with an interval of 2 s: {answers} pages of {answers}, {queued} scans waited, one an "
        f"instance at most; all {len(domains)} seen again {took:.0f} s after it was back"
    )
