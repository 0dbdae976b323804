"""The overview: one line per instance, in a number of queries that does not grow with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Max, Q

from fedisec.checklist.board import Posture, posture, rows_of_all, software_of
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
    all_rows = rows_of_all(instances, ItemState.objects.defer("evidence"))
    last, live, failed = _scans(instances)
    lines = []
    for instance in instances:
        pk = instance.pk
        rows = all_rows[pk]
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
