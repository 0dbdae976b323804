"""`manage.py web`: the web process."""

from __future__ import annotations

from typing import Any

import waitress
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from fedisec.lib.listen import listening_socket
from fedisec.lib.memory import settle
from fedisec.lib.supervisor import stop_on_signal


class Command(BaseCommand):
    help = "Serves the dashboard (waitress, tuned against slow clients)."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--prepare", action="store_true", help="bring the database up to date first")
        parser.add_argument("--bind", default="", metavar="HOST:PORT", help="instead of 127.0.0.1:PORT")

    def handle(self, *args: Any, **options: Any) -> None:
        stop_on_signal()
        if options["prepare"]:
            call_command("prepare")
            call_command("setup_link", if_needed=True, stdout=self.stdout)
            self.stdout.flush()
            connections.close_all()
        socket = listening_socket(options["bind"])
        from fedisec.wsgi import application

        settle()
        waitress.serve(
            application,
            sockets=[socket],
            threads=8,
            # Half-sent requests must not keep others out: room for many, for 30 s.
            connection_limit=2000,
            asyncore_use_poll=True,
            channel_timeout=30,
            ident="",
            _quiet=True,
            **_behind_proxy(),
        )


def _behind_proxy() -> dict[str, Any]:
    """Whom to believe about scheme and client address: nobody, unless a proxy was named in the settings."""
    if getattr(settings, "SECURE_PROXY_SSL_HEADER", None) is None:
        return {}
    return {
        "trusted_proxy": "*",
        "trusted_proxy_count": 1,
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"},
        "clear_untrusted_proxy_headers": True,
    }
