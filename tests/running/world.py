"""One installation under test: its folder, its database, its processes."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psycopg

from tests.smtp import free_port

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 3  # a busy machine is slow; these limits are for what never comes
WORKER = (
    "-m",
    "celery",
    "-q",
    "-A",
    "fedisec",
    "worker",
    "--without-gossip",
    "--without-mingle",
    "-l",
    "WARNING",
)


class World:
    """`mode` is embedded (SQLite, runners) or grown (PostgreSQL, Redis, Celery).  Everything that it started
    is gone after `stop`."""

    def __init__(self, mode: str, folder: Path, servers: dict[str, str], **env: str) -> None:
        self.mode, self.data, self.port = mode, folder / "data", free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.data.mkdir(mode=0o700)
        if mode == "grown":  # as docker-compose.yml: a file that was given, the same for all
            (self.data / "keys").write_text("k" * 64)
            (self.data / "keys").chmod(0o400)
        self.processes: list[subprocess.Popen[bytes]] = []
        self.env = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("FEDISEC", "TEST_"))},
            **servers,
            "DJANGO_SETTINGS_MODULE": "tests.running.settings",
            "FEDISEC_DATA": str(self.data),
            "FEDISEC_SECRET_KEY": "only for tests " * 5,
            "FEDISEC_TICK": "1",
            "FEDISEC_SCAN_NOW_PAUSE": "0",
            "PORT": str(self.port),
            "PYTHONPATH": str(ROOT),
            **env,
        }

    # Processes.

    def start(self, *argv: str, log: str = "", **env: str) -> subprocess.Popen[bytes]:
        """A Python process in a group of its own; its words go to `log` (or the common log)."""
        with self.log_file(log).open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, *argv], cwd=ROOT, env={**self.env, **env}, stdin=subprocess.DEVNULL,
                stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def up(self, **env: str) -> subprocess.Popen[bytes]:
        """`manage.py up`, once it answers."""
        process = self.start("manage.py", "up", **env)
        wait_for(lambda: self.answers() or process.poll() is not None, 90, f"an answer\n{self.log()}")
        assert process.poll() is None, self.log()
        return process

    def worker(self, count: int = 1, **env: str) -> subprocess.Popen[bytes]:
        """One more process that does jobs, of the kind that this mode has, with `count` at a time."""
        if self.mode == "embedded":
            assert count == 1
            return self.start("manage.py", "runner", **env)
        return self.start(*WORKER, "-c", str(count), **env)

    def manage(self, *arguments: str) -> str:
        return self._run("manage.py", *arguments)

    def tool(self, *arguments: str) -> str:
        return self._run("-m", "tests.running.tool", *arguments)

    def module(self, name: str, *arguments: str) -> str:
        return self._run("-m", name, *arguments)

    def _run(self, *argv: str) -> str:
        done = subprocess.run(
            [sys.executable, *argv],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def stop(self) -> None:
        for process in self.processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGCONT)
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(15)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    # What can be seen.

    def log_file(self, name: str = "") -> Path:
        return self.data / f"{name or 'log'}.txt"

    def log(self, name: str = "") -> str:
        return self.log_file(name).read_text(errors="replace") if self.log_file(name).exists() else ""

    def looks(self) -> list[str]:
        """The domains that were looked at, once for each look that began."""
        return [line.split()[0] for line in self.log("looks").splitlines()]

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        if self.mode == "grown":
            with psycopg.connect(self.database) as connection:
                return list(connection.execute(query))
        with closing(sqlite3.connect(self.data / "fedisec.sqlite3", timeout=20)) as connection:
            return list(connection.execute(query))

    def execute(self, statement: str) -> None:
        """Something that changes rows, past the program."""
        if self.mode == "grown":
            with psycopg.connect(self.database) as connection:
                connection.execute(statement)
            return
        with closing(sqlite3.connect(self.data / "fedisec.sqlite3", timeout=20)) as lite, lite:
            lite.execute(statement)

    @property
    def database(self) -> str:
        """The address that the processes are given, or read from a file."""
        given = self.env.get("DATABASE_URL")
        return given or Path(self.env["DATABASE_URL_FILE"]).read_text()

    def one(self, query: str) -> Any:
        return self.rows(query)[0][0]

    def scan_states(self) -> list[str]:
        return [state for (state,) in self.rows("SELECT state FROM scans_scan ORDER BY id")]


def wait_for(happened: Callable[[], bool], within_s: float, what: str) -> None:
    ends = time.monotonic() + PATIENCE * within_s
    while not happened():
        assert time.monotonic() < ends, f"waited {within_s} s in vain for {what}"
        time.sleep(0.1)


def children_of(pid: int) -> list[int]:
    """Direct children that are alive."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found]


def command_line(pid: int) -> Sequence[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return ()


def is_alive(pid: int) -> bool:
    """True for a process that is neither gone nor a zombie waiting to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
