"""A newer version brings the database on while this one runs: it gives way, once and in good order."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from fedisec.lib import schema
from fedisec.lib.schema import GAVE_WAY, SchemaWatch
from fedisec.lib.supervisor import Child, Supervisor
from tests.faults.table import fault, full
from tests.running.conftest import MakeWorld
from tests.running.world import World, wait_for

NEWER = ("scans", "9999_of_tomorrow")


@pytest.mark.django_db
def test_the_schema_of_this_version_is_not_newer() -> None:
    assert SchemaWatch().newer() == ""


@pytest.mark.django_db
@pytest.mark.parametrize(("app", "expected"), [("scans", "scans.9999_of_tomorrow"), ("elsewhere", "")])
def test_a_migration_of_ours_that_we_do_not_have_is_newer(app: str, expected: str) -> None:
    watch = SchemaWatch()
    MigrationRecorder(connection).record_applied(app, NEWER[1])
    assert watch.newer() == expected


@pytest.mark.django_db
def test_it_is_asked_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = SchemaWatch()
    watch.give_way()
    MigrationRecorder(connection).record_applied(*NEWER)
    watch.give_way()  # too soon to look again
    monkeypatch.setattr(schema, "EVERY_S", 0)
    with pytest.raises(SystemExit) as stop:
        watch.give_way()
    assert stop.value.code == GAVE_WAY


def test_when_one_child_gives_way_all_stop_and_none_is_started_again() -> None:
    said: list[str] = []
    children = [
        Child("waits", [sys.executable, "-c", "import time; time.sleep(60)"]),
        Child("gives way", [sys.executable, "-c", f"raise SystemExit({GAVE_WAY})"]),
    ]
    Supervisor(children, said.append).run()
    assert said == ["gives way gave way to a newer version; everything stops"]


def brought_on(world: World) -> None:
    row = f"('{NEWER[0]}', '{NEWER[1]}', CURRENT_TIMESTAMP)"
    world.execute(f"INSERT INTO django_migrations (app, name, applied) VALUES {row}")


@full
@fault(
    "R11",
    "a newer version migrates while this one runs",
    "the old processes end once, in good order, with one line",
)
@pytest.mark.timeout(120)
def test_running_processes_give_way(mode: str, make_world: MakeWorld, seen: Callable[[str], None]) -> None:
    world = make_world(mode, begin="prepared")
    process = world.up()
    brought_on(world)
    wait_for(lambda: process.poll() is not None, 40, f"the end\n{world.log()}")
    assert process.returncode == 0
    log = world.log()
    assert "belongs to a newer version of fedisec (scans.9999_of_tomorrow)" in log
    assert "everything stops" in log
    assert "Traceback" not in log and "starts again" not in log, log
    seen("each said one line and ended with code 0; nothing was started again")


def test_an_old_version_does_not_start_on_it(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world("embedded", begin="prepared")
    brought_on(world)
    done = subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=Path(__file__).parents[2], env=world.env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "belongs to a newer version of fedisec" in done.stdout + done.stderr
    assert len((done.stdout + done.stderr).strip().splitlines()) == 1
