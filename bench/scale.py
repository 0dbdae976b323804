"""How fedisec grows: memory, starts, scans a minute with one and with two worker machines, and a soak.

python -m bench.scale [memory] [start] [outside] [soak] [--scans 200] [--instances 200] [--minutes 30]

Without names all four; --write puts the table into docs/benchmarks.md.  Real probes at the lab's good server,
PostgreSQL and Redis; for root, within tests.lab.netns.
Prints a table; exits 1 when a figure misses its bar.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.due import Row
from bench.measure import loop_ms, table
from tests.lab.lab import Lab
from tests.lab.places import GOOD
from tests.running.servers import Postgres, Redis
from tests.running.world import ROOT, World, children_of, command_line, wait_for

IDLE_MB, SECOND_START_S, COLD_START_S = 300, 3.0, 60.0
SCANS_A_MINUTE, TWICE = 200, 1.8
SLOPE_MB = 5.0  # that one process may have grown over the soak
DESCRIPTORS = 5  # that one process may have more at its end
DONE_WITHIN_S = 1800
REAL = "fedisec.settings"
_DOCS = ROOT / "docs" / "benchmarks.md"
_BEGIN, _END = "<!-- scale -->", "<!-- /scale -->"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="*", metavar="PART", help="only these parts")
    parser.add_argument("--scans", type=int, default=200, help="of one run of `outside`")
    parser.add_argument("--instances", type=int, default=200, help="of the soak, each looked at every minute")
    parser.add_argument("--minutes", type=float, default=30.0, help="of the soak")
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    given = parser.parse_args()
    if unknown := set(given.what) - set(_PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    before = loop_ms()
    rows = []
    for name in given.what or _PARTS:
        for row in _PARTS[name](given):
            rows.append(row)
            print(f"{row.name}: {row.figure}", file=sys.stderr, flush=True)
    shown = table(
        ("figure", "measured", "met"), [(row.name, row.figure, "yes" if row.good else "no") for row in rows]
    )
    after = f"A fixed loop of Python took {before:.1f} ms of CPU before and {loop_ms():.1f} ms after."
    print(f"{shown}\n\n{after}")
    if given.write:
        text = _DOCS.read_text()
        head, tail = text.partition(_BEGIN)[0], text.partition(_END)[2]
        _DOCS.write_text(f"{head}{_BEGIN}\n{shown}\n\n{after}\n{_END}{tail}")
    return int(not all(row.good for row in rows))


# Memory and starts: the embedded set, with the settings of everybody.


def memory(given: argparse.Namespace) -> Iterator[Row]:
    with _folder() as folder:
        world = World("embedded", folder, {}, DJANGO_SETTINGS_MODULE=REAL, **_SILENT)
        try:
            process = world.up()
            for page in ("/", "/account/login/", "/healthz") * 3:
                urllib.request.urlopen(f"{world.url}{page}", timeout=30).read()
            time.sleep(30)
            sizes = {_title(pid): _pss_kib(pid) / 1024 for pid in _family(process.pid)}
        finally:
            world.stop()
    total = sum(sizes.values())
    shown = ", ".join(f"{name} {size:.0f}" for name, size in sizes.items())
    yield Row("embedded set at rest, PSS", f"{total:.0f} MB ({shown})", total <= IDLE_MB, timed=False)


def start(given: argparse.Namespace) -> Iterator[Row]:
    with _folder() as folder:
        world = World("embedded", folder, {}, DJANGO_SETTINGS_MODULE=REAL, **_SILENT)
        try:
            first = _until_page(world, lambda: world.start("manage.py", "up"))
            world.stop()
            second = _until_page(world, lambda: world.start("manage.py", "up"))
        finally:
            world.stop()
        yield Row("start to first page, first time", f"{first:.1f} s", True)
        yield Row("start to first page, second time", f"{second:.1f} s", second <= SECOND_START_S)
        clone = folder / "clone"
        subprocess.run(["git", "clone", "-q", "--no-hardlinks", str(ROOT), str(clone)], check=True)
        cold = World("embedded", _made(folder / "cold"), {}, DJANGO_SETTINGS_MODULE=REAL, **_SILENT)
        try:
            took = _until_page(cold, lambda: _make_run(cold, clone))
        finally:
            cold.stop()
        yield Row("`make run` from a fresh clone", f"{took:.1f} s", took <= COLD_START_S)


def _make_run(world: World, clone: Path) -> None:
    env = {key: value for key, value in world.env.items() if key not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    with world.log_file("make").open("ab") as log:
        process = subprocess.Popen(
            ["make", "run"],
            cwd=clone,
            env=env,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    world.processes.append(process)


def _until_page(world: World, begin: Callable[[], object]) -> float:
    began = time.monotonic()
    begin()
    while time.monotonic() - began < 600:
        with suppress(OSError), urllib.request.urlopen(f"{world.url}/account/login/", timeout=10) as page:
            if page.status == 200:
                return time.monotonic() - began
        time.sleep(0.02)
    raise SystemExit(f"no page\n{world.log()[-2000:]}\n{world.log('make')[-2000:]}")


# Scans a minute, with one worker machine and with two; each has one core.


def outside(given: argparse.Namespace) -> Iterator[Row]:
    both = _rate(given.scans, [{0, 1}])
    one, two = _rate(given.scans, [{0}]), _rate(given.scans, [{0}, {1}])
    yield Row("scans a minute, one worker on two cores", f"{both:.0f}", both >= SCANS_A_MINUTE)
    yield Row("scans a minute, one worker on one core", f"{one:.0f}", True)
    yield Row(
        "the same with a second worker on the other core",
        f"{two:.0f}, {two / one:.2f} times",
        two >= TWICE * one,
    )


def _rate(scans: int, machines: Sequence[set[int]]) -> float:
    """Scans a minute from due to stored.  A worker machine is a group of processes with a host name, a data
    folder and cores of its own, which knows the others by database and broker alone."""
    with _grown(FEDISEC_TEAM_SCANS="100") as world:
        world.module("bench.scale_fill", str(scans), GOOD, "0")
        for number, cores in enumerate(machines):
            _machine(world, number, cores)
        clock = world.start("manage.py", "ticker")
        _look_on(world, lambda: world.one("SELECT count(*) FROM scans_scan WHERE state = 'running'") > 0)
        began = time.monotonic()
        done = "SELECT count(*) FROM scans_scan WHERE state = 'done'"
        _look_on(world, lambda: world.one(done) >= scans)
        took = time.monotonic() - began
        assert clock.poll() is None, world.log()
        return 60 * scans / took


def _machine(world: World, number: int, cores: set[int]) -> subprocess.Popen[bytes]:
    data = _made(world.data.parent / f"machine{number}")
    keys = data / "keys"
    keys.write_bytes((world.data / "keys").read_bytes())
    keys.chmod(0o400)
    script = f"hostname scans{number} && exec taskset -c {','.join(map(str, cores))} {sys.executable}"
    script += " -m celery -q -A fedisec worker --without-gossip --without-mingle"
    script += f" -Q outside,inside -c {2 * len(cores)} -n w{number}@%h -l WARNING"
    with world.log_file().open("ab") as log:
        process = subprocess.Popen(
            ["unshare", "--uts", "sh", "-c", script], cwd=ROOT, start_new_session=True,
            env={**world.env, "FEDISEC_DATA": str(data), "FEDISEC_KEY_FILE": str(keys)},
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    world.processes.append(process)
    return process


def _look_on(world: World, happened: Callable[[], bool]) -> None:
    ends = time.monotonic() + DONE_WITHIN_S
    while not happened():
        if time.monotonic() > ends:
            raise SystemExit(f"not within {DONE_WITHIN_S} s\n{world.log()[-3000:]}")
        time.sleep(0.2)


# The soak.

_STUCK = "SELECT count(*) FROM scans_scan WHERE state = 'running' AND heartbeat_at < now() - interval '60 s'"


@dataclass(slots=True)
class Taken:
    """Of one process, a sample every ten seconds."""

    minutes: list[float] = field(default_factory=list)
    mb: list[float] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)


def soak(given: argparse.Namespace) -> Iterator[Row]:
    with _grown(FEDISEC_TEAM_SCANS="100") as world:
        world.module("bench.scale_fill", str(given.instances), GOOD, "60")
        web = world.start("manage.py", "web")
        wait_for(world.answers, 90, "the pages")
        watched = [web.pid, _machine(world, 0, {0, 1}).pid, world.start("manage.py", "ticker").pid]
        taken: dict[int, Taken] = {}
        began = time.monotonic()
        while (minutes := (time.monotonic() - began) / 60) < given.minutes:
            for pid in {one for root in watched for one in _family(root)}:
                _sample(pid, taken.setdefault(pid, Taken()), minutes)
            time.sleep(10)
        counts = dict(world.rows("SELECT state, count(*) FROM scans_scan GROUP BY state"))
        lost = world.one(_STUCK)
        names = {pid: _title(pid) for pid in taken}
    lasting = {pid: one for pid, one in taken.items() if one.minutes[-1] - one.minutes[0] > given.minutes / 2}
    grown = {pid: slope_mb(one) for pid, one in lasting.items()}
    more = {
        pid: one.descriptors[-1] - min(one.descriptors[len(one.descriptors) // 4 :])
        for pid, one in lasting.items()
    }
    worst = max(grown, key=lambda pid: grown[pid])
    done, failed = counts.get("done", 0), counts.get("failed", 0)
    yield Row(
        "soak: looks",
        f"{done} in {given.minutes:g} minutes, {failed} failed, {lost} stuck",
        not lost and not failed and done > 0,
    )
    yield Row(
        "soak: memory of a process",
        f"{grown[worst]:+.1f} MB at most ({names[worst]})",
        grown[worst] <= SLOPE_MB,
    )
    yield Row(
        "soak: descriptors of a process",
        f"{max(more.values()):+d} at most",
        max(more.values()) <= DESCRIPTORS,
    )


def slope_mb(taken: Taken) -> float:
    """How much it grew after the first quarter: the straight line through its samples (least squares)."""
    pairs = list(zip(taken.minutes, taken.mb, strict=True))[len(taken.mb) // 4 :]
    middle_x = sum(x for x, _ in pairs) / len(pairs)
    middle_y = sum(y for _, y in pairs) / len(pairs)
    across = sum((x - middle_x) ** 2 for x, _ in pairs)
    if not across:
        return 0.0
    rise = sum((x - middle_x) * (y - middle_y) for x, y in pairs) / across
    return rise * (pairs[-1][0] - pairs[0][0])


def _sample(pid: int, taken: Taken, minutes: float) -> None:
    with suppress(OSError):
        kib, open_files = _pss_kib(pid), len(os.listdir(f"/proc/{pid}/fd"))
        taken.minutes.append(minutes)
        taken.mb.append(kib / 1024)
        taken.descriptors.append(open_files)


# What all need.

_PARTS: dict[str, Callable[[argparse.Namespace], Iterator[Row]]] = {
    "memory": memory,
    "start": start,
    "outside": outside,
    "soak": soak,
}
_SILENT = {"FEDISEC_FEEDS": "False", "FEDISEC_ANCHORS": "none"}


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="fedisec-scale-") as name:
        yield Path(name)


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700)
    return folder


@contextmanager
def _grown(**env: str) -> Iterator[World]:
    """PostgreSQL, Redis and the lab, a prepared database, and nothing running yet."""
    with ExitStack() as stack:
        folder = stack.enter_context(_folder())
        lab = stack.enter_context(Lab(folder / "lab"))
        redis, postgres = Redis(folder / "redis"), Postgres()
        stack.callback(redis.stop)
        stack.callback(postgres.stop)
        servers = {"DATABASE_URL": postgres.new_database("scale"), "REDIS_URL": redis.new_url()}
        settings = {**lab.env, **_SILENT, "DJANGO_SETTINGS_MODULE": REAL, "FEDISEC_TICK": "1", **env}
        world = World("grown", _made(folder / "world"), servers, **settings)
        world.env["FEDISEC_KEY_FILE"] = str(world.data / "keys")
        stack.callback(world.stop)
        world.manage("prepare")
        yield world


def _family(pid: int) -> list[int]:
    with suppress(OSError):
        return [pid, *(below for child in children_of(pid) for below in _family(child))]
    return []


def _pss_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _title(pid: int) -> str:
    known = ("web", "ticker", "runner", "celery", "up")
    return next(
        (word for word in known for part in command_line(pid) if word in part.split("/")[-1]), str(pid)
    )


if __name__ == "__main__":
    sys.exit(main())
