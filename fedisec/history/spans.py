"""What the machine said of an item over time, and of all items as of one scan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db.models import Max

from fedisec.history.words import sentence, state_of
from fedisec.instances.models import Instance
from fedisec.scans.models import Span
from fedisec.scans.spans import Said, steady

SHOWN = 50


@dataclass(frozen=True, slots=True)
class SpanView:
    """One unbroken stretch in which the machine said the same.  `until`: None while it lasts.  `data` is what
    the first scan saw; values that move by themselves have moved since."""

    item_id: str
    scan_id: int  # the first scan that said so
    since: datetime
    until: datetime | None
    status: str
    code: str = ""
    reason: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    evidence: tuple[tuple[str, str], ...] = ()
    rejudged: bool = False  # begun by another version of the rules, not by the server

    @property
    def state(self) -> str:
        """The state that shows `status`."""
        return state_of(self.status)

    @property
    def said(self) -> Said:
        """As far as a difference counts."""
        return Said.of(Span(item_id=self.item_id, status=self.status, code=self.code, reason=self.reason,
                            data=self.data))  # fmt: skip

    def text(self, language: str) -> str:
        """The machine's words when it began to say so."""
        return sentence(self.item_id, self.code, self.reason, self.data, language)

    def later(self, scan_id: int) -> SpanView:
        """The same as of that scan: a value that moves by itself is known of the first scan only."""
        if scan_id == self.scan_id:
            return self
        return replace(self, data=steady(self.item_id, self.data))


def of_item(instance: Instance, item_id: str) -> list[SpanView]:
    """What the machine said of an item, the newest SHOWN stretches first.  One query."""
    found = Span.objects.filter(instance=instance, item_id=item_id).order_by("-pk")[:SHOWN]
    views: list[SpanView] = []
    until = None
    for span in found:
        views.append(_view(span, until, tuple((label, text) for label, text in span.evidence)))
        until = span.first_at
    return views


def state_at(instance: Instance, scan_id: int) -> dict[str, SpanView]:
    """item id -> what the machine said of it as of that scan, without evidence.  One query."""
    newest = (
        Span.objects.filter(instance=instance, scan__lte=scan_id)
        .values("item_id")
        .annotate(newest=Max("pk"))
        .values("newest")
    )
    found = Span.objects.filter(pk__in=newest).defer("evidence")
    return {span.item_id: _view(span, None).later(scan_id) for span in found}


def _view(span: Span, until: datetime | None, evidence: tuple[tuple[str, str], ...] = ()) -> SpanView:
    return SpanView(
        span.item_id,
        span.scan_id,
        span.first_at,
        until,
        span.status,
        span.code,
        span.reason,
        span.data,
        evidence,
        span.rejudged,
    )
