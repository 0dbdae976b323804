"""Counts of the merged states, made whenever machine or people speak, and kept by `fedisec.history`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from fedisec.checklist import glance
from fedisec.checklist.board import NEW_FOR, Row, posture, rows_of_all, software_of
from fedisec.history import standing
from fedisec.history.models import Standing
from fedisec.history.standing import Counted
from fedisec.instances.models import Instance
from fedisec.scans.models import LIVE, ItemState, Scan

BATCH = 20


def counted(rows: Sequence[Row], now: datetime) -> Counted:
    """What `rows` amount to, and until when that stays true if nobody says or sees anything new."""
    levels: dict[str, Counter[str]] = {}
    for row in rows:
        levels.setdefault(row.item.level.value, Counter())[row.state.state.value] += 1
    where = posture(rows)
    return Counted(
        {level: dict(states) for level, states in levels.items()},
        where.required_not_met,
        where.not_met_since,
        where.new,
        software_of(rows),
        min((end for end in _ends(rows) if end > now), default=None),
    )


def _ends(rows: Iterable[Row]) -> Iterable[datetime]:
    """When answers and waivers end, and when what is new is new no more."""
    for row in rows:
        for said in (row.attestation, row.waiver):
            if said is not None and said.valid_until is not None:
                yield said.valid_until
        if row.is_new and row.machine is not None and row.machine.settled_since is not None:
            yield row.machine.settled_since + NEW_FOR


def note(instance: Instance, now: datetime | None = None, *, scanned: bool = False) -> None:
    """Counts `instance` anew.  Called in the same transaction by whatever changed an answer, a waiver, an own
    item or (`scanned`) the machine's side."""
    now = now or timezone.now()
    rows = _rows([instance], now)[instance.pk]
    standing.keep(instance, counted(rows, now), now, scanned=scanned)
    glance.keep(instance, rows, now, scanned=scanned)


def standings_of(instances: Sequence[Instance], now: datetime | None = None) -> dict[int, Standing]:
    """instance id -> its count, for every one of them: as kept, or made here where that is no longer true."""
    now = now or timezone.now()
    found = standing.latest(instances, now)
    late = [instance for instance in instances if instance.pk not in found]
    if late:
        rows = _rows(late, now)
        found |= {one.pk: standing.unkept(one, counted(rows[one.pk], now), now) for one in late}
    return found


def refresh(now: datetime) -> int:
    """Counts anew what an end of an answer or a new version made untrue; returns how many, BATCH at most.
    Not where a look is due: it counts by itself, and when thousands are due the processor is theirs."""
    looked_at = Scan.objects.filter(state__in=LIVE, due_at__lte=now).values("instance")
    late = list(standing.outdated(now).exclude(pk__in=looked_at).order_by("pk")[:BATCH])
    for found in late:
        with transaction.atomic():
            instance = Instance.objects.select_for_update().filter(pk=found.pk).first()
            if instance is not None:
                note(instance, now)
    return len(late)


def _rows(instances: Sequence[Instance], now: datetime) -> dict[int, list[Row]]:
    return rows_of_all(instances, ItemState.objects.defer("evidence"), now=now)
