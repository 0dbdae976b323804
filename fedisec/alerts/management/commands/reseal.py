"""`manage.py reseal`: seals every secret with the newest key of the key file, so that older ones can go."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from fedisec.alerts import relay
from fedisec.alerts.channels import sealing
from fedisec.alerts.models import Channel, MailServer
from fedisec.enrolment import enrol
from fedisec.enrolment.models import SshAccess
from fedisec.lib.secrets import CannotOpen


class Command(BaseCommand):
    help = "Seals every secret anew with the first key of FEDISEC_KEY_FILE; then the others can be removed."

    def handle(self, *args: Any, **options: Any) -> None:
        done, shut = 0, []
        for access in SshAccess.objects.select_related("instance").order_by("pk"):
            try:
                done += enrol.reseal(access)
            except CannotOpen as error:
                shut.append(f"{access.instance.domain}: {error}")
        for channel in Channel.objects.order_by("pk"):
            try:
                done += sealing.reseal(channel)
            except CannotOpen as error:
                shut.append(f"channel {channel.name}: {error}")
        for server in MailServer.objects.exclude(sealed_password=""):
            try:
                done += _reseal_password(server)
            except (CannotOpen, relay.Unusable) as error:
                shut.append(f"mail server {server.host}: {error}")
        self.stdout.write(f"{done} sealed anew")
        if shut:
            raise CommandError("; ".join(shut))


def _reseal_password(server: MailServer) -> bool:
    """False where somebody changed the mail server meanwhile."""
    again = relay.sealed(server, relay.server_of(server).password)
    same = MailServer.objects.filter(pk=server.pk, sealed_password=server.sealed_password)
    return same.update(sealed_password=again) == 1
