"""Server processes of the lab: find the program, start it, wait for its first good answer, stop it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

_PATH = os.pathsep.join(
    [os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"]
)
_TAIL_LINES = 15


class LabError(RuntimeError):
    """The lab could not be brought up; the message names the server and ends with its last log lines."""


class MissingProgram(LabError):
    """A server's program is not installed."""


def find_program(name: str, package: str, pattern: str = "") -> str:
    """The program on the path or, where `pattern` says so, of the highest version below /."""
    found = shutil.which(name, path=_PATH)
    if found is None and pattern:
        matches = sorted(Path("/").glob(pattern), key=lambda p: [int(x) for x in p.parts if x.isdigit()])
        found = str(matches[-1]) if matches else None
    if found is None:
        raise MissingProgram(f"{name} is not installed (Debian package {package})")
    return found


def run(argv: Sequence[str], cwd: Path | None = None) -> str:
    """Runs a tool to its end; LabError with its words when it fails."""
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        raise LabError(
            f"{Path(argv[0]).name} failed ({done.returncode}): {(done.stderr or done.stdout).strip()}"
        )
    return done.stdout


def answers(address: str, port: int) -> bool:
    """True if something accepts a TCP connection there."""
    try:
        with socket.create_connection((address, port), timeout=1):
            return True
    except OSError:
        return False


def wait_until(probe: Callable[[], bool], within_s: float) -> bool:
    """Polls until `probe` is true; False when the time is over."""
    ends = time.monotonic() + within_s
    while not probe():
        if time.monotonic() > ends:
            return False
        time.sleep(0.02)
    return True


class Server:
    """One server in the foreground as our child; output goes to `log`.

    It gets `stop_signal` also when the thread that started it dies, so a killed test run leaves nothing behind:
    start servers from the main thread.
    """

    def __init__(
        self, name: str, argv: Sequence[str], log: Path, *, stop_signal: str = "TERM",
        env: dict[str, str] | None = None, as_user: str = "",
    ) -> None:  # fmt: skip
        self.name, self.log = name, log
        self._signal = signal.Signals[f"SIG{stop_signal}"]
        drop = ["--reuid", as_user, "--regid", as_user, "--clear-groups"] if as_user else []
        wrapper = [find_program("setpriv", "util-linux"), *drop, "--pdeathsig", stop_signal]
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [*wrapper, *argv], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env={**os.environ, **(env or {})}, cwd="/", start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_ready(self, probe: Callable[[], bool], within_s: float = 8.0) -> None:
        """Returns at the first good answer; LabError when the server ends or stays silent."""

        def settled() -> bool:
            return self.process.poll() is not None or probe()

        if wait_until(settled, within_s) and self.process.poll() is None:
            return
        code = self.process.poll()
        how = "did not answer in time" if code is None else f"ended with code {code}"
        raise LabError(f"{self.name} {how}; its last words:\n{self.last_words()}")

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-_TAIL_LINES:]) or "    (nothing)"

    def stop(self, within_s: float = 5.0) -> None:
        """Asks, then kills; touches no process but its own."""
        if self.process.poll() is None:
            self.process.send_signal(self._signal)
            try:
                self.process.wait(within_s)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait(within_s)
