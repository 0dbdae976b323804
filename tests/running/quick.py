"""Times and bounds of the alerts, made such that a test need not wait for them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from django.apps import AppConfig

T = TypeVar("T")


class Quick(AppConfig):
    name = "tests.running"
    label = "quick"

    def ready(self) -> None:
        from fedisec.alerts import packing, send, storm
        from fedisec.scans import run

        if path := os.environ.get("TEST_CLAIMS"):
            run.claim = timed(run.claim, path)
        packing.TOGETHER_FOR = timedelta(seconds=1)
        packing.MAILS_AN_HOUR = 10**6
        if not os.environ.get("TEST_STORM"):
            storm.AT_LEAST = 10**6  # what falls at once here is told at once
        if pauses := os.environ.get("TEST_MAIL_PAUSES"):  # of seconds in place of minutes: "1,2,5"
            send.PAUSES_MIN = tuple(int(part) / 60 for part in pauses.split(","))  # type: ignore[assignment]


def timed(claim: Callable[..., T], path: str) -> Callable[..., T]:
    """The same, with a line in `path` for each call: how long it took, in seconds."""

    def measured(*arguments: object) -> T:
        began = time.monotonic()
        found = claim(*arguments)
        with open(path, "a") as log:
            log.write(f"{time.monotonic() - began:.6f}\n")
        return found

    return measured
