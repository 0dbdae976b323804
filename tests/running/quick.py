"""Times of the packing of mails, made short enough for a test to wait for."""

from __future__ import annotations

import os
from datetime import timedelta

from django.apps import AppConfig


class Quick(AppConfig):
    name = "tests.running"
    label = "quick"

    def ready(self) -> None:
        from fedisec.alerts import packing, send

        packing.TOGETHER_FOR = timedelta(seconds=1)
        packing.MAILS_AN_HOUR = 10**6
        if pauses := os.environ.get("TEST_MAIL_PAUSES"):  # of seconds in place of minutes: "1,2,5"
            send.PAUSES_MIN = tuple(int(part) / 60 for part in pauses.split(","))  # type: ignore[assignment]
