"""`manage.py worker_role`: the rights of the role that workers connect to PostgreSQL as."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from fedisec.lib.roles import NotARole, apply, statements


class Command(BaseCommand):
    help = "Prints the GRANTs for a role that can scan and mail, and touch neither users nor history."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("role", help="such as fedisec_worker")
        parser.add_argument("--apply", action="store_true", help="make the role if need be, and run them")

    def handle(self, *args: Any, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("roles are a thing of PostgreSQL: this installation has one file and no roles")
        try:
            if options["apply"]:
                apply(options["role"])
                self.stdout.write(f"{options['role']} has the rights of a worker, and no others")
                return
            for one in statements(options["role"], set(connection.introspection.table_names())):
                self.stdout.write(f"{one};")
        except NotARole as error:
            raise CommandError(str(error)) from error
