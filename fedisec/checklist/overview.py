"""The overview: one line per instance, in a number of queries that does not grow with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from django.db.models import Max, Q
from django.utils import timezone

from checks.items import all_items
from fedisec.checklist.board import Posture, Row, make_row, posture
from fedisec.checklist.models import Attestation, Waiver
from fedisec.checklist.sentence import sentence
from fedisec.instances.models import Instance
from fedisec.scans.models import ItemState, Scan, ScanState


@dataclass(frozen=True)
class Line:
    """One instance on the overview."""

    instance: Instance
    posture: Posture
    sentence: str
    last_scan: Scan | None  # the last that finished
    live_scan: Scan | None
    software: str


def lines_of(instances: Sequence[Instance]) -> list[Line]:
    """The lines of `instances`; those with required items not met come first, then by name."""
    now = timezone.now()
    machine = _by_instance(ItemState.objects.filter(instance__in=instances).defer("evidence"))
    said = _by_instance(Attestation.objects.filter(instance__in=instances, ended_at=None))
    waived = _by_instance(Waiver.objects.filter(instance__in=instances, ended_at=None))
    last, live, failed = _scans(instances)
    lines = []
    for instance in instances:
        pk = instance.pk
        rows = [
            make_row(item, machine[pk].get(key), said[pk].get(key), waived[pk].get(key), now)
            for key, item in all_items().items()
        ]
        standing = posture(rows)
        lines.append(
            Line(
                instance,
                standing,
                sentence(standing, scanned=pk in last, failed=pk in failed),
                last.get(pk),
                live.get(pk),
                software_of(rows),
            )
        )
    return sorted(lines, key=lambda line: (-line.posture.required_not_met, line.instance.domain))


class _Entry(Protocol):
    """What the three models have in common."""

    instance_id: int
    item_id: str


E = TypeVar("E", bound=_Entry)


def _by_instance(entries: Iterable[E]) -> dict[int, dict[str, E]]:
    grouped: dict[int, dict[str, E]] = defaultdict(dict)
    for entry in entries:
        grouped[entry.instance_id][entry.item_id] = entry
    return grouped


def _scans(instances: Sequence[Instance]) -> tuple[dict[int, Scan], dict[int, Scan], set[int]]:
    """The last finished and the live scan of each instance; the instances with a failed and no live one."""
    newest = list(
        Scan.objects.filter(instance__in=instances)
        .values("instance")
        .annotate(
            done=Max("pk", filter=Q(state=ScanState.DONE)),
            live=Max("pk", filter=Q(state__in=(ScanState.QUEUED, ScanState.RUNNING))),
            failed=Max("pk", filter=Q(state=ScanState.FAILED)),
        )
    )
    wanted = {pk for row in newest for pk in (row["done"], row["live"]) if pk}
    scans = Scan.objects.filter(pk__in=wanted).defer("facts")
    done = {s.instance_id: s for s in scans if not s.is_live}
    failed = {row["instance"] for row in newest if row["failed"] and not row["live"]}
    return done, {s.instance_id: s for s in scans if s.is_live}, failed


def software_of(rows: Sequence[Row]) -> str:
    """Name and version as the software item saw them; "" before the first scan."""
    for row in rows:
        if row.item.id == "plan.software_fits" and row.machine is not None:
            data = row.machine.data
            return f"{data.get('name', '')} {data.get('version', '')}".strip()
    return ""
