"""Answers and waivers whose time is soon over: listed before their items come back as questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from checks.items import all_items
from checks.model import Item, Status
from fedisec.checklist.models import Attestation, Waiver
from fedisec.checklist.own import TOPIC, items_by_instance
from fedisec.instances.models import Instance
from fedisec.scans.models import ItemState

AHEAD_DAYS = 14
ASKED_AGAIN_AFTER = 365  # days, for what was set aside without an end


@dataclass(frozen=True)
class Ending:
    """An answer that ends at `at`, or (`asks`) a waiver without an end that is to be looked at again."""

    instance: Instance
    item: Item
    at: datetime
    waiver: bool
    asks: bool = False


def ending(
    instances: Sequence[Instance], *, now: datetime | None = None, days: int = AHEAD_DAYS
) -> list[Ending]:
    """What ends within `days` on any of `instances`, the first to end first.  At most four queries, whatever
    their number.  Where the machine says met an answer changes nothing, so it is left out."""
    now = now or timezone.now()
    horizon = now + timedelta(days=days)
    live = {"instance__in": instances, "ended_at": None}
    said = list(Attestation.objects.filter(valid_until__gt=now, valid_until__lte=horizon, **live))
    year_ago = horizon - timedelta(days=ASKED_AGAIN_AFTER)
    soon = Q(valid_until__gt=now, valid_until__lte=horizon) | Q(valid_until=None, created_at__lte=year_ago)
    waived = list(Waiver.objects.filter(soon, **live))
    entries: list[Attestation | Waiver] = [*said, *waived]
    if not entries:
        return []
    by_pk = {instance.pk: instance for instance in instances}
    idle = _met_by_machine(entries)
    items = _Items(instances, any(one.item_id.startswith(f"{TOPIC}.") for one in entries))
    found = []
    for one in entries:
        item = items.get(one.instance_id, one.item_id)
        if item is None or (one.instance_id, one.item_id) in idle:
            continue
        asks = one.valid_until is None
        at = one.valid_until or one.created_at + timedelta(days=ASKED_AGAIN_AFTER)
        found.append(Ending(by_pk[one.instance_id], item, at, isinstance(one, Waiver), asks))
    return sorted(found, key=lambda end: (end.at, end.instance.domain, end.item.id))


def _met_by_machine(entries: Sequence[Attestation | Waiver]) -> set[tuple[int, str]]:
    states = ItemState.objects.filter(
        instance__in={entry.instance_id for entry in entries},
        item_id__in={entry.item_id for entry in entries},
        status=Status.PASS.value,
    )
    return set(states.values_list("instance_id", "item_id"))


class _Items:
    """The catalogue, and the own items where somebody asks for one."""

    def __init__(self, instances: Sequence[Instance], own: bool) -> None:
        asked = items_by_instance(instances) if own else {}
        self._own: Mapping[int, dict[str, Item]] = {
            pk: {item.id: item for item in items} for pk, items in asked.items()
        }

    def get(self, instance_id: int, item_id: str) -> Item | None:
        return all_items().get(item_id) or self._own.get(instance_id, {}).get(item_id)
