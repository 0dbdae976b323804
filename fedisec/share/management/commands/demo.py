"""`manage.py demo`: three made-up servers for a look around, and away with them."""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from checks.model import LANGUAGES
from fedisec.accounts.models import Membership, Role, Team, User
from fedisec.instances.models import Instance
from fedisec.lib.prepare import prepare
from fedisec.share import demo

_VISITOR = "demo@example.org"


class Command(BaseCommand):
    help = "Adds three made-up servers with ninety days of history, for a look around."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--remove", action="store_true", help="take them away, from every team")
        parser.add_argument("--email", default="", help="for whose team (the first owner's by default)")
        parser.add_argument("--lang", choices=LANGUAGES, default="", help="the language of the made-up notes")
        parser.add_argument("--if-needed", action="store_true", help="say nothing where they are there")

    def handle(self, *args: Any, **options: Any) -> None:
        prepare()
        if options["remove"]:
            gone = demo.remove(Instance.objects.all(), None)
            self.stdout.write(f"fedisec: {gone} demo servers removed")
            return
        user = self._user(options["email"])
        membership = user.memberships.filter(role__in=(Role.EDITOR, Role.OWNER)).order_by("pk").first()
        if membership is None:
            raise CommandError(f"{user} may not add servers to any team")
        try:
            demo.add(membership.team, user, language=options["lang"] or user.language or LANGUAGES[0])
        except demo.AlreadyThere:
            if not options["if_needed"]:
                raise CommandError("the demo servers are there already; --remove takes them away") from None
            return
        self.stdout.write(f"fedisec: the demo servers are on the list of {user}")

    def _user(self, email: str) -> User:
        if email:
            found = User.objects.filter(email=email.lower()).first()
            if found is None:
                raise CommandError(f"nobody signs in as {email}")
            return found
        first = Membership.objects.filter(role=Role.OWNER).order_by("pk").select_related("user").first()
        if first is not None and first.user.email != _VISITOR:
            return first.user
        return self._visitor(first.user if first is not None else None)

    def _visitor(self, user: User | None) -> User:
        """Where nobody else has an account: one whose password is new each time and only printed."""
        password = secrets.token_urlsafe(12)
        with transaction.atomic():
            if user is None:
                user = User.objects.create_user(_VISITOR)
                team = Team.objects.create(name="Demo")
                Membership.objects.create(team=team, user=user, role=Role.OWNER)
            user.set_password(password)
            user.save(update_fields=["password"])
        self.stdout.write(f"fedisec: sign in at {settings.PUBLIC_URL}/ as {_VISITOR}, password {password}")
        return user
