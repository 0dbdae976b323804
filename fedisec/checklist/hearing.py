"""Whether a person hears of an instance; the subscription itself belongs to a layer above."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fedisec.accounts.models import User
from fedisec.instances.models import Instance


@dataclass(frozen=True, slots=True)
class Hearing:
    """`snoozed_until`: mails are held until then; None when they are not, or no longer."""

    on: bool = False
    snoozed_until: datetime | None = None


def hearing(hears: bool, snoozed_until: datetime | None, now: datetime) -> Hearing:
    """From what is stored."""
    return Hearing(hears, snoozed_until if snoozed_until is not None and snoozed_until > now else None)


def hearing_of(instance: Instance, user: User, now: datetime) -> Hearing:
    """One query."""
    mine = list(instance.subscriptions.filter(user=user).values_list("snoozed_until", flat=True))
    return hearing(bool(mine), mine[0] if mine else None, now)
