"""All scans of the table, as many at a time as two processors carry; what each brought."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from checks.codec import encode_facts
from checks.evaluate import evaluate
from checks.model import Verdict
from checks.probes import gather, net
from checks.target import Limits, Target, Vantage
from tests.checks.faults.serve import Worlds, hostile_worlds
from tests.checks.faults.table import Case
from tests.checks.faults.world import NETWORK
from tests.lab.lab import Lab

LIMITS = Limits(wall_s=3.0, dns_s=2.5, connect_s=0.6, request_s=1.0)
AT_ONCE = 12
_SOUND = 200  # number of the sound world


@dataclass(frozen=True)
class Seen:
    """One scan."""

    verdicts: dict[str, Verdict]
    facts: dict[str, Any]
    seconds: float  # without those in which the machine was busy otherwise
    used: dict[str, int]
    met: dict[str, int]  # connections that each port of the world saw


@dataclass
class Scans:
    """Everything that the table brought; `grown` is by how much the process swelled, in bytes."""

    sound: dict[str, Seen] = field(default_factory=dict)
    by_case: dict[str, Seen] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    grown: int = 0


def scan_all(lab: Lab, cases: Iterable[Case]) -> Scans:
    """Runs each case in a world of its own."""
    # With the usual pauses after a refusal the scan of a dead host would end before its last probes begin.
    with mock.patch.object(net, "_BACK_OFF_S", (0.02,)):
        return asyncio.run(_Runner(lab).run(list(cases)))


class _Runner:
    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._pem = lab.ca_file.read_text()
        self._free: asyncio.Queue[int] = asyncio.Queue()
        self._stalled = 0.0  # seconds for which the processor had no time for us: no fault of a scan
        self._floods = asyncio.Semaphore(1)
        self._scans = Scans()
        self._worlds: Worlds

    async def run(self, cases: list[Case]) -> Scans:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self._scans.complaints.append(str(context)))
        loop.set_default_executor(ThreadPoolExecutor(3 * AT_ONCE))  # SSH uses threads; one scan has few
        for number in range(1, AT_ONCE + 1):
            self._free.put_nowait(number)
        front = self._lab.ca.issue(
            "front.fedi.test", self._lab.good, self._lab.bad, "*.good.fedi.test", "files.good-media.test"
        )
        async with hostile_worlds(front.chain, front.key) as self._worlds:
            for target in (self._lab.good, self._lab.bad):
                self._scans.sound[target] = await self._scan(_SOUND, "", target)
            gc.collect()
            _forget_peak()
            before = _memory("VmRSS")
            watch = asyncio.create_task(self._watch())
            await asyncio.gather(*(self._one(case) for case in cases))
            watch.cancel()
            self._scans.grown = _memory("VmHWM") - before
        return self._scans

    async def _one(self, case: Case) -> None:
        number = await self._free.get()
        # A flood takes a processor for itself, and then other scans would seem late.
        gate = self._floods if "without end" in case.fault else nullcontext()
        try:
            async with gate:
                self._scans.by_case[case.id] = await self._scan(number, case.id, case.target)
        finally:
            self._free.put_nowait(number)

    async def _scan(self, number: int, case: str, target: str) -> Seen:
        lab = self._lab
        resolver = await self._worlds.settle(number, case)
        vantage = Vantage(
            resolver, self._pem, (*lab.networks, NETWORK),
            secure_name=lab.secure_name, bogus_name=lab.bogus_name,
        )  # fmt: skip
        begun = time.monotonic() - self._stalled
        try:
            gathered = await gather(Target(target, dkim_selectors=("fedi",)), vantage, LIMITS)
        finally:
            seconds = time.monotonic() - self._stalled - begun
            met = await self._worlds.leave(number)
        facts = encode_facts(gathered.facts)
        return Seen(dict(evaluate(gathered.facts)), facts, seconds, gathered.connections, met)

    async def _watch(self) -> None:
        while True:
            begun = time.monotonic()
            await asyncio.sleep(0.05)
            self._stalled += time.monotonic() - begun - 0.05


def _forget_peak() -> None:
    """VmHWM counts anew from here on."""
    Path("/proc/self/clear_refs").write_text("5")


def _memory(name: str) -> int:
    """Bytes, as the kernel counts them for this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{name}:"))


def reasons(facts: dict[str, Any]) -> set[str]:
    """Every reason why something is missing in stored facts, however deep."""
    found: set[str] = set()

    def visit(value: object) -> None:
        if isinstance(value, dict):
            found.update([str(value["reason"])] if "reason" in value else [])
            for part in value.values():
                visit(part)
        elif isinstance(value, list):
            for part in value:
                visit(part)

    visit(json.loads(json.dumps(facts)))
    return found
