"""`manage.py prepare`: tables, cache table and static files of this version."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from fedisec.lib.prepare import prepare


class Command(BaseCommand):
    help = "Brings database and static files up to this version, and judges stored facts by its rules."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        prepare()
        call_command("rejudge", if_needed=True)
