"""Incidents: opened by a confirmed fall, closed by its end; and what ends by the clock alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from fedisec.instances.models import Instance
from fedisec.scans.models import REACH, Change, Incident, ItemState, Reach, Scan
from fedisec.scans.settle import Open, Step, Tick, settle
from fedisec.scans.settled import keep, state_of

BATCH = 50


def silenced(instance: Instance, now: datetime) -> frozenset[str]:
    """Items of which nobody is to hear, because a person has set them aside; asked of a layer above."""
    found: frozenset[str] = import_string(settings.SILENCED)(instance, now)
    return found


class Incidents:
    """The open incidents of one instance, moved along with the states; inside the caller's transaction, which
    holds the lock on the instance."""

    def __init__(self, instance: Instance, now: datetime) -> None:
        self._instance, self._now = instance, now
        self._open = {i.item_id: i for i in Incident.objects.filter(instance=instance, closed_at=None)}
        self._new: list[Incident] = []
        self._closed: dict[str, list[int]] = defaultdict(list)
        self._listed: list[tuple[Change, Incident]] = []

    def follow(self, item_id: str, step: Step, change: Change | None) -> None:
        """One step of the machine, and the change that it made, not yet stored."""
        incident = self._open.get(item_id)
        if incident is None and step.state.incident is not Open.NO:
            incident = Incident(instance=self._instance, item_id=item_id, opened_at=self._now)
            self._open[item_id] = incident
            self._new.append(incident)
        if incident is None:
            return
        if change is not None:
            self._listed.append((change, incident))
        if step.state.incident is Open.NO and incident.pk is not None:
            self._closed[change.kind if change is not None else ""].append(incident.pk)

    def store(self) -> None:
        """Before the changes are: they name their incidents.  One statement for each kind of end."""
        Incident.objects.bulk_create(self._new)
        for kind, keys in self._closed.items():
            Incident.objects.filter(pk__in=keys).update(closed_at=self._now, closed_by=kind)
        for change, incident in self._listed:
            change.incident = incident


def change_of(scan: Scan, item_id: str, step: Step, now: datetime, row: ItemState | Reach) -> Change | None:
    """The row for what a step changed, with what was seen; not yet stored."""
    if step.change is None:
        return None
    return Change(
        instance_id=scan.instance_id,
        scan=scan,
        item_id=item_id,
        kind=step.change.kind.value,
        before=step.change.before,
        after=step.change.after,
        code=row.code,
        data=row.data,
        evidence=row.evidence,
        created_at=now,
        # What nobody is told of never enters the outbox.
        processed_at=None if step.change.told else now,
    )


def tick(now: datetime) -> None:
    """Ends the flapping of what has rested for a day.  One indexed query each where nothing has."""
    due: set[int] = set()
    for model in (ItemState, Reach):
        rested = model.objects.filter(calm_at__lte=now).order_by("calm_at")
        due.update(rested.values_list("instance_id", flat=True)[:BATCH])
    for instance_id in sorted(due):
        with transaction.atomic():
            _rest(instance_id, now)


def _rest(instance_id: int, now: datetime) -> None:
    instance = Instance.objects.select_for_update().filter(pk=instance_id).first()
    scan = Scan.objects.whole().filter(instance_id=instance_id).first()
    if instance is None or scan is None:
        return
    rows: list[ItemState | Reach] = [
        *ItemState.objects.filter(instance=instance, calm_at__lte=now),
        *Reach.objects.filter(instance=instance, calm_at__lte=now),
    ]
    incidents, quiet = Incidents(instance, now), silenced(instance, now)
    changes: list[Change] = []
    for row in rows:
        item_id = row.item_id if isinstance(row, ItemState) else REACH
        step = settle(state_of(row), Tick(now), timedelta(0), quiet=item_id in quiet)
        change = change_of(scan, item_id, step, now, row)
        keep(row, step.state)
        row.save(update_fields=["alerted", "calm_at", "memory"])
        incidents.follow(item_id, step, change)
        changes += [change] if change is not None else []
    incidents.store()
    store_changes(changes)


def store_changes(changes: Iterable[Change]) -> None:
    """One statement, whatever their number."""
    Change.objects.bulk_create(
        changes,
        update_conflicts=True,
        unique_fields=["scan", "item_id", "kind"],
        update_fields=["after", "code", "data", "evidence", "created_at", "incident"],
    )
