"""Items in a team's own words, made into the same `Item` that the catalogue holds: they are answered, waived
and counted like any question that no machine can settle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.db.models import Q

from checks.clean import clean
from checks.items import all_items
from checks.model import MANUAL, Fix, Item, Level, Text
from fedisec.checklist.models import OwnItem
from fedisec.instances.models import Instance

TOPIC = "own"
TITLE = Text("Your own items", "独自の項目")

_LEVELS = {level.value: n for n, level in enumerate(Level)}
_NONE = Text("", "")


def item_of(own: OwnItem) -> Item:
    """As typed, in both languages."""
    title = clean(own.title, 200, newlines=False)
    why, expected = clean(own.why), clean(own.expected)
    return Item(
        f"{TOPIC}.{own.pk}",
        level=Level(own.level),
        settles=(MANUAL,),
        sources=(),
        title=Text(title, title),
        why=Text(why, why),
        expected=Text(expected, expected),
        fix=Fix(_NONE),
        verify=_NONE,
        attest_days=own.renew_days,
    )


def items_of(instance: Instance) -> list[Item]:
    """The own items that `instance` is asked, by level."""
    return items_by_instance([instance])[instance.pk]


def items_by_instance(instances: Sequence[Instance]) -> dict[int, list[Item]]:
    """instance id -> its own items, for every one of them.  One query."""
    teams = {instance.team_id for instance in instances}
    asked = OwnItem.objects.filter(team__in=teams, retired_at=None)
    asked = asked.filter(Q(instance=None) | Q(instance__in=instances))
    by_team: dict[int, list[OwnItem]] = defaultdict(list)
    for own in sorted(asked, key=lambda own: (_LEVELS[own.level], own.pk)):
        by_team[own.team_id].append(own)
    return {
        instance.pk: [
            item_of(own) for own in by_team[instance.team_id] if own.instance_id in (None, instance.pk)
        ]
        for instance in instances
    }


def find(instance: Instance, item_id: str, *, retired: bool = False) -> Item | None:
    """An item of the catalogue, or one of `instance`'s own; None where it is asked no such thing.  `retired`:
    or was asked once."""
    topic, _, number = item_id.partition(".")
    if topic != TOPIC:
        return all_items().get(item_id)
    if not (number.isascii() and number.isdecimal() and len(number) < 19):
        return None
    asked = OwnItem.objects.filter(team=instance.team_id, pk=int(number))
    asked = asked if retired else asked.filter(retired_at=None)
    own = asked.filter(Q(instance=None) | Q(instance=instance)).first()
    return item_of(own) if own is not None else None
