"""`manage.py setup_link`: a new one-time link for the first account."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from fedisec.accounts.models import SetupLink, User


class Command(BaseCommand):
    help = "Prints a one-time link that makes the first account; links printed before no longer work."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--if-needed", action="store_true", help="print nothing when there is an account")

    def handle(self, *args: Any, **options: Any) -> None:
        with translation.override(terminal_language()):
            if User.objects.exists():
                if not options["if_needed"]:
                    raise CommandError(_("There is an account already; the link makes only the first one."))
                return
            self.stdout.write(_("Open this link within 24 hours to make the first account:"))
            self.stdout.write(settings.PUBLIC_URL + reverse("setup", args=[SetupLink.issue()]))


def terminal_language() -> str:
    """The language of the terminal, as far as we speak it."""
    wanted = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "ja" if wanted.startswith("ja") else "en"
