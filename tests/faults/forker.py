"""`python -m tests.faults.forker`: boots once, then does each case in a child process that may die in it.

Reads one JSON object a line: {"data": folder, "settings": {name: value}, "steps": [step, …]}, and answers with
the child's exit code, -n for a signal.  Steps:

work    every job that is due, as a runner does them
scan    one scan that is due
tick    a round of the clock
lease   the leases of whoever died have ended
retry   the pause before the next try of a mail is over
ask     a scan of the first instance is asked for
reader  ADDRESS  one more person hears of it
crowd   four processes do every scan and every mail fifty times over, whoever has it
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import django

AHEAD = timedelta(minutes=10)  # more than any lease of a test
CROWD, TIMES = 4, 50


def main() -> None:
    django.setup()
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _child(order)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _child(order: dict[str, object]) -> None:
    code = 1
    try:
        _begin(Path(str(order["data"])), dict(order["settings"]))  # type: ignore[call-overload]  # a mapping
        for step in list(order["steps"]):  # type: ignore[call-overload]  # a list
            name, *given = step.split()
            _STEPS[name](*given)
        code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)


def _begin(data: Path, given: dict[str, object]) -> None:
    from django.conf import settings
    from django.db import connection

    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    os.environ["FEDISEC_DATA"] = str(data)
    connection.settings_dict["NAME"] = data / "fedisec.sqlite3"
    for name, value in given.items():
        setattr(settings, name, value)


def _work() -> None:
    from fedisec.alerts.management.commands.runner import next_job

    while (job := next_job()) is not None:
        job()


def _scan() -> None:
    from fedisec.scans.models import Scan
    from fedisec.scans.run import run_scan

    run_scan(Scan.objects.filter(state="queued").order_by("due_at")[0].pk)


def _tick() -> None:
    from django.utils import timezone

    from fedisec.alerts import outbox
    from fedisec.scans import clock

    clock.tick(timezone.now())
    outbox.tick(timezone.now())


def _lease() -> None:
    from django.utils import timezone

    from fedisec.alerts import outbox
    from fedisec.scans import clock

    clock.requeue_stale(timezone.now() + AHEAD)
    outbox.end_leases(timezone.now() + AHEAD)


def _retry() -> None:
    from django.utils import timezone

    from fedisec.alerts.models import Delivery

    Delivery.objects.filter(state="pending").update(next_try_at=timezone.now())


def _ask() -> None:
    from fedisec.instances.models import Instance
    from fedisec.scans.queue import queue_scan

    queue_scan(Instance.objects.order_by("pk")[0], "manual")


def _reader(email: str) -> None:
    from fedisec.instances.models import Instance
    from tests.factories import a_subscriber

    a_subscriber(Instance.objects.order_by("pk")[0], email=email)


def _crowd() -> None:
    pids = []
    for _ in range(CROWD):
        pid = os.fork()
        if pid == 0:
            _insist()
        pids.append(pid)
    assert all(os.waitpid(pid, 0)[1] == 0 for pid in pids)


def _insist() -> NoReturn:
    """One of the crowd, in a process of its own."""
    from fedisec.alerts.models import Delivery
    from fedisec.alerts.send import send_mail
    from fedisec.scans.models import Scan
    from fedisec.scans.run import run_scan

    for _ in range(TIMES):
        for pk in Scan.objects.values_list("pk", flat=True):
            run_scan(pk)
        for pk in Delivery.objects.values_list("pk", flat=True):
            send_mail(pk)
    os._exit(0)


_STEPS: dict[str, Callable[..., None]] = {
    "work": _work,
    "scan": _scan,
    "tick": _tick,
    "lease": _lease,
    "retry": _retry,
    "ask": _ask,
    "reader": _reader,
    "crowd": _crowd,
}

if __name__ == "__main__":
    main()
