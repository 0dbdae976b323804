"""`manage.py rotate_keys`: a new key for all secrets in the database, under way."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from fedisec.accounts import audit
from fedisec.lib import canary
from fedisec.lib.keyfile import NoKeys
from fedisec.lib.rotating import Outcome, rotate


class Command(BaseCommand):
    help = (
        "Puts a new key on the first line of FEDISEC_KEY_FILE and seals every secret anew with it, while "
        "fedisec runs; killed, it goes on when started again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--keep-keys", action="store_true", help="seal with the first key that is there")
        parser.add_argument(
            "--drop-old",
            action="store_true",
            help="then take older keys out of the file (waits some minutes)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        canary.look()
        try:
            outcome = rotate(new_key=not options["keep_keys"], drop_old=options["drop_old"], note=_note)
        except NoKeys as error:
            raise CommandError(str(error)) from error
        made = "a new key was made; " if outcome.made else ""
        self.stdout.write(f"{made}{outcome.sealed} sealed anew, {outcome.dropped} old keys dropped")
        if outcome.dropped:
            self.stdout.write("Backups of the database from before need the old key file: keep it with them.")
        if outcome.shut:
            raise CommandError(
                f"no key opens {', '.join(outcome.shut[:10])} ({len(outcome.shut)} in all): put the key that "
                "they were sealed with into the file, or enter them anew; old keys stay until then"
            )


def _note(outcome: Outcome) -> None:
    data = {"new_key": outcome.made, "count": outcome.sealed, "dropped": outcome.dropped}
    audit.record("installation.keys_rotated", team=None, by=None, data=data)
