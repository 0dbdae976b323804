"""`python -m tests.faults.forker`: boots once, then does each case in a child process that may die in it.

Reads one JSON object a line: {"data": folder, "crash_at": point or "", "steps": ["work", "tick", "lease"]}, and
answers with the child's exit code, -n for a signal, and its pid first of all.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import django

AHEAD = timedelta(minutes=10)  # more than any lease of a test


def main() -> None:
    django.setup()
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _child(order)
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _child(order: dict[str, object]) -> None:
    code = 1
    try:
        _do(Path(str(order["data"])), str(order["crash_at"]), order["steps"])  # type: ignore[arg-type]  # a list
        code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)


def _do(data: Path, crash_at: str, steps: Sequence[str]) -> None:
    from django.conf import settings
    from django.db import connection
    from django.utils import timezone

    from fedisec.alerts import outbox
    from fedisec.alerts.management.commands.runner import next_job
    from fedisec.scans import clock

    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    os.environ["FEDISEC_DATA"] = str(data)
    connection.settings_dict["NAME"] = data / "fedisec.sqlite3"
    settings.CRASH_AT = crash_at
    for step in steps:
        now = timezone.now()
        if step == "lease":  # of whoever died
            clock.requeue_stale(now + AHEAD)
            outbox.end_leases(now + AHEAD)
        elif step == "tick":
            clock.tick(now)
            outbox.tick(now)
        while step == "work" and (job := next_job()) is not None:
            job()


if __name__ == "__main__":
    main()
