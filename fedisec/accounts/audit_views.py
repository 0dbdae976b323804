"""The pages of the audit trail: to read, and to take along."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from fedisec.accounts.audit import record
from fedisec.accounts.models import AuditEvent, User
from fedisec.accounts.sudo import confirmed_lately
from fedisec.accounts.trail import COLUMNS, TAKERS, TrailForm, days_of, page_of, rows_of, teams_of
from fedisec.lib.table import csv_lines
from fedisec.lib.visible import harmless

_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


@require_GET
def audit(request: HttpRequest) -> HttpResponse:
    """What was done in the reader's teams and to the own account, newest first.  Who is neither editor nor
    owner reads of the own account alone."""
    user = cast(User, request.user)
    teams = teams_of(user)
    form = TrailForm(user, teams, request.GET)
    page = page_of(form.events(), request.GET)
    kept = request.GET.copy()
    for name in ("before", "after"):
        kept.pop(name, None)
    context = {
        "form": form,
        "days": days_of(page.events),
        "page": page,
        "kept": f"{kept.urlencode()}&" if kept else "",
        "is_filtered": any(kept.values()),
        "may_read": bool(teams),
        "may_take": bool(teams_of(user, TAKERS)),
    }
    return render(request, "accounts/audit.html", context)


@require_GET
@confirmed_lately
def export(request: HttpRequest) -> HttpResponseBase:
    """All lines that fit the filter, as CSV or JSON, streamed: of the teams that the reader owns, and of
    the own account."""
    kind = request.GET.get("format", "")
    if kind not in _TYPES:
        return HttpResponseBadRequest("format is csv or json", content_type="text/plain")
    user = cast(User, request.user)
    events = TrailForm(user, teams_of(user, TAKERS), request.GET).events()
    newest = AuditEvent.objects.values_list("pk", flat=True).first() or 0  # not the line about this file
    rows = rows_of(events.filter(pk__lte=newest))
    record("export.trail_taken", team=None, by=user, after=kind)
    body = _csv(rows) if kind == "csv" else _json(rows)
    answer = StreamingHttpResponse(body, content_type=_TYPES[kind])
    name = f"fedisec-audit-{timezone.localdate():%Y-%m-%d}.{kind}"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _csv(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    return csv_lines(COLUMNS, ([_flat(harmless(row[name])) for name in COLUMNS] for row in rows))


def _flat(value: object) -> object:
    return (json.dumps(value, ensure_ascii=False) if value else "") if isinstance(value, dict) else value


def _json(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """One array, a line for each event."""
    before = "[\n"
    for row in rows:
        yield before + json.dumps(harmless(row), ensure_ascii=False)
        before = ",\n"
    yield "\n]\n" if before == ",\n" else "[]\n"
