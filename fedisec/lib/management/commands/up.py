"""`manage.py up`: the whole program on one machine; the parent of web, clock and job runners."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import socket
from typing import IO, Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connections

from fedisec.lib.copies import Copy
from fedisec.lib.listen import FD_VARIABLE, CannotStart, listening_socket
from fedisec.lib.memory import settle_for_copies
from fedisec.lib.supervisor import STOP_SIGNALS, Child, Supervisor
from fedisec.lib.vantage import vantage


class Command(BaseCommand):
    help = "Starts the dashboard with all it needs; Ctrl-C stops it."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        for number in STOP_SIGNALS:
            signal.signal(number, lambda number, frame: sys.exit(0))
        with _only_one(settings.DATA) as lock, listening_socket() as listener:
            vantage()  # an unreadable file of trusted roots is said now, not in a scan
            # In a copy: what bringing the database up to date takes of memory is given back.
            if code := Copy("prepare", self._prepare).wait():
                sys.exit(code)
            settle_for_copies()
            Supervisor(children(listener, lock), self._say).run()

    def _prepare(self) -> None:
        call_command("prepare")
        self.stdout.write(f"fedisec: {settings.PUBLIC_URL}/")
        call_command("setup_link", if_needed=True, stdout=self.stdout)
        self.stdout.flush()
        connections.close_all()

    def _say(self, line: str) -> None:
        with suppress(OSError):  # a log on a full disk is no reason to end
            self.stderr.write(f"fedisec: {line}")


@contextmanager
def _only_one(data: Path) -> Iterator[IO[str]]:
    """Holds the lock of the data folder; CannotStart when another `up` has it."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(os.open(data / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(f"already running (pid {file.read().strip() or 'unknown'})") from None
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield file


def children(listener: socket, lock: IO[str]) -> list[Child]:
    """Web, clock, and whoever does the jobs."""

    def copy(command: str) -> Callable[[], None]:
        def run() -> None:
            lock.close()
            if command == "web":
                os.environ[FD_VARIABLE] = str(listener.fileno())
            else:
                listener.close()
            call_command(command)

        return run

    found = [Child("web", run=copy("web")), Child("ticker", run=copy("ticker"))]
    if not settings.REDIS_URL:
        runners = range(1, settings.RUNNERS + 1)
        return found + [Child(f"runner {number}", run=copy("runner")) for number in runners]
    worker = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "fedisec",
        "worker",
        "--without-gossip",
        "--without-mingle",
    ]
    return [*found, Child("worker", [*worker, "-c", str(settings.RUNNERS), "-l", "WARNING"])]
