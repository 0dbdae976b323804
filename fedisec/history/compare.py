"""Two scans of an instance beside each other: what differs, and whether server or rules made it so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

from django.utils import timezone

from checks.items import all_items
from checks.model import Status
from fedisec.history.spans import SpanView, state_at
from fedisec.instances.models import Instance
from fedisec.scans.models import ItemState, Scan, ScanState, Span
from fedisec.scans.spans import steady


class Kind(StrEnum):
    """How an item differs; the order is that of the page.  Going blind and seeing again are neither better
    nor worse."""

    WORSE = "worse"
    BETTER = "better"
    BLIND = "blind"
    SEEN = "seen"
    OTHER = "other"


_BLIND = frozenset({Status.UNKNOWN, Status.ERROR})
_RANK = {Status.PASS: 0, Status.WARN: 1, Status.FAIL: 2}


@dataclass(frozen=True, slots=True)
class Difference:
    """One item.  `before` is None where the item was not known then.  `rejudged`: new rules alone made it."""

    item_id: str
    kind: Kind
    before: SpanView | None
    after: SpanView
    rejudged: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that differs between an older and a newer scan of an instance."""

    older: Scan
    newer: Scan
    lines: tuple[Difference, ...]  # made by the server, in the order of Kind and of the checklist
    rejudged: tuple[Difference, ...]  # made by other rules, in the same order
    back: tuple[str, ...]  # ids of items that changed in between and say again what they said

    @property
    def groups(self) -> list[tuple[Kind, list[Difference]]]:
        """The kinds that occur."""
        found = [(kind, [line for line in self.lines if line.kind is kind]) for kind in Kind]
        return [(kind, lines) for kind, lines in found if lines]

    @property
    def counts(self) -> list[tuple[Kind, int]]:
        return [(kind, len(lines)) for kind, lines in self.groups]


def kind_of(before: SpanView | None, after: SpanView) -> Kind | None:
    """How `after` differs; None for no difference that counts."""
    now = Status(after.status)
    if before is None:
        return Kind.SEEN if now in _RANK else None
    then = Status(before.status)
    if then in _BLIND or now in _BLIND:
        if then in _BLIND and now in _BLIND:
            return Kind.OTHER if before.said != after.said else None
        return Kind.SEEN if then in _BLIND else Kind.BLIND
    if then in _RANK and now in _RANK and then != now:
        return Kind.WORSE if _RANK[now] > _RANK[then] else Kind.BETTER
    if now is Status.FAIL and then is not now:
        return Kind.WORSE  # from "does not apply" or "a person is asked"
    return Kind.OTHER if before.said != after.said else None


def compare(instance: Instance, older: Scan, newer: Scan) -> Comparison:
    """What differs between two finished scans of `instance`.  Four queries."""
    then, now = state_at(instance, older.pk), state_at(instance, newer.pk)
    between = _between(instance, older, newer)
    order = {key: place for place, key in enumerate(dict.fromkeys((*all_items(), *now)))}
    compared = ((key, kind_of(then.get(key), view)) for key, view in now.items())
    kinds = {key: kind for key, kind in compared if kind is not None}
    shown = _as_seen(instance, newer, {key: now[key] for key in kinds})
    found = []
    for key in sorted(shown, key=order.__getitem__):
        rules = key in then and all(between.get(key, (False,)))
        found.append(Difference(key, kinds[key], then.get(key), shown[key], rules))
    changed = {line.item_id for line in found}
    back = tuple(key for key in now if key in between and key in then and key not in changed)
    found.sort(key=lambda line: list(Kind).index(line.kind))
    return Comparison(
        older,
        newer,
        tuple(line for line in found if not line.rejudged),
        tuple(line for line in found if line.rejudged),
        back,
    )


def _as_seen(instance: Instance, scan: Scan, views: dict[str, SpanView]) -> dict[str, SpanView]:
    """The same with the values that move by themselves, where `scan` is the last that saw the item: these are
    kept of the first and of the last scan of a stretch."""
    if scan.finished_at is None:
        return views
    last = ItemState.objects.filter(instance=instance, item_id__in=list(views), seen_at=scan.finished_at)
    data = dict(last.values_list("item_id", "data"))
    return {
        key: replace(view, data=data[key])
        if key in data and steady(key, data[key]) == steady(key, view.data)
        else view
        for key, view in views.items()
    }


def _between(instance: Instance, older: Scan, newer: Scan) -> Mapping[str, list[bool]]:
    """item id -> for each change after `older` up to `newer`, whether other rules made it."""
    found: dict[str, list[bool]] = {}
    spans = Span.objects.filter(instance=instance, scan__gt=older.pk, scan__lte=newer.pk)
    for item_id, rejudged in spans.values_list("item_id", "rejudged"):
        found.setdefault(item_id, []).append(rejudged)
    return found


def last_two(instance: Instance) -> tuple[Scan, Scan] | None:
    """The last two looks at the whole checklist, the older first; None before there are two.  A second look
    that confirms belongs to the look before it: of both, the later one is given."""
    whole = Scan.objects.whole().filter(instance=instance).defer("facts")
    newest, began = whole.first(), whole.exclude(reason="confirm").first()
    if newest is None or began is None:
        return None
    older = whole.filter(pk__lt=began.pk).first()
    return (older, newest) if older is not None else None


def since(instance: Instance, day: date) -> tuple[Scan, Scan] | None:
    """The last scan before `day` (in the reader's time zone; the first scan where there is none before) and
    the newest; None before there are two."""
    done = Scan.objects.filter(instance=instance, state=ScanState.DONE).defer("facts")
    begins = timezone.make_aware(datetime.combine(day, time()))
    newest = done.first()
    older = done.filter(finished_at__lt=begins).first() or done.order_by("pk").first()
    if newest is None or older is None or older == newest:
        return None
    return older, newest


def as_json(instance: Instance, found: Comparison, language: str) -> dict[str, Any]:
    """The comparison for programs."""
    return {
        "instance": instance.domain,
        "from": _scan(found.older),
        "to": _scan(found.newer),
        "changes": [_line(line, language) for line in (*found.lines, *found.rejudged)],
        "changed_and_back": list(found.back),
    }


def _scan(scan: Scan) -> dict[str, Any]:
    at = scan.finished_at.isoformat(timespec="seconds") if scan.finished_at else None
    return {"id": scan.pk, "finished_at": at, "reason": scan.reason, "checks_version": scan.checks_version}


def _line(line: Difference, language: str) -> dict[str, Any]:
    return {
        "item": line.item_id,
        "kind": line.kind.value,
        "rejudged": line.rejudged,
        "before": _view(line.before, language) if line.before else None,
        "after": _view(line.after, language),
    }


def _view(view: SpanView, language: str) -> dict[str, Any]:
    return {
        "status": view.status,
        "code": view.code,
        "reason": view.reason,
        "data": dict(view.data),
        "text": view.text(language),
        "since": view.since.isoformat(timespec="seconds"),
        "scan": view.scan_id,
    }
