"""Installations on SQLite whose processes are children of a `forker`: quick enough for every test run."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.running.world import ROOT, World


class Forker:
    """Boots once, with the settings of `world`, whose data are the template of each `Site`."""

    def __init__(self, world: World) -> None:
        self._template = world.data
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.forker"],
            cwd=ROOT, env=world.env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def site(self, folder: Path) -> Site:
        folder.mkdir()
        shutil.copy(self._template / "fedisec.sqlite3", folder)
        shutil.copy(self._template / "looks.txt", folder)
        return Site(self, folder)

    def run(self, data: Path, steps: tuple[str, ...], settings: dict[str, object]) -> int:
        """The exit code of a process that does `steps`, -9 for one that was killed."""
        assert self._process.stdin is not None and self._process.stdout is not None
        order = {"data": str(data), "settings": settings, "steps": steps}
        print(json.dumps(order), file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()


@dataclass(frozen=True, slots=True)
class Site:
    """One data folder and its processes; for `steps` see `tests.faults.forker`."""

    forker: Forker
    data: Path

    def run(self, *steps: str, crash_at: str = "", **settings: object) -> int:
        return self.forker.run(self.data, steps, {**settings, "CRASH_AT": crash_at})

    def add_reader(self, email: str) -> None:
        """One more person who hears of the instance."""
        assert self.run(f"reader {email}") == 0

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.data / "fedisec.sqlite3", timeout=20)) as connection:
            return list(connection.execute(query))

    def execute(self, statement: str) -> None:
        with closing(sqlite3.connect(self.data / "fedisec.sqlite3", timeout=20)) as connection, connection:
            connection.execute(statement)


@contextmanager
def a_forker(world: World) -> Iterator[Forker]:
    forker = Forker(world)
    try:
        yield forker
    finally:
        forker.stop()
