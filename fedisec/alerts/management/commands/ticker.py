"""`manage.py ticker`: the clock.  A process of its own: a clock that waits behind jobs is none."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections
from django.utils import timezone

from fedisec.alerts import outbox
from fedisec.lib.away import Outlasting
from fedisec.lib.canary import KeyWatch
from fedisec.lib.schema import SchemaWatch
from fedisec.lib.supervisor import stop_on_signal
from fedisec.scans import clock
from fedisec.scans.deadman import DeadMan


class Command(BaseCommand):
    help = "Queues what is due, takes back what went stale, turns changes into mails; any number may run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--alive", type=Path, metavar="FILE", help="touch this file after each round")

    def handle(self, *args: Any, **options: Any) -> None:
        stop_on_signal()
        outlasting, schema, keys, dead_man = Outlasting(), SchemaWatch(), KeyWatch(), DeadMan()
        while True:
            with outlasting:
                close_old_connections()
                schema.give_way()
                keys.mind()
                clock.tick(timezone.now())
                outbox.tick(timezone.now())
                dead_man.alive()
            if options["alive"] is not None:
                options["alive"].touch()
            time.sleep(settings.TICK_S)
