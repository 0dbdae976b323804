"""The real program for a browser test: `manage.py up` with a data folder of its own."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
_START_S, _STOP_S = 60.0, 15.0


class App:
    """Started on enter, stopped on exit.  `url` is its address, `setup_link` the one-time link it printed."""

    def __init__(self, data: Path, env: dict[str, str]) -> None:
        self.data = data
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.setup_link = ""
        self._env = {**os.environ, **env, "FEDISEC_DATA": str(data), "PORT": str(self.port)}
        self._env.pop("DJANGO_SETTINGS_MODULE", None)
        self._env.pop("FEDISEC_SECRET_KEY", None)
        self._process: subprocess.Popen[bytes] | None = None
        self._printed = b""

    def __enter__(self) -> Self:
        with (self.data / "log.txt").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "up"],
                cwd=ROOT,
                env=self._env,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def log(self) -> str:
        return (self.data / "log.txt").read_text(errors="replace")

    def stop(self) -> None:
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process.stdout is not None:
            process.stdout.close()
        self._process = None

    def _wait(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        ends = time.monotonic() + _START_S
        while time.monotonic() < ends:
            if self._process.poll() is not None:
                raise AssertionError(
                    f"manage.py up ended with {self._process.returncode}: {self.log[-2000:]}"
                )
            ready, _, _ = select.select([self._process.stdout], [], [], 0.1)
            if ready:
                self._printed += os.read(self._process.stdout.fileno(), 65536)
            link = re.search(rb"http://\S+/setup/\S+", self._printed)
            if link and self._answers():
                self.setup_link = link.group().decode()
                return
        raise AssertionError(f"manage.py up printed no set-up link in {_START_S} s: {self._printed!r}")

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
