"""Telling somebody something: one row per recipient, stored with the change itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from checks.model import Level
from fedisec.alerts.models import MailKind, Notice
from fedisec.alerts.recipients import Recipient
from fedisec.scans.models import Change

ABOUT_MAX = 200


def tell(
    kind: MailKind,
    about: str,
    recipients: Iterable[Recipient],
    now: datetime,
    *,
    instance_id: int | None = None,
    change: Change | None = None,
    incident_id: int | None = None,
    data: Mapping[str, Any] | None = None,
    level: Level | None = None,
) -> int:
    """One notice for each recipient who wants this kind (and `level`); none for who was told of the same
    thing of that kind before.  Inside the caller's transaction.  Returns how many wanted it."""
    wanted = [
        Notice(
            kind=kind.value,
            about=about[:ABOUT_MAX],
            data=dict(data or {}),
            instance_id=change.instance_id if change is not None else instance_id,
            change=change,
            incident_id=change.incident_id if change is not None else incident_id,
            user_id=recipient.user_id,
            channel_id=recipient.channel_id,
            created_at=now,
        )
        for recipient in recipients
        if recipient.wishes.wants(kind, level)
    ]
    Notice.objects.bulk_create(wanted, ignore_conflicts=True)
    return len(wanted)
