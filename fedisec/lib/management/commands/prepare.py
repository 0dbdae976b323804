"""`manage.py prepare`: tables, cache table and static files of this version."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from fedisec.lib.prepare import collect_static, prepare


class Command(BaseCommand):
    help = "Brings database and static files up to this version, and judges stored facts by its rules."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--static-only", action="store_true", help="needs no database; for an image")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["static_only"]:
            collect_static()
            return
        prepare()
        call_command("rejudge", if_needed=True)
