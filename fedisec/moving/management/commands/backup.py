"""`manage.py backup FOLDER`: the database as it is, in a file that was read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from fedisec.moving.backup import ENDINGS, CannotBackUp, backup, copy_keys
from fedisec.moving.telling import sized, told


class Command(BaseCommand):
    help = "Backs the database up while fedisec runs, and reads the file back: docs/backup.md."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", type=Path, metavar="FOLDER|FILE")
        parser.add_argument("--keep", type=int, default=0, help="leave the newest so many in the folder")
        parser.add_argument(
            "--keys-to", type=Path, metavar="FOLDER", help="the key file, into another folder"
        )
        parser.add_argument(
            "--kind", choices=sorted(ENDINGS), default="", help="by default the best there is"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        target, keys_to = options["target"], options["keys_to"]
        folder = target if target.is_dir() else target.parent
        if options["keep"] < 0:
            raise CommandError("--keep takes 1 or more")
        if keys_to and (not keys_to.is_dir() or keys_to.resolve() == folder.resolve()):
            raise CommandError(
                "--keys-to needs another folder: beside the backup, the key file would open it"
            )
        try:
            done = backup(target, options["keep"], options["kind"])
            keys = copy_keys(keys_to) if keys_to else None
        except CannotBackUp as error:
            raise CommandError(str(error)) from error
        facts = {
            "file": str(done.path), "kind": done.kind, "bytes": done.path.stat().st_size,
            "seconds": round(done.seconds, 1), "dropped": [str(path) for path in done.dropped],
            "keys": str(keys or ""),
        }  # fmt: skip
        words = f"{done.path} ({sized(done.path)}) is whole and was read back."
        if done.dropped:
            words += f" {len(done.dropped)} older ones were removed."
        if keys:
            words += f"\nThe key file is in {keys}."
        else:
            words += (
                f"\nIt does not hold the key file {settings.KEY_FILE}, without which SSH keys, channels and "
                "the mail server's password do not open: keep a copy of it, somewhere else."
            )
        told(self.stdout, facts, words)
