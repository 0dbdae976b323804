"""Gives an account all its tries again, when strangers used them up."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from fedisec.accounts import tries
from fedisec.accounts.audit import record
from fedisec.accounts.models import User


class Command(BaseCommand):
    help = "Lets somebody sign in again after too many wrong passwords or codes: manage.py unlock EMAIL"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        user = User.objects.filter(email=email.strip().lower()).first()
        if user is None:
            raise CommandError(f"nobody has the address {email}")
        with transaction.atomic():
            tries.unlock(user)
            record("account.unlocked", team=None, by=None, about=user)
        self.stdout.write(f"{user.email} may try again.")
