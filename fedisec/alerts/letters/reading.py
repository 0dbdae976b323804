"""Everything that a mail is made of, read in as many queries for a thousand notices as for one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from checks.items import all_items
from fedisec.alerts.letters.items import Items, items_for
from fedisec.alerts.models import Delivery, MailKind, Notice
from fedisec.alerts.recipients import Wishes, of_channel, wishes_of
from fedisec.checklist.models import Waiver
from fedisec.instances.models import Instance
from fedisec.scans.models import Change, ItemState, Reach
from fedisec.scans.settle import Kind


@dataclass(frozen=True, slots=True)
class Mail:
    """A delivery with what it tells.  `now`: when it is written."""

    delivery: Delivery
    notices: tuple[Notice, ...]
    items: Items
    wishes: Wishes
    now: datetime

    def of(self, *kinds: MailKind) -> list[Notice]:
        return [notice for notice in self.notices if notice.kind in kinds]

    @property
    def instances(self) -> dict[int, Instance]:
        """Each that a notice is about, by key."""
        found = {one.instance_id: one.instance for one in self.notices if one.instance is not None}
        return {pk: instance for pk, instance in found.items() if pk is not None}


def read(delivery: Delivery, now: datetime | None = None) -> Mail:
    """Four queries at most."""
    rows = delivery.notices.select_related("instance", "change__incident", "incident").order_by("pk")
    notices = tuple(rows)
    if delivery.channel is not None:
        wishes = of_channel(delivery.channel).wishes
    else:
        assert delivery.user is not None
        wishes = wishes_of(delivery.user)
    return Mail(delivery, notices, items_for(_named(notices)), wishes, now or timezone.now())


def _named(notices: Iterable[Notice]) -> Iterable[str]:
    """Ids of all items that notices speak of, wherever they stand."""
    for notice in notices:
        if notice.change is not None:
            yield notice.change.item_id
        if notice.incident is not None:
            yield notice.incident.item_id
        yield from _ids_in(notice.data)


def _ids_in(data: Any, depth: int = 4) -> Iterable[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, Mapping) and depth:
        for value in data.values():
            yield from _ids_in(value, depth - 1)
    elif isinstance(data, list) and depth:
        for value in data:
            yield from _ids_in(value, depth - 1)


def changes_of(mail: Mail, notices: Iterable[Notice]) -> dict[int, list[Change]]:
    """instance id -> what changed there: what is told, and beside it what the same looks found to be met
    again without anybody having been told that it was not."""
    told: dict[int, dict[int, Change]] = defaultdict(dict)
    for notice in notices:
        if notice.change is not None:
            told[notice.change.instance_id][notice.change.pk] = notice.change
    scans = {change.scan_id for row in told.values() for change in row.values()}
    beside = Change.objects.filter(scan__in=scans, kind=Kind.RECOVERED)
    for change in beside.select_related("incident"):
        level = mail.items.level(change.item_id)
        if level is not None and level.value in mail.wishes.levels:
            told[change.instance_id].setdefault(change.pk, change)
    return {pk: list(row.values()) for pk, row in told.items()}


def still_failing(
    instances: Collection[int], named: Mapping[int, Collection[str]], now: datetime
) -> Counter[int]:
    """instance id -> items that are confirmed as not met, without those in `named` and those that somebody
    set aside.  Two queries."""
    standing = Q(valid_until=None) | Q(valid_until__gt=now)
    aside = set(
        Waiver.objects.filter(standing, instance__in=instances, ended_at=None).values_list(
            "instance", "item_id"
        )
    )
    failing = ItemState.objects.filter(instance__in=instances, settled="fail")
    return Counter(
        pk
        for pk, item_id in failing.values_list("instance", "item_id")
        if item_id in all_items() and (pk, item_id) not in aside and item_id not in named.get(pk, ())
    )


def by_instance(notices: Iterable[Notice]) -> dict[int, list[Notice]]:
    """Those that are about an instance, in the order of their first notice."""
    found: dict[int, list[Notice]] = defaultdict(list)
    for notice in notices:
        if notice.instance_id is not None:
            found[notice.instance_id].append(notice)
    return dict(found)


def latest(notices: Sequence[Notice]) -> datetime | None:
    """When the newest of what is told was seen."""
    moments = [one.change.created_at if one.change is not None else one.created_at for one in notices]
    return max(moments, default=None)


def silent_since(instances: Collection[int]) -> dict[int, datetime]:
    """instance id -> the first of the looks in a row that got no answer, of those that still get none."""
    silent = Reach.objects.filter(instance__in=instances, status="fail")
    return dict(silent.values_list("instance", "since"))
