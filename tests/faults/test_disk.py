"""The disk is full: database, log and temporary files (R9)."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.faults.table import fault, full
from tests.running.conftest import MakeWorld
from tests.running.expected import expected_changes, stored_changes
from tests.running.world import children_of, wait_for
from tests.smtp import Relay

pytestmark = [full, pytest.mark.timeout(300)]
Seen = Callable[[str], None]
DOMAINS = [f"n{number}.example" for number in range(6)]
FULL_FOR_S = 20
SIZE_MB = 24


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own below `tmp_path`; only where mounts are nobody else's (tools/faults.sh)."""
    if not os.environ.get("FEDISEC_OWN_MOUNTS"):
        pytest.skip("needs root, for a small disk in a namespace of mounts")
    folder = tmp_path / "0"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Takes all that is left, to the last byte."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    with ballast.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x")
    return ballast


@fault(
    "R9",
    "disk full: database, log, temporary files",
    "no process ends, no partial scan, pages answer; all goes on when there is room",
)
def test_full(
    make_world: MakeWorld,
    small_disk: Path,
    relay_and_port: tuple[Relay, int],
    relay: Relay,
    seen: Seen,
) -> None:
    temporary = small_disk / "tmp"
    temporary.mkdir()
    world = make_world(
        "embedded",
        folder=small_disk, begin="prepared", EMAIL_URL=f"smtp://127.0.0.1:{relay_and_port[1]}", FEDISEC_CONFIRM_AFTER="0",
        TMPDIR=str(temporary), TEST_ATTEMPTS="100",
        FEDISEC_SCAN_LEASE="5",
    )  # fmt: skip
    parent = world.up()
    world.tool("add", "4", *DOMAINS)
    scans = "SELECT count(*) FROM scans_scan WHERE state = 'done'"
    wait_for(lambda: world.one(scans) > 2 * len(DOMAINS), 60, f"a beginning\n{world.log()}")
    family = sorted(children_of(parent.pid))
    ballast = fill(small_disk)
    before, ends, answers = world.one(scans), time.monotonic() + FULL_FOR_S, 0
    while time.monotonic() < ends:
        assert world.answers()
        answers += 1
        time.sleep(1)
    stored = world.one(scans) - before
    ballast.unlink()
    back = world.one(scans)
    wait_for(lambda: world.one(scans) > back + len(DOMAINS), 90, f"looks go on\n{world.log()[-3000:]}")
    world.tool("pause")
    live = "SELECT count(*) FROM scans_scan WHERE state IN ('queued', 'running')"
    wait_for(lambda: world.one(live) == 0, 60, f"the end\n{world.log()[-3000:]}")
    untold = "SELECT count(*) FROM scans_change WHERE processed_at IS NULL"
    wait_for(lambda: world.one(untold) == 0, 60, f"an empty outbox\n{world.log()[-3000:]}")
    assert sorted(children_of(parent.pid)) == family, world.log()
    with closing(sqlite3.connect(world.data / "fedisec.sqlite3")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert stored_changes(world) == expected_changes(world)
    assert world.one("SELECT count(*) FROM scans_scan WHERE counts = '{}'") == 0
    seen(
        f"full for {FULL_FOR_S} s: {stored} scans stored meanwhile, {answers} of {answers} pages, no process ended; "
        f"afterwards {world.one(scans) - back} more, all changes as expected, integrity_check ok"
    )
