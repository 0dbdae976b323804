"""Runs hostile behaviours: a lab, children with a server process each, and what they brought.

    python -m tests.hostile [--runs N] [--children N] [--whole] [--write] [--keep FOLDER] [NAME or PROTOCOL ...]

`--keep FOLDER` leaves each child's data there (`child-<n>/data`: fedisec's database with every look, and its log), for
whoever wants to read what fedisec shows after it (`shown.py`).
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.hostile.child import Outcome
from tests.hostile.model import DELAY_S, GROWTH_BYTES, LATE_S
from tests.hostile.registry import behaviour as of_name
from tests.hostile.world import Canary
from tests.lab.lab import Lab

_START_S = 120.0
_AFTER_S = 60.0  # what a child may take beyond the deadline of a look before it is called hung


@dataclass
class Brought:
    """All outcomes of a run; `canary`: connections where nothing may ever be dialled."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    canary: dict[str, int] = field(default_factory=dict)


def complaints(outcome: Outcome) -> list[str]:
    """Every promise that a behaviour broke."""
    found = [*outcome.wrong, *outcome.alerts, *outcome.crashes, *outcome.swollen]
    found += [f"beside: {text}" for text in outcome.beside]
    if outcome.seconds > outcome.limit_s + LATE_S:
        found.append(f"took {outcome.seconds:.1f} s of {outcome.limit_s:.0f} s")
    if outcome.growth > GROWTH_BYTES:
        found.append(f"grew by {outcome.growth >> 20} MiB")
    if outcome.delay_s > DELAY_S:
        found.append(f"made another scan {outcome.delay_s:.1f} s later")
    return found


class Run:
    """One run.  `without`: a budget that is taken out in the children."""

    def __init__(
        self, lab: Lab, folder: Path, *, whole: bool = False, without: str = "", store: bool = True
    ) -> None:
        """`store`: what was seen goes through fedisec's database, to where nobody may be told of it."""
        self._lab, self._folder, self._whole, self._without = lab, folder, whole, without
        folder.mkdir(parents=True, exist_ok=True)
        front = lab.ca.issue(
            "front.fedi.test",
            lab.good,
            lab.bad,
            "*.good.fedi.test",
            "*.bad.fedi.test",
            "files.good-media.test",
        )
        self._facts = {
            "resolver": lab.resolver, "networks": lab.networks, "trust": str(lab.ca_file),
            "secure_name": lab.secure_name, "bogus_name": lab.bogus_name,
            "rdap_bootstrap": str(lab.rdap_bootstrap),
            "chain": str(front.chain), "key": str(front.key), "whole": whole, "without": without, "store": store,
        }  # fmt: skip
        self.brought = Brought()
        self.heard: Callable[[Outcome], None] = lambda _: None  # called as each outcome arrives

    def run(self, names: Sequence[str], children: int, *, forbidden: bool = True) -> Brought:
        """`forbidden`: listen where nothing may be dialled."""
        template = self._folder / "template"
        if not template.exists():
            migrate(template) if self._facts["store"] else template.mkdir()
        asyncio.run(self._run(list(names), min(children, len(names)), template, forbidden))
        return self.brought

    async def _run(self, names: list[str], children: int, template: Path, forbidden: bool) -> None:
        canary = Canary()
        if forbidden:
            canary.start()
        waiting: asyncio.Queue[str] = asyncio.Queue()
        for name in names:
            waiting.put_nowait(name)
        try:
            await asyncio.gather(*(self._child(n, waiting, template) for n in range(1, children + 1)))
        finally:
            canary.stop()
        self.brought.canary = canary.met

    async def _child(self, number: int, waiting: asyncio.Queue[str], template: Path) -> None:
        while not waiting.empty():
            process = await self._start(number, template)
            try:
                await self._feed(process, waiting)
            finally:
                await _end(process)

    async def _start(self, number: int, template: Path) -> asyncio.subprocess.Process:
        folder = self._folder / f"child-{number}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        shutil.copytree(template, folder / "data")
        (folder / "lab.json").write_text(json.dumps(self._facts))
        pipe = asyncio.subprocess.PIPE
        with (folder / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.hostile.child", str(number), str(folder),
                stdin=pipe, stdout=pipe, stderr=log, limit=1 << 24,
            )  # fmt: skip
        ready = await self._line(process, _START_S)
        if ready != "ready":
            raise RuntimeError((folder / "log").read_text()[-3000:])
        return process

    async def _feed(self, process: asyncio.subprocess.Process, waiting: asyncio.Queue[str]) -> None:
        while not waiting.empty():
            name = waiting.get_nowait()
            assert process.stdin is not None
            process.stdin.write(name.encode() + b"\n")
            limit = of_name(name).deadline_s or (60.0 if self._whole else 15.0)
            found = await self._line(process, limit + _AFTER_S)
            if not isinstance(found, dict):
                self._note(Outcome(name, limit_s=limit, crashes=["the child hung or died"]))
                with suppress(ProcessLookupError):
                    process.kill()
                return
            self._note(Outcome(**found))

    def _note(self, outcome: Outcome) -> None:
        self.brought.outcomes[outcome.name] = outcome
        self.heard(outcome)

    async def _line(self, process: asyncio.subprocess.Process, within_s: float) -> Any:
        assert process.stdout is not None
        try:
            line = await asyncio.wait_for(process.stdout.readline(), within_s)
        except TimeoutError:
            return None
        return json.loads(line) if line else None


async def _end(process: asyncio.subprocess.Process) -> None:
    """A child ends when its input does; on a busy machine it is not waited for."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), 15)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def migrate(folder: Path) -> None:
    """An empty database of fedisec in `folder`."""
    folder.mkdir(parents=True)
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "FEDISEC_DATA": str(folder)}
    subprocess.run(
        [sys.executable, "-m", "django", "migrate", "-v", "0"], env=env, check=True, stdout=subprocess.DEVNULL
    )
