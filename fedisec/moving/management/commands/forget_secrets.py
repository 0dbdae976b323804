"""`manage.py forget_secrets`: gives up what no key opens, so that fedisec starts again."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from fedisec.lib import keyfile
from fedisec.lib.prepare import make_key_file
from fedisec.moving.forgetting import give_up, is_right, lost
from fedisec.moving.telling import confirmed, nobody_runs, told


class Command(BaseCommand):
    help = "After the key file was lost: removes what no key opens, and begins with the key file of now."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        with nobody_runs():
            try:
                make_key_file()
                keyfile.mind_mode()
                keyfile.read()
            except keyfile.NoKeys as error:
                raise CommandError(str(error)) from error
            found = lost()
            if not found and is_right():
                told(self.stdout, {"lost": []}, "Everything opens: there is nothing to give up.")
                return
            for one in found:
                self.stderr.write(one.what)
            question = f"No key in {keyfile.path()} opens these {len(found)}; they would be gone for good."
            confirmed("forget", question, options["yes"])
            give_up(found)
            call_command("prepare", stdout=self.stdout)
        told(
            self.stdout,
            {"lost": [one.what for one in found]},
            f"{len(found)} given up; fedisec starts again.",
        )
