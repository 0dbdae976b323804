"""Items that a person has set aside: what becomes of them is settled and shown, and nobody is mailed."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from fedisec.checklist.models import Waiver
from fedisec.instances.models import Instance


def silenced(instance: Instance, now: datetime) -> frozenset[str]:
    """The ids of the items of an instance with a waiver that stands; named by SILENCED."""
    standing = Waiver.objects.filter(
        Q(valid_until=None) | Q(valid_until__gt=now), instance=instance, ended_at=None
    )
    return frozenset(standing.values_list("item_id", flat=True))
