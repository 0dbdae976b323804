"""PostgreSQL is restarted and away in the middle of scans (R5); four writers on SQLite (R13)."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from tests.faults.table import fault, full
from tests.lab.processes import MissingProgram
from tests.running.conftest import MakeWorld
from tests.running.servers import Postgres
from tests.running.world import World, is_alive, wait_for

pytestmark = [full, pytest.mark.timeout(240)]
Seen = Callable[[str], None]
SLOW = [f"slow{seconds}.example" for seconds in (6, 7, 8)]
QUICK = [f"n{number}.example" for number in range(5)]
WRITERS, MANY = 4, 120


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    """A server of the test's own, to be stopped."""
    try:
        server = Postgres()
    except MissingProgram as error:
        pytest.skip(str(error))
    yield server
    server.stop()


def status_of_page(world: World) -> int:
    """Of a page that needs the database: a session is looked up."""
    request = urllib.request.Request(f"{world.url}/", headers={"Cookie": f"sessionid={'a' * 32}"})
    try:
        with urllib.request.urlopen(request, timeout=40) as page:
            return int(page.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize("away_s", [0, 30])
@fault(
    "R5",
    "PostgreSQL restarted, and away for 30 s, in the middle of looks",
    "each finished look is stored when it is back; pages say 503 meanwhile; no process ends",
)
def test_away(make_world: MakeWorld, postgres: Postgres, away_s: int, seen: Seen) -> None:
    world = make_world("grown", DATABASE_URL=postgres.new_database("fedisec"), FEDISEC_RUNNERS="4")
    parent = world.up()
    world.tool("add", "0", *SLOW, *QUICK)
    wait_for(lambda: {f"{name}" for name in SLOW} <= set(world.looks()), 60, f"the looks\n{world.log()}")
    postgres.pause()
    gone, met = time.monotonic(), set()
    while time.monotonic() - gone < away_s:
        met.add(status_of_page(world))
        time.sleep(1)
    postgres.start()
    back = time.monotonic()
    wait_for(lambda: set(world.scan_states()) == {"done"}, 120, f"all looks stored\n{world.log()[-4000:]}")
    took = time.monotonic() - back
    wait_for(lambda: status_of_page(world) == 200, 20, "a page")
    assert met <= {503}, met
    assert is_alive(parent.pid) and "starts again" not in world.log()
    attempts = world.one("SELECT max(attempt) FROM scans_scan")
    looks = len(world.looks())
    assert len(world.scan_states()) == len(SLOW) + len(QUICK)
    said = f"pages said {', '.join(map(str, met))}; " if met else ""
    seen(
        f"away for {away_s} s: {said}{looks} looks for {len(SLOW) + len(QUICK)} scans (attempt {attempts} at most), "
        f"all stored {took:.0f} s after it was back"
    )


@fault("R13", "SQLite with four writers", "no write is refused as locked")
def test_writers(make_world: MakeWorld, seen: Seen) -> None:
    world = make_world("embedded", begin="prepared")
    world.tool("add", "0", *(f"n{number}.example" for number in range(MANY)))
    for _ in range(WRITERS):
        world.worker()
    world.start("manage.py", "ticker")
    over = threading.Event()
    reader = threading.Thread(target=lambda: [world.scan_states() for _ in iter(over.is_set, True)])
    reader.start()
    try:
        wait_for(lambda: set(world.scan_states()) == {"done"}, 200, f"all scans\n{world.log()[-3000:]}")
    finally:
        over.set()
        reader.join()
    assert "locked" not in world.log() and "away" not in world.log(), world.log()[-3000:]
    assert len(world.looks()) == MANY
    seen(f'{WRITERS} runners and a clock, {MANY} scans: {MANY} looks, 0 errors "database is locked"')
