"""`manage.py export FILE`: the whole installation in one file, for another machine or another database."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from fedisec.accounts import audit
from fedisec.moving.container import NO_SECRETS, OPENED
from fedisec.moving.export import CannotExport, export
from fedisec.moving.telling import Progress, passphrase, sized, told

_WITHOUT = (
    "It holds no secret: no passwords, sessions, second factors, SSH keys, channel addresses or invitations. "
    "At the other place people set a new password by a link, and servers and channels are connected anew."
)
_WITH = "It holds every secret, for who knows the passphrase: without that it is worth nothing, to you too."


class Command(BaseCommand):
    help = "Writes everything but secrets into one new file, while fedisec runs: docs/backup.md."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--with-secrets", action="store_true", help="these too, under a passphrase")
        parser.add_argument("--passphrase-file", default="", help="holds it, in place of being asked")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        secrets = OPENED if options["with_secrets"] else NO_SECRETS
        phrase = passphrase(options["passphrase_file"], twice=True) if secrets == OPENED else ""
        progress, began = Progress(self.stderr), time.monotonic()
        try:
            done = export(path, secrets, phrase, progress)
        except CannotExport as error:
            raise CommandError(str(error)) from error
        finally:
            progress.end()
        data = {"rows": done.rows, "everything": secrets == OPENED}
        audit.record("installation.exported", team=None, by=None, after=path.name, data=data)
        facts = {
            "file": str(path), "rows": done.rows, "tables": done.tables, "bytes": path.stat().st_size,
            "sha256": done.sha256, "secrets": secrets, "seconds": round(time.monotonic() - began, 1),
        }  # fmt: skip
        words = f"{done.rows} rows of {done.tables} tables are in {path} ({sized(path)}).\n"
        told(self.stdout, facts, words + (_WITH if secrets == OPENED else _WITHOUT))
