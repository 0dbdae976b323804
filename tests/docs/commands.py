"""Runs the commands of the pages as a reader would, in a copy of the repository with a data folder of its own."""

from __future__ import annotations

import http.client
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.docs.pages import ROOT, Page
from tests.smtp import free_port

# What cannot be run here, and why.  Each entry is a pattern for whole lines.
NOT_RUN = {
    r"sudo .*": "changes the machine: packages, accounts",
    r"ssh .*": "needs another machine",
    r"docker .*": "needs Docker; docker-compose.yml is tested by tests/running/test_compose.py",
    r".*-m pip install .*": "needs the package index",
    r".*rotate_keys --drop-old": "waits four minutes by intent; tests/secrets/test_rotation.py runs it",
    r".*-m pytest .*": "these tests are part of every run",
    r".*manage.py (?:export|import) .*": "asks for a passphrase; tests/moving does both",
}
# Commands that say by their code what they found; the others end with 0.
CODES = {r".*-m checks scan .*": {0, 1, 3}}
# Commands that go on until Ctrl-C.
_STARTS = re.compile(r"(?:[A-Z_]+=\S+ )*make (?:run|demo)")
_START_S, _STOP_S, _COMMAND_S = 240.0, 60.0, 240.0


def lines_of(page: Page) -> list[str]:
    """The commands of a page, in order: one for each line, a line that ends in a backslash taken with the next."""
    code = "\n".join(text for language, text in page.fences if language == "sh")
    joined = code.replace("\\\n", " ").split("\n")
    return [re.sub(r"\s+", " ", line).strip() for line in joined if line.strip() and not line.startswith("#")]


def why_not(line: str) -> str:
    """The reason why a command is not run here, "" where it is."""
    return next((why for pattern, why in NOT_RUN.items() if re.fullmatch(pattern, line)), "")


@dataclass
class Reader:
    """Somebody who types what the pages say.  `seen`: starts that worked already and need not be seen again."""

    folder: Path
    env: dict[str, str]
    seen: set[str] = field(default_factory=set)

    def types(self, line: str) -> str:
        """What the command said; AssertionError where it did not do what it should."""
        line = self._here(line)
        if _STARTS.fullmatch(line):
            return "" if line in self.seen else self._starts(line)
        done = subprocess.run(
            ["sh", "-c", line], cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=_COMMAND_S, check=False,
        )  # fmt: skip
        right = next((codes for pattern, codes in CODES.items() if re.fullmatch(pattern, line)), {0})
        assert done.returncode in right, f"{line} ended with {done.returncode}: {done.stdout[-2000:]}"
        assert "Traceback" not in done.stdout, f"{line}: {done.stdout[-2000:]}"
        return done.stdout

    def _here(self, line: str) -> str:
        """The command with places of this machine: folders of its own, the backup that was just made."""
        places = self.folder.parent / "srv"
        line = line.replace("/srv/", f"{places}/")
        if found := sorted(places.rglob("*.sqlite3")):
            line = re.sub(r"\S+/fedisec-\d{8}T\d{6}Z\.sqlite3", str(found[-1]), line)
        return line

    def _starts(self, line: str) -> str:
        port = str(free_port())
        typed = re.sub(r"\bPORT=\d+", f"PORT={port}", line)
        process = subprocess.Popen(
            ["sh", "-c", f"exec env {typed}"], cwd=self.folder, env={**self.env, "PORT": port},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            said = _until_it_answers(process, int(port))
        finally:
            os.killpg(process.pid, signal.SIGINT)
            try:
                rest, _ = process.communicate(timeout=_STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        assert b"Traceback" not in rest, rest[-2000:]
        self.seen.add(line)
        return said + rest.decode()


def _until_it_answers(process: subprocess.Popen[bytes], port: int) -> str:
    assert process.stdout is not None
    said, ends = b"", time.monotonic() + _START_S
    while time.monotonic() < ends:
        if select.select([process.stdout], [], [], 0.2)[0]:
            more = os.read(process.stdout.fileno(), 65536)
            assert more, f"it ended at once: {said.decode()}"
            said += more
        told = re.search(rb"fedisec: https?://([^/\s]+)/\s", said)
        if told and _is_healthy(port, told[1].decode()):
            return said.decode()
    raise AssertionError(f"nothing answers: {said.decode()}")


def _is_healthy(port: int, host: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/healthz", headers={"Host": host, "X-Forwarded-Proto": "https"})
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@contextmanager
def reader(folder: Path) -> Iterator[Reader]:
    """A reader in a fresh copy of the repository as it was last committed, with the environment that exists."""
    origin, copy = folder / "origin", folder / "fedisec"  # an origin that nobody changes meanwhile
    subprocess.run(["git", "clone", "-q", "--bare", "--local", str(ROOT), str(origin)], check=True)
    subprocess.run(["git", "clone", "-q", "--local", str(origin), str(copy)], check=True)
    (copy / ".venv").symlink_to(Path(sys.prefix))
    for name in ("requirements.txt", "tools/setup.sh"):
        os.utime(copy / name, (0, 0))  # older than the environment: nothing is to be installed
    foreign = ("FEDISEC", "DJANGO", "DATABASE_URL", "REDIS_URL", "EMAIL_URL", "MAKE", "MFLAGS", "PORT")
    env = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    yield Reader(copy, env | {"LC_ALL": "C.UTF-8"})
