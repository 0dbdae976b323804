"""Answers and waivers that end: told fourteen days before and when they are over.

An end is no regression: nothing got worse, a person's word is over.  How far its people were told is kept in
its own row, so each is told once, whatever the number of clocks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from django.db import transaction
from django.db.models import QuerySet

from checks.items import all_items
from checks.model import Item, Status
from fedisec.alerts.models import MailKind, Notice
from fedisec.alerts.notices import tell
from fedisec.alerts.recipients import of_instance
from fedisec.checklist.answers import MODELS
from fedisec.checklist.board import make_row
from fedisec.checklist.ending import AHEAD_DAYS, ASKED_AGAIN_AFTER
from fedisec.checklist.models import Attestation, EndingTold, Waiver
from fedisec.checklist.own import TOPIC, items_by_instance
from fedisec.instances.models import Instance
from fedisec.scans.models import Incident, ItemState

Said: TypeAlias = Attestation | Waiver

BATCH = 200
AHEAD = timedelta(days=AHEAD_DAYS)
TOLD_LATE_FOR = timedelta(days=14)  # what ended before that, before an upgrade for example, is old news
_KINDS: tuple[tuple[str, type[Said]], ...] = (("attestation", Attestation), ("waiver", Waiver))


def tick(now: datetime) -> None:
    """Tells of what ends within 14 days, and of what has ended.  Safe to run twice and beside others."""
    _drop_needless(now)
    for kind, model in _KINDS:
        for sort in _due(model, now):
            while batch := list(sort.select_related("instance")[:BATCH]):
                _tell_all(kind, batch, now)


def _due(model: type[Said], now: datetime) -> Iterator[QuerySet[Any]]:
    """Rows of which the next thing is to be told: what ends soon, and then what has ended.  Each is one range
    of an index, which a database finds when it is asked for one at a time."""
    for told, moment in ((EndingTold.NOTHING, now + AHEAD), (EndingTold.AHEAD, now)):
        yield model.objects.filter(ended_at=None, ending_told=told, valid_until__lte=moment)
        if model is Waiver:  # what stays without an end is asked again after a year
            year_ago = moment - timedelta(days=ASKED_AGAIN_AFTER)
            live = Waiver.objects.filter(ended_at=None, ending_told=told)
            yield live.filter(valid_until=None, created_at__lte=year_ago)


def _end_of(said: Said) -> datetime:
    return said.valid_until or said.created_at + timedelta(days=ASKED_AGAIN_AFTER)


def _tell_all(kind: str, batch: Sequence[Said], now: datetime) -> None:
    """Each instance in one transaction, with whoever hears of it."""
    by_instance: dict[int, list[Said]] = defaultdict(list)
    for said in batch:
        by_instance[said.instance_id].append(said)
    places = _Places(batch)
    for pk, here in by_instance.items():
        with transaction.atomic():
            mine = [said for said in here if _claim(said, now)]
            recipients = of_instance(pk)
            for said in mine:
                item = places.item(said)
                if item is None or _is_quiet(said, places.machine(said), now):
                    continue
                days = 0 if _end_of(said) <= now else AHEAD_DAYS
                tell(
                    MailKind.ENDING,
                    f"{kind} {said.pk} {days}",
                    recipients,
                    now,
                    instance_id=pk,
                    incident_id=places.incident(said) if days == 0 else None,
                    data=_data(kind, said, item, places, now) | {"days": days},
                    level=item.level,
                )


def _claim(said: Said, now: datetime) -> bool:
    """True for the one clock that is to tell it."""
    stage = EndingTold.ENDED if _end_of(said) <= now else EndingTold.AHEAD
    mine = type(said).objects.filter(pk=said.pk, ended_at=None, ending_told=said.ending_told)
    return mine.update(ending_told=stage) == 1


def _is_quiet(said: Said, machine: ItemState | None, now: datetime) -> bool:
    """True where nobody needs to know: the machine says met for itself, it is old news, or the end was
    nearer than 14 days when somebody chose it."""
    if machine is not None and machine.status == Status.PASS:
        return True
    end = _end_of(said)
    if end <= now:
        return end <= now - TOLD_LATE_FOR
    return said.created_at > end - AHEAD


def _data(kind: str, said: Said, item: Item, places: _Places, now: datetime) -> dict[str, Any]:
    """`state`: of the item once this has ended, a checklist.state.State.  `asks`: it has no end, and is to be
    looked at again.  `title`: of an own item, as typed."""
    end = _end_of(said)
    row = make_row(
        item,
        places.machine(said),
        said if isinstance(said, Attestation) else None,
        said if isinstance(said, Waiver) else None,
        max(now, end),
    )
    return {
        "kind": kind,
        "item": said.item_id,
        "title": item.title.en if item.topic == TOPIC else "",
        "at": end.isoformat(),
        "asks": said.valid_until is None,
        "state": row.state.state.value,
    }


class _Places:
    """The items and the machine's side of a batch; three queries at most."""

    def __init__(self, batch: Sequence[Said]) -> None:
        instances: Mapping[int, Instance] = {said.instance_id: said.instance for said in batch}
        own = any(said.item_id.startswith(f"{TOPIC}.") for said in batch)
        asked = items_by_instance(list(instances.values())) if own else {}
        self._own = {(pk, item.id): item for pk, items in asked.items() for item in items}
        states = ItemState.objects.filter(
            instance__in=instances, item_id__in={said.item_id for said in batch}
        ).defer("evidence")
        self._states = {(state.instance_id, state.item_id): state for state in states}
        still = Incident.objects.filter(
            instance__in=instances, item_id__in={said.item_id for said in batch}, closed_at=None
        )
        self._incidents = {
            (pk, item): key for pk, item, key in still.values_list("instance", "item_id", "pk")
        }

    def item(self, said: Said) -> Item | None:
        """None for one that is asked no more."""
        return all_items().get(said.item_id) or self._own.get((said.instance_id, said.item_id))

    def incident(self, said: Said) -> int | None:
        """The open one of its item: who hears that a waiver is over is reminded from then on."""
        return self._incidents.get((said.instance_id, said.item_id))

    def machine(self, said: Said) -> ItemState | None:
        return self._states.get((said.instance_id, said.item_id))


def _drop_needless(now: datetime) -> None:
    """What nobody got yet and somebody has answered meanwhile."""
    waiting = Notice.objects.filter(kind=MailKind.ENDING.value, delivery=None, dropped_at=None)
    by_kind: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for pk, about in waiting.values_list("pk", "about"):
        kind, key, _ = about.split(" ", 2)
        by_kind[kind][int(key)].append(pk)
    for kind, notices in by_kind.items():
        standing = set(
            MODELS[kind].objects.filter(pk__in=notices, ended_at=None).values_list("pk", flat=True)
        )
        late = list(_flat(pks for key, pks in notices.items() if key not in standing))
        Notice.objects.filter(pk__in=late, delivery=None).update(dropped_at=now, dropped_why="over")


def _flat(lists: Iterable[list[int]]) -> Iterator[int]:
    for one in lists:
        yield from one
