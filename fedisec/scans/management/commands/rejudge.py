"""`manage.py rejudge`: stored facts, judged by the rules of this version."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from checks import CHECKS_VERSION
from fedisec.instances.models import Instance
from fedisec.scans.rejudge import last_scan, rejudge


class Command(BaseCommand):
    help = "Judges the facts of each instance's last scan again.  No network, no mail; changes are listed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--if-needed", action="store_true", help="only facts judged by another version")

    def handle(self, *args: Any, **options: Any) -> None:
        for instance in Instance.objects.order_by("pk").iterator():
            scan = last_scan(instance)
            if scan is None or (options["if_needed"] and scan.checks_version == CHECKS_VERSION):
                continue
            changed = rejudge(scan)
            if changed or not options["if_needed"]:
                self.stdout.write(f"{instance.domain}: {changed} items judged otherwise")
