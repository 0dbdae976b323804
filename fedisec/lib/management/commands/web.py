"""`manage.py web`: the web process."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import Error, connections

from fedisec.lib import canary
from fedisec.lib.listen import listening_socket
from fedisec.lib.memory import settle
from fedisec.lib.serving import serve
from fedisec.lib.stopping import stop_after


class Command(BaseCommand):
    help = "Serves the dashboard (waitress, tuned against slow clients)."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--prepare", action="store_true", help="bring the database up to date first")
        parser.add_argument("--bind", default="", metavar="HOST:PORT", help="instead of 127.0.0.1:PORT")
        parser.add_argument(
            "--drain",
            type=float,
            default=0.0,
            metavar="SECONDS",
            help="when asked to stop, answer on for so long while /readyz says 503",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        stop_after(options["drain"])
        if options["prepare"]:
            call_command("prepare")
            call_command("setup_link", if_needed=True, stdout=self.stdout)
            self.stdout.flush()
            connections.close_all()
        else:
            with suppress(Error):  # away for now; the pages say so
                canary.look()
        socket = listening_socket(options["bind"])
        from fedisec.wsgi import application

        settle()
        serve(application, socket, settings.PROXIES)
