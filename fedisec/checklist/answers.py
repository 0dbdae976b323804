"""Writing down what people say.  Nothing is overwritten: a new answer ends the one before."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from checks.model import Item
from fedisec.accounts.models import User
from fedisec.checklist.models import Attestation, Waiver
from fedisec.instances.models import Instance


def attest(
    instance: Instance, item: Item, user: User, *, met: bool, note: str, link: str, days: int
) -> Attestation:
    """Records an answer that is valid for `days`; the answer before it is marked as replaced."""
    now = timezone.now()
    with transaction.atomic():
        Instance.objects.select_for_update().get(pk=instance.pk)
        _live_attestations(instance, item).update(ended_at=now, ended_why="replaced")
        return Attestation.objects.create(
            instance=instance,
            item_id=item.id,
            by=user,
            met=met,
            note=note,
            link=link,
            created_at=now,
            valid_until=now + timedelta(days=days),
        )


def withdraw(instance: Instance, item: Item) -> None:
    """Takes back the live answer and the live waiver of an item; both stay in the history."""
    now = timezone.now()
    with transaction.atomic():
        _live_attestations(instance, item).update(ended_at=now, ended_why="withdrawn")
        _live_waivers(instance, item).update(ended_at=now)


def waive(instance: Instance, item: Item, user: User, *, kind: str, reason: str, days: int) -> Waiver:
    """Sets an item aside for `days` (365 at most), with the reason; replaces the waiver before it."""
    now = timezone.now()
    with transaction.atomic():
        Instance.objects.select_for_update().get(pk=instance.pk)
        _live_waivers(instance, item).update(ended_at=now)
        return Waiver.objects.create(
            instance=instance,
            item_id=item.id,
            by=user,
            kind=kind,
            reason=reason,
            created_at=now,
            valid_until=now + timedelta(days=min(days, 365)),
        )


def _live_attestations(instance: Instance, item: Item):  # type: ignore[no-untyped-def]
    return Attestation.objects.filter(instance=instance, item_id=item.id, ended_at=None)


def _live_waivers(instance: Instance, item: Item):  # type: ignore[no-untyped-def]
    return Waiver.objects.filter(instance=instance, item_id=item.id, ended_at=None)
