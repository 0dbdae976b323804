"""Ten thousand scans that are due at once: PostgreSQL, Redis, four worker processes, cheap probes.

python -m bench.due [--instances 10000] [--workers 4] [--look 0.05]

Prints a table; exits 1 when a figure is over its bar.  What a look costs is not what this is about: the
probes are fake and take --look seconds; claiming, judging and storing are the program's own.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.table import write
from tests.running.servers import Postgres, Redis
from tests.running.world import World, children_of, wait_for

CLAIM_P95_S, WEB_P95_S, ROUND_MAX_S = 1.0, 0.2, 30.0
GROWTH_MAX_MB = 30  # of one process, from the first tenth to the last
DONE_WITHIN_S = 3600


@dataclass(slots=True)
class Seen:
    """What was measured while the workers were busy; times in seconds."""

    pages: list[float] = field(default_factory=list)
    rounds: list[float] = field(default_factory=list)  # between two rounds of the clock
    memory: list[dict[int, int]] = field(default_factory=list)  # pid -> KiB, one entry a sample
    done: list[tuple[float, int]] = field(default_factory=list)  # (time, scans done)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--look", type=float, default=0.05, help="seconds that a fake look takes")
    parser.add_argument("--write", action="store_true", help="put the table into docs/reliability.md")
    given = parser.parse_args()
    rows = measure(given.instances, given.workers, given.look)
    if given.write:
        write(_markdown(rows), "due")
    for row in rows:
        print(f"{row.name:22} {row.figure:58} {'ok' if row.good else 'OVER'}")
    return int(not all(row.good for row in rows))


@dataclass(frozen=True, slots=True)
class Row:
    """One figure against its bar.  `timed`: a busy machine may move it over."""

    name: str
    figure: str
    good: bool
    timed: bool = True


def _markdown(rows: list[Row]) -> str:
    lines = [f"| {row.name} | {row.figure} | {'yes' if row.good else 'no'} |" for row in rows]
    return "\n".join(["| figure | measured | met |", "| --- | --- | --- |", *lines])


def measure(instances: int, workers: int, look_s: float) -> list[Row]:
    """Fills a new database, lets the workers loose on it, and looks on until all is done."""
    with _world(look_s) as world:
        world.manage("prepare")
        cookie = world.tool("many", str(instances)).strip()
        web = world.start("manage.py", "web")
        wait_for(world.answers, 90, "the pages")
        alive = world.data / "alive"
        began = time.monotonic()
        worker = world.worker(workers)
        clock = world.start("manage.py", "ticker", "--alive", str(alive))
        watched = [web.pid, worker.pid, clock.pid]
        seen = _watch(world, watched, cookie, alive, instances, began)
        return _report(world, seen, instances)


@contextmanager
def _world(look_s: float) -> Iterator[World]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fedisec-due-")))
        redis, postgres = Redis(folder / "redis"), Postgres()
        stack.callback(redis.stop)
        stack.callback(postgres.stop)
        servers = {"DATABASE_URL": postgres.new_database("due"), "REDIS_URL": redis.new_url()}
        (folder / "world").mkdir()
        env = {"TEST_LOOK_S": str(look_s), "TEST_CLAIMS": str(folder / "claims"), "FEDISEC_TICK": "2"}
        world = World("grown", folder / "world", servers, **env)
        stack.callback(world.stop)
        yield world


def _watch(world: World, watched: list[int], cookie: str, alive: Path, instances: int, began: float) -> Seen:
    """Until all is done: pages asked for all the time, everything else once a second."""
    seen, over = Seen(), threading.Event()
    asking = threading.Thread(target=_ask, args=(world, cookie, seen, over))
    asking.start()
    ticked = time.time()
    try:
        while time.monotonic() - began < DONE_WITHIN_S:
            time.sleep(1)
            done = world.one("SELECT count(*) FROM scans_scan WHERE state = 'done'")
            seen.done.append((time.monotonic() - began, done))
            seen.memory.append(_memory(watched))
            if alive.exists() and alive.stat().st_mtime > ticked:
                seen.rounds.append(alive.stat().st_mtime - ticked)
                ticked = alive.stat().st_mtime
            if done >= instances:
                return seen
    finally:
        over.set()
        asking.join()
    raise SystemExit(f"not done within {DONE_WITHIN_S} s\n{world.log()[-3000:]}")


def _ask(world: World, cookie: str, seen: Seen, over: threading.Event) -> None:
    pages = (f"{world.url}/", f"{world.url}/instances/many7.example/")
    while not over.wait(0.5):
        for page in pages:
            request = urllib.request.Request(page, headers={"Cookie": f"sessionid={cookie}"})
            began = time.monotonic()
            with urllib.request.urlopen(request, timeout=60) as answer:
                body = answer.read()
            assert answer.url == page and b"/instances/many" in body, "not the page of who is signed in"
            seen.pages.append(time.monotonic() - began)


def _memory(pids: list[int]) -> dict[int, int]:
    """Resident KiB of each process and of its children."""
    found = {}
    for pid in [*pids, *(child for parent in pids for child in children_of(parent))]:
        status = Path(f"/proc/{pid}/status")
        if status.exists():
            lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
            found[pid] = int(lines.get("VmRSS", "0 kB").split()[0])
    return found


def _report(world: World, seen: Seen, instances: int) -> list[Row]:
    took, done = seen.done[-1]
    claims = [float(line) for line in Path(world.env["TEST_CLAIMS"]).read_text().split()]
    late, grown = _displaced(world), _growth(seen.memory) / 1024
    first, last = (_rate(seen, part, instances) for part in (0.1, 0.9))
    slowest = max(seen.rounds, default=0.0)
    speed = f"{first:.1f}/s in the second tenth, {last:.1f}/s in the last"
    return [
        Row("scans done", f"{done} of {instances} in {took:.0f} s", done >= instances, timed=False),
        Row("at worker speed", speed, last > 0.7 * first),
        _bar("a claim, p95", claims, CLAIM_P95_S),
        Row("oldest first", f"at most {late} places off", late <= max(instances // 100, 8), timed=False),
        _bar("a page, p95", seen.pages, WEB_P95_S),
        Row("a round of the clock", f"{slowest:.1f} s at most", slowest < ROUND_MAX_S),
        Row("memory", f"a process grew by {grown:.0f} MB at most", grown < GROWTH_MAX_MB, timed=False),
    ]


def _bar(name: str, times: list[float], bar_s: float) -> Row:
    p95, middle, worst = statistics.quantiles(times, n=20)[-1], statistics.median(times), max(times)
    figure = f"{p95 * 1000:.0f} ms (median {middle * 1000:.0f}, worst {worst * 1000:.0f})"
    return Row(name, figure, p95 <= bar_s)


def _rate(seen: Seen, part: float, instances: int) -> float:
    """Scans a second in the tenth that begins there."""
    inside = [(at, done) for at, done in seen.done if part <= done / instances <= part + 0.1]
    (start, before), (end, after) = inside[0], inside[-1]
    return (after - before) / max(end - start, 0.001)


def _displaced(world: World) -> int:
    """How many scans that became due later were begun before one, at most."""
    order = [
        key
        for (key,) in world.rows(
            "SELECT s.instance_id FROM scans_scan s WHERE s.reason = 'scheduled' ORDER BY s.started_at"
        )
    ]
    wanted = {key: place for place, key in enumerate(sorted(order))}  # made in the order of their slots
    return max(abs(place - wanted[key]) for place, key in enumerate(order))


def _growth(samples: list[dict[int, int]]) -> int:
    """KiB of the process that grew most, from the first tenth of the samples that have it to the last."""
    tail = len(samples) // 10 or 1
    early = {pid: size for sample in samples[tail : 2 * tail] for pid, size in sample.items()}
    late = {pid: size for sample in samples[-tail:] for pid, size in sample.items()}
    return max((late[pid] - size for pid, size in early.items() if pid in late), default=0)


if __name__ == "__main__":
    sys.exit(main())
