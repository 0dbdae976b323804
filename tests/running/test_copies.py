"""Copies of a process: they end when told, say how, show their name, and die with their parent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from fedisec.lib.copies import Copy
from tests.running.conftest import MakeWorld
from tests.running.world import ROOT, World, children_of, command_line, is_alive, wait_for

MEMORY_KIB = 300 * 1024  # of the whole set, at rest


def in_a_process(code: str) -> subprocess.CompletedProcess[str]:
    """A parent of one thread, which this test run is not."""
    start = f"from fedisec.lib.copies import Copy, entitle\nimport os, signal, sys, time\n{code}"
    return subprocess.run(
        [sys.executable, "-c", start], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("ends", "code", "says"),
    [
        ("None", 0, ""),
        ("sys.exit(3)", 3, ""),
        ("open('/nowhere/at/all')", 1, "fedisec: /nowhere/at/all: No such file or directory\n"),
        ("os.kill(os.getpid(), signal.SIGKILL)", -9, ""),
    ],
)
def test_its_end_is_told(ends: str, code: int, says: str) -> None:
    done = in_a_process(f"print(Copy('ends', lambda: {ends}).wait())")
    assert (done.stdout, done.stderr) == (f"{code}\n", says)


def test_a_fault_leaves_a_traceback_and_the_parent_goes_on() -> None:
    done = in_a_process("print(Copy('breaks', lambda: {}['x']).wait())")
    assert done.stdout == "1\n" and "KeyError" in done.stderr and done.returncode == 0


def test_it_hears_signals_though_its_parent_waits_for_them() -> None:
    blocked = "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})"
    done = in_a_process(
        f"{blocked}\nc = Copy('sleeps', lambda: time.sleep(60))\nc.send_signal(signal.SIGTERM)\nprint(c.wait())"
    )
    assert done.stdout == "-15\n"


def test_one_that_does_not_end_is_said_to_be_running() -> None:
    done = in_a_process(
        "c = Copy('sleeps', lambda: time.sleep(60))\nprint(c.poll())\n"
        "try:\n    c.wait(0.01)\nexcept Exception as error:\n    print(type(error).__name__)\nc.send_signal(9)"
    )
    assert done.stdout == "None\nTimeoutExpired\n"


def test_a_name_that_is_too_long_is_cut_and_shows_nothing_else() -> None:
    done = in_a_process(
        "entitle('x' * 9000)\nprint(len(open('/proc/self/cmdline').read().strip(chr(0))), os.environ['PATH'][:1])"
    )
    length, path = done.stdout.split()
    assert 0 < int(length) < 9000 and path


@pytest.mark.timeout(120)
def test_the_embedded_set_shares_its_memory(make_world: MakeWorld) -> None:
    world = make_world("embedded")
    process = world.up()
    wait_for(lambda: len(children_of(process.pid)) == 4, 10, "all children")
    time.sleep(1)
    family = [process.pid, *children_of(process.pid)]
    taken = {" ".join(command_line(pid)[:3]): pss_kib(pid) for pid in family}
    assert sum(taken.values()) < MEMORY_KIB, taken
    assert all(is_alive(pid) for pid in family)
    told = {line["name"]: line for line in doctor(world)["lines"]}
    assert (told["jobs"]["code"], told["jobs"]["data"]) == ("runners", {"n": 2})
    assert told["clock"]["state"] == told["keys"]["state"] == told["migrations"]["state"] == "ok"
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(30) == 0


def doctor(world: World) -> Any:
    done = subprocess.run(
        [sys.executable, "manage.py", "fedisec", "doctor"],
        cwd=ROOT, env=world.env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert done.returncode == told["exit_code"] > 0, done.stderr
    return told


def pss_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def test_the_class_is_used_in_no_process_of_several_threads() -> None:
    """`up` is the one user; what it loads before starts no thread."""
    users = [path for path in (ROOT / "fedisec").rglob("*.py") if "Copy(" in path.read_text()]
    assert {path.name for path in users} == {"up.py", "supervisor.py"}
    assert Copy.__doc__
