"""One child: real looks at hostile worlds, one after the other, each measured.

    python -m tests.hostile.child NUMBER FOLDER

FOLDER holds `lab.json` (what the lab is) and `data/` (fedisec's data, migrated).  Takes the name of a behaviour a line on
standard input, answers each with a line of JSON (an `Outcome`), and ends when its input ends.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import re
import sys
import time
import traceback
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from checks.probes import Gathered
    from tests.hostile.model import Behaviour, Scene, Seen

# What a terminal, a log or a reader would obey: controls but tab and newline, and marks that turn the direction.
HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass
class Outcome:
    """What one behaviour came to; `crashes` are bugs and unheard exceptions, `states` what the items said."""

    name: str
    seconds: float = 0.0
    limit_s: float = 0.0
    cpu_s: float = 0.0
    growth: int = 0
    delay_s: float = 0.0
    stored: int = 0
    server: bool = False
    wrong: list[str] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    swollen: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)  # what the clean scan beside said wrongly
    states: dict[str, str] = field(default_factory=dict)
    met: dict[str, Any] = field(default_factory=dict)


class Server:
    """The process of the hostile worlds."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, number: int, lab: dict[str, Any], folder: Path) -> Server:
        command = [
            sys.executable,
            "-m",
            "tests.hostile.serve",
            str(number),
            lab["chain"],
            lab["key"],
            str(folder),
        ]
        pipe = asyncio.subprocess.PIPE
        return cls(await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=1 << 24))

    async def settle(self, name: str) -> dict[str, Any]:
        return dict(await self._command(f"settle {name}"))

    async def leave(self) -> dict[str, Any]:
        return dict(await self._command("leave"))

    async def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 10)
        except TimeoutError:
            self._process.kill()

    async def _command(self, line: str) -> Any:
        commands, answers = self._process.stdin, self._process.stdout
        assert commands is not None and answers is not None
        commands.write(line.encode() + b"\n")
        await commands.drain()
        return json.loads(await answers.readline())


class Child:
    """All looks of this process."""

    def __init__(self, number: int, folder: Path) -> None:
        from checks.target import Vantage
        from tests.hostile.world import NETWORK

        self._number, self._folder = number, folder
        self._lab = json.loads((folder / "lab.json").read_text())
        self._vantage = Vantage(
            trust_pem=Path(self._lab["trust"]).read_text(),
            allow_networks=(*self._lab["networks"], NETWORK),
            secure_name=self._lab["secure_name"],
            bogus_name=self._lab["bogus_name"],
            rdap_bootstrap=self._lab["rdap_bootstrap"],
        )
        self._sound: dict[str, Gathered] = {}
        self._sound_states: dict[str, dict[str, str]] = {}
        self._plain_s = 0.0
        self._complaints: list[str] = []

    async def run(self, limits: Any, wall_s: float) -> None:
        """`wall_s`: within which a look has to end."""
        from tests.lab import places as at

        self._limits, self._wall_s = limits, wall_s
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self._complaints.append(str(context)[:300]))
        self._server = await Server.start(self._number, self._lab, self._folder)
        try:
            for target in (at.GOOD, at.BAD):
                await self._see_sound(target)
            # The second scan finds everything imported and cached: what it takes is what a scan takes.
            self._plain_s, self._clean_states = await self._clean()
            print(json.dumps("ready"), flush=True)
            await self._obey()
        finally:
            await self._server.stop()

    async def _obey(self) -> None:
        from tests.hostile.registry import behaviour as of_name

        commands = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
        while line := (await commands.readline()).decode():
            behaviour = of_name(line.strip())
            outcome = Outcome(behaviour.name, limit_s=behaviour.deadline_s or self._wall_s)
            try:
                await self._one(behaviour, outcome)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is reported, and the next one is run
                outcome.crashes.append("".join(traceback.format_exception(error))[-1500:])
            print(json.dumps(asdict(outcome)), flush=True)

    async def _see_sound(self, target: str) -> None:
        from tests.hostile.model import Behaviour, World

        world = await self._server.settle("")
        try:
            seen = await self._scan(self._scene(world), Behaviour("tcp-sound", "tcp", World(), target=target))
        finally:
            await self._server.leave()
        assert seen.gathered is not None
        self._sound[target], self._sound_states[target] = seen.gathered, dict(seen.states)

    def _scene(self, world: dict[str, Any]) -> Scene:
        from dataclasses import replace

        from tests.hostile.model import Scene, moved
        from tests.lab import places as at

        resolver = moved(self._number, at.RESOLVER_IP)
        vantage = replace(self._vantage, resolver=resolver)
        return Scene(resolver, vantage, self._limits, self._number, Path(world["folder"]), world["told"])

    async def _scan(self, scene: Scene, behaviour: Behaviour) -> Seen:
        from checks.clean import clean
        from checks.evaluate import evaluate
        from checks.probes import gather
        from tests.hostile.model import Seen, outside_target

        gathered = await gather(outside_target(behaviour), scene.vantage, scene.limits)
        verdicts = evaluate(gathered.facts)
        shown = [
            text
            for verdict in verdicts.values()
            for piece in verdict.evidence
            for text in (piece.label, clean(piece.text))
        ]
        said = [str(value) for verdict in verdicts.values() for value in verdict.data.values()]
        states = {item: verdict.status.value for item, verdict in verdicts.items()}
        return Seen(states, gathered, (*shown, *said))

    async def _clean(self) -> tuple[float, dict[str, str]]:
        """A scan of the lab itself, in the loop of the hostile one."""
        from dataclasses import replace

        from checks.evaluate import evaluate
        from checks.probes import gather
        from checks.target import Target
        from tests.lab import places as at

        begun = clock()
        vantage = replace(self._vantage, resolver=self._lab["resolver"])
        gathered = await gather(Target(at.GOOD, dkim_selectors=("fedi",)), vantage, self._limits)
        seconds = clock() - begun
        return seconds, {item: verdict.status.value for item, verdict in evaluate(gathered.facts).items()}

    async def _one(self, behaviour: Behaviour, outcome: Outcome) -> None:
        world = await self._server.settle(behaviour.name)
        self._complaints.clear()
        gc.collect()
        _forget_peak()
        before, begun, cpu = memory("VmRSS"), clock(), time.process_time()
        beside = asyncio.create_task(self._beside(outcome))
        try:
            scene = self._scene(world)
            seen = await (behaviour.look(scene) if behaviour.look else self._scan(scene, behaviour))
        finally:
            outcome.seconds, outcome.cpu_s = clock() - begun, time.process_time() - cpu
            beside.cancel()
            await asyncio.gather(beside, return_exceptions=True)
            outcome.met = await self._server.leave()
        await asyncio.sleep(0)
        self._judge(behaviour, seen, outcome)
        outcome.growth = max(0, memory("VmHWM") - before)
        outcome.crashes += self._complaints
        if self._lab["store"] and seen.gathered is not None and behaviour.target in self._sound:
            await asyncio.to_thread(self._keep, behaviour, seen.gathered, outcome)

    async def _beside(self, outcome: Outcome) -> None:
        """Clean scans for as long as the hostile one lasts; by how much the slowest of them was late."""
        sound = self._clean_states
        await asyncio.sleep(0.1)
        while True:
            begun = clock()
            try:
                seconds, states = await self._clean()
            except asyncio.CancelledError:
                # It was cut off by the end of the hostile scan; what it had taken by then counts.
                outcome.delay_s = max(outcome.delay_s, clock() - begun - self._plain_s)
                raise
            outcome.delay_s = max(outcome.delay_s, seconds - self._plain_s)
            outcome.beside += [
                f"{item}: {state}"
                for item, state in states.items()
                if state not in (sound[item], "unknown", "manual") and sound[item] != "unknown"
            ]
            await asyncio.sleep(1.0)

    def _judge(self, behaviour: Behaviour, seen: Seen, outcome: Outcome) -> None:
        from checks.codec import encode_facts
        from tests.checks.faults.scans import reasons

        sound = self._sound_states[behaviour.target] if seen.gathered is not None else {}
        outcome.states = {item: state for item, state in seen.states.items() if state != sound.get(item)}
        outcome.wrong = [
            f"{item}: {state}"
            for item, state in seen.states.items()
            if behaviour.allows.wrong(item, state, sound.get(item))
        ]
        if seen.gathered is not None:
            facts = encode_facts(seen.gathered.facts)
            if "bug" in reasons(facts):
                outcome.crashes.append("a probe failed by a bug")
        outcome.wrong += [f"raw: {text[:80]!r}" for text in seen.shown if HARMFUL.search(text)][:5]

    def _keep(self, behaviour: Behaviour, gathered: Gathered, outcome: Outcome) -> None:
        from tests.hostile.kept import keep

        kept = keep(behaviour, self._sound[behaviour.target], gathered)
        outcome.alerts, outcome.server = list(kept.alerts), kept.server
        outcome.swollen, outcome.stored = list(kept.swollen), kept.bytes


def clock() -> float:
    """Seconds without those in which this thread was ready and the machine ran something else."""
    waited_ns = int(Path("/proc/self/schedstat").read_text().split()[1])
    return time.monotonic() - waited_ns / 1e9


def _forget_peak() -> None:
    """VmHWM counts anew from here on."""
    Path("/proc/self/clear_refs").write_text("5")


def memory(name: str) -> int:
    """Bytes, as the kernel counts them for this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{name}:"))


def main(number: int, folder: Path) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    os.environ["FEDISEC_DATA"] = str(folder / "data")
    import django

    django.setup()
    from tests.hostile.budgets import without
    from tests.hostile.pace import pace

    lab = json.loads((folder / "lab.json").read_text())
    with ExitStack() as patched:
        promised = patched.enter_context(pace(lab["whole"]))
        limits = patched.enter_context(without(lab["without"], promised))
        asyncio.run(Child(number, folder).run(limits, promised.wall_s))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
