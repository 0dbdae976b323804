"""The pages of the history: all scans, two of them beside each other, changes since a day, the trend."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import get_language
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from fedisec.history import compare as comparing
from fedisec.history import trend as trends
from fedisec.instances.access import instance_for
from fedisec.instances.models import Instance
from fedisec.scans.models import Scan, ScanState, Span
from fedisec.scans.views import person

PER_PAGE = 50
QUICK_DAYS = (7, 30, 90)
_KEY_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class ScanRow:
    """A line of the list.  `changes`: items that this scan was the first to see so."""

    scan: Scan
    changes: int
    is_first: bool

    @property
    def seconds(self) -> int | None:
        """How long the look took; None while it runs."""
        if self.scan.started_at is None or self.scan.finished_at is None:
            return None
        return max(0, round((self.scan.finished_at - self.scan.started_at).total_seconds()))

    @property
    def totals(self) -> list[tuple[str, int]]:
        """(status, number) over all levels; statuses without items are left out."""
        counts = self.scan.counts.values()
        found = [(status, sum(level.get(status, 0) for level in counts)) for status in _ORDER]
        return [(status, number) for status, number in found if number]


_ORDER = ("pass", "fail", "warn", "unknown", "error", "manual", "not_applicable")


@require_GET
def scans(request: HttpRequest, domain: str) -> HttpResponse:
    """Every scan of an instance, newest first, with what it counted and how many items it found otherwise."""
    instance = instance_for(person(request), domain)
    listed = Scan.objects.filter(instance=instance).defer("facts", "connections", "progress")
    page = Paginator(listed, PER_PAGE).get_page(request.GET.get("page"))
    shown = list(page)
    spans = Span.objects.filter(scan__in=shown).values_list("scan")
    begun = dict(spans.annotate(number=Count("pk")))
    first = listed.filter(state=ScanState.DONE).order_by("pk").values_list("pk", flat=True).first()
    done = [scan.pk for scan in shown if scan.state == ScanState.DONE]
    context = {
        "instance": instance,
        "page": page,
        "rows": [ScanRow(scan, begun.get(scan.pk, 0), scan.pk == first) for scan in shown],
        "newer": done[0] if len(done) > 1 else None,
        "older": done[1] if len(done) > 1 else None,
    }
    return render(request, "history/scans.html", context)


@require_GET
def compare(request: HttpRequest, domain: str) -> HttpResponse:
    """Two finished scans beside each other, the older first whichever was named first; without "from" the
    scan before the other.  ?format=json."""
    instance = instance_for(person(request), domain)
    done = Scan.objects.filter(instance=instance, state=ScanState.DONE).defer("facts")
    newer = done.filter(pk=_key(request.GET.get("to", ""))).first()
    if newer is None:
        raise Http404
    if "from" in request.GET:
        older = done.filter(pk=_key(request.GET["from"])).first()
    else:
        older = done.filter(pk__lt=newer.pk).first()
    if older is None:
        raise Http404
    pair = (older, newer) if older.pk <= newer.pk else (newer, older)
    return _compared(request, instance, pair, "history/compare.html", {})


def _key(text: str) -> int:
    """The key of a scan; Http404 for anything that is none."""
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise Http404
    return min(int(text), _KEY_MAX)


@require_GET
def changes(request: HttpRequest, domain: str) -> HttpResponse:
    """What is different since a day (?since=YYYY-MM-DD), or since the look before the last; ?format=json."""
    instance = instance_for(person(request), domain)
    text = request.GET.get("since", "")
    day = _day(text)
    pair = comparing.since(instance, day) if day else comparing.last_two(instance)
    today = timezone.localdate()
    context = {
        "since": day,
        "wrong": bool(text) and day is None,
        "quick": [(days, today - timedelta(days=days)) for days in QUICK_DAYS],
        "today": today,
    }
    return _compared(request, instance, pair, "history/changes.html", context)


def _day(text: str) -> date | None:
    """A day as it stands in an address; None for none, and for one that does not exist."""
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return day if day is not None and 1970 <= day.year <= 9998 else None


def _compared(
    request: HttpRequest,
    instance: Instance,
    pair: tuple[Scan, Scan] | None,
    template: str,
    more: dict[str, Any],
) -> HttpResponse:
    found = comparing.compare(instance, *pair) if pair is not None else None
    if request.GET.get("format") == "json":
        if found is None:
            raise Http404
        return JsonResponse(comparing.as_json(instance, found, get_language() or "en"))
    return render(request, template, more | {"instance": instance, "found": found})


@require_GET
@vary_on_headers("HX-Request")
def trend(request: HttpRequest, domain: str) -> HttpResponse:
    """The trend over ?days=30, 90 or 365 as a page of its own; for htmx the part of another page."""
    instance = instance_for(person(request), domain)
    asked = request.GET.get("days", "")
    days = next((days for days in trends.RANGES if str(days) == asked), 90)
    part = bool(getattr(request, "htmx", None))
    template = "history/trend.html" if part else "history/trend_page.html"
    return render(request, template, trends.context(instance, days))
