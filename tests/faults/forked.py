"""One installation on SQLite whose processes are children of a `forker`: quick enough for every test run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.running.world import ROOT, World


class Forker:
    """Boots once; `run` is one process of the installation in `data`."""

    def __init__(self, world: World) -> None:
        self._template = world.data
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.forker"],
            cwd=ROOT, env=world.env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def copy(self, folder: Path) -> Path:
        """A data folder like that of the world it was made with."""
        folder.mkdir()
        shutil.copy(self._template / "fedisec.sqlite3", folder)
        shutil.copy(self._template / "looks.txt", folder)
        return folder

    def run(
        self, data: Path, *steps: str, crash_at: str = "", meet: Callable[[int], object] = lambda pid: None
    ) -> int:
        """The exit code of a process that does `steps`, -9 for one that was killed.  `meet` is told its pid."""
        assert self._process.stdin is not None and self._process.stdout is not None
        order = {"data": str(data), "crash_at": crash_at, "steps": steps}
        print(json.dumps(order), file=self._process.stdin, flush=True)
        meet(int(self._process.stdout.readline()))
        return int(self._process.stdout.readline())

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()


@contextmanager
def a_forker(world: World) -> Iterator[Forker]:
    forker = Forker(world)
    try:
        yield forker
    finally:
        forker.stop()


def sigkill(pid: int) -> None:
    os.kill(pid, 9)
