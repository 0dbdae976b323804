"""`manage.py reseal`: seals every SSH key with the newest key of the key file, so that older ones can go."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from fedisec.enrolment.enrol import reseal
from fedisec.enrolment.models import SshAccess
from fedisec.lib.secrets import CannotOpen


class Command(BaseCommand):
    help = "Seals every SSH key anew with the first key of FEDISEC_KEY_FILE; then the others can be removed."

    def handle(self, *args: Any, **options: Any) -> None:
        done, shut = 0, []
        for access in SshAccess.objects.select_related("instance").order_by("pk"):
            try:
                done += reseal(access)
            except CannotOpen as error:
                shut.append(f"{access.instance.domain}: {error}")
        self.stdout.write(f"{done} sealed anew")
        if shut:
            raise CommandError("; ".join(shut))
