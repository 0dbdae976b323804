"""The relay that an operator sets by form."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from fedisec.accounts import audit
from fedisec.accounts.models import User
from fedisec.alerts import banners
from fedisec.alerts.models import MailServer
from fedisec.lib.sealed import put


def stored() -> MailServer | None:
    return MailServer.objects.order_by("pk").first()


def needs_password(server: MailServer | None, wanted: dict[str, Any]) -> bool:
    """Whether the stored password must be entered again: it was given for that host and that user, over TLS,
    and goes nowhere else by itself."""
    if server is None or not server.sealed_password or not wanted["username"] or wanted["password"]:
        return False
    same = (server.host, server.port, server.username) == (
        wanted["host"],
        wanted["port"],
        wanted["username"],
    )
    return not same or (wanted["security"] == "none" and server.security != "none")


def save(wanted: dict[str, Any], by: User) -> None:
    """Stores host, port, security, username, password ("" keeps the stored one) and sender.  CannotOpen where
    the password cannot be sealed; then nothing is stored."""
    with transaction.atomic():
        server = MailServer.objects.select_for_update().order_by("pk").first()
        before = _told(server)
        password = wanted["password"]
        if server is None:
            server = MailServer()
        for name in ("host", "port", "security", "username", "sender"):
            setattr(server, name, wanted[name])
        server.updated_at, server.updated_by = timezone.now(), by
        server.save()  # a new row has its number now, which its password is bound to
        if password or not wanted["username"]:
            put(server, "sealed_password", password)
            server.save(update_fields=["sealed_password"])
        _note("mail_server.changed", by, before, _told(server), bool(password))
    banners.forget()


def remove(by: User) -> None:
    """Mails go to the folder again, unless the environment names a relay."""
    with transaction.atomic():
        server = MailServer.objects.select_for_update().order_by("pk").first()
        if server is None:
            return
        before = _told(server)
        MailServer.objects.all().delete()
        _note("mail_server.removed", by, before, "", False)
    banners.forget()


def _told(server: MailServer | None) -> str:
    if server is None:
        return ""
    user = f", {server.username}" if server.username else ""
    return f"{server} ({server.security}{user}), {server.sender}"


def _note(action: str, by: User, before: str, after: str, newly_sealed: bool) -> None:
    data = {"login": "changed"} if newly_sealed else None
    audit.record(action, team=None, by=by, before=before, after=after, data=data)
