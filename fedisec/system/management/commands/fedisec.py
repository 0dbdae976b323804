"""`manage.py fedisec …`: the dashboard for whoever sits at the server and has no browser."""

from __future__ import annotations

import argparse
import os
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import translation

from fedisec.system import cli

_LANGUAGES = ("en", "ja")


def _language_of_system() -> str:
    """As the locale says; English for all that fedisec does not speak."""
    said = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return "ja" if said.startswith("ja") else "en"


class Command(BaseCommand):
    help = "Status, scans, differences, exports and the doctor, in a terminal or for scripts."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="what", required=True, metavar="COMMAND")
        status = commands.add_parser("status", help="how each server stands")
        status.add_argument("domain", nargs="*", help="these alone")
        scan = commands.add_parser("scan", help="ask for a scan, and wait for its end")
        scan.add_argument("domain")
        scan.add_argument("--no-wait", action="store_true", help="only put it into the queue")
        scan.add_argument("--timeout", type=int, default=300, metavar="SECONDS", help="wait no longer (300)")
        diff = commands.add_parser("diff", help="what the last scan moved")
        diff.add_argument("domain")
        export = commands.add_parser("export", help="write one server, or all, to standard output")
        export.add_argument("domain", nargs="?", default="")
        export.add_argument(
            "--format", choices=cli.FORMATS, default="json", help="json unless said otherwise"
        )
        commands.add_parser("doctor", help="how fedisec itself is")
        for name, command in commands.choices.items():
            command.add_argument("--lang", choices=_LANGUAGES, default="", help="language, else that of LANG")
            if name != "export":
                command.add_argument("--json", action="store_true", help="JSON, also on a terminal")
            if name not in {"doctor"}:
                command.add_argument(
                    "--team", default="", metavar="NAME", help="where two teams have one domain"
                )

    def handle(self, *args: Any, **options: Any) -> None:
        given = argparse.Namespace(**options)
        with translation.override(given.lang or _language_of_system()):
            code = cli.run(given, self.stdout, self.stderr)
        if code:
            raise SystemExit(code)
