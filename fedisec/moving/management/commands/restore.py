"""`manage.py restore FILE`: a backup in the place of the database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from fedisec.accounts import audit
from fedisec.moving.container import is_ours
from fedisec.moving.restore import CannotRestore, from_pg_dump, from_sqlite, keys_fit, kind_of
from fedisec.moving.telling import nobody_runs, told


class Command(BaseCommand):
    help = "Puts a backup in the place of the database and brings it up to this version: docs/backup.md."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        kind = kind_of(path)
        if not kind:
            with path.open("rb") as file:
                if not is_ours(file):
                    raise CommandError(f"{path} is no backup of fedisec")
            call_command("import", str(path), stdout=self.stdout)
            return
        before: Path | None = None
        with nobody_runs():
            try:
                if kind == "sqlite":
                    before = from_sqlite(path)
                else:
                    from_pg_dump(path)
            except CannotRestore as error:
                raise CommandError(f"nothing was restored: {error}") from error
            trouble = keys_fit()
            if not trouble:
                call_command("prepare", stdout=self.stdout)
                audit.record("installation.restored", team=None, by=None, after=path.name)
        words = f"{path} is the database now."
        if before:
            words += f"\nWhat was there before is in {before}."
        if trouble:
            words += f"\nIt does not start yet: {trouble}. Where that file is lost: manage.py forget_secrets."
        facts = {"file": str(path), "kind": kind, "before": str(before or ""), "trouble": trouble}
        told(self.stdout, facts, words)
