"""`manage.py import FILE`: what `export` wrote, into a new installation."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from allauth.account.app_settings import PASSWORD_RESET_TOKEN_GENERATOR
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from fedisec.accounts import audit
from fedisec.accounts.models import SetupLink, User
from fedisec.lib import canary
from fedisec.lib.prepare import make_key_file
from fedisec.moving.container import NO_SECRETS, NotReadable, Reader
from fedisec.moving.importing import CannotImport, read
from fedisec.moving.telling import Progress, asker, nobody_runs, told


class Command(BaseCommand):
    help = "Fills a new installation from a file of `export`, all or nothing: docs/backup.md."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--passphrase-file", default="", help="holds it, in place of being asked")

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        with nobody_runs():
            if canary.stands():
                canary.look()
            make_key_file()
            reader = self._read(options["file"], options["passphrase_file"])
            call_command("prepare", stdout=self.stdout)
            SetupLink.objects.filter(used_at=None).delete()
            head = reader.head
            data: dict[str, audit.Plain] = {
                "rows": head.rows,
                "version": head.fedisec,
                "everything": head.secrets != NO_SECRETS,
            }
            audit.record("installation.imported", team=None, by=None, after=options["file"].name, data=data)
        facts: dict[str, Any] = {
            "rows": head.rows, "tables": len(head.tables), "from": head.fedisec, "made_at": head.made_at,
            "secrets": head.secrets, "seconds": round(time.monotonic() - began, 1),
        }  # fmt: skip
        words = f"{head.rows} rows of {len(head.tables)} tables, as they were at {head.made_at}."
        if head.secrets == NO_SECRETS:
            facts["links"] = links = _links()
            words += "\nNobody has a password yet; links for the operators, good for an hour:\n" + "\n".join(
                links
            )
            words += "\nEverybody else asks for one with “Forgot your password?”."
        told(self.stdout, facts, words)

    def _read(self, path: Path, passphrase_file: str) -> Reader:
        progress = Progress(self.stderr)
        try:
            with path.open("rb") as file:
                return read(file, asker(passphrase_file), progress)
        except (CannotImport, NotReadable) as error:
            raise CommandError(f"nothing was imported: {error}") from error
        finally:
            progress.end()


def _links() -> list[str]:
    made = PASSWORD_RESET_TOKEN_GENERATOR()
    found = []
    for user in User.objects.filter(is_superuser=True, is_active=True).order_by("pk"):
        names = {"uidb36": user_pk_to_url_str(user), "key": made.make_token(user)}
        found.append(settings.PUBLIC_URL + reverse("account_reset_password_from_key", kwargs=names))
    return found
