"""Times and bounds of the alerts, made such that a test need not wait for them."""

from __future__ import annotations

import os
from datetime import timedelta

from django.apps import AppConfig


class Quick(AppConfig):
    name = "tests.running"
    label = "quick"

    def ready(self) -> None:
        from fedisec.alerts import packing, send, storm

        packing.TOGETHER_FOR = timedelta(seconds=1)
        packing.MAILS_AN_HOUR = 10**6
        if not os.environ.get("TEST_STORM"):
            storm.AT_LEAST = 10**6  # what falls at once here is told at once
        if pauses := os.environ.get("TEST_MAIL_PAUSES"):  # of seconds in place of minutes: "1,2,5"
            send.PAUSES_MIN = tuple(int(part) / 60 for part in pauses.split(","))  # type: ignore[assignment]
