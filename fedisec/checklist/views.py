"""The pages people look at first: all instances, and one of them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from checks.items import all_items
from checks.model import Item, Level
from fedisec.accounts.models import Role, User
from fedisec.checklist.board import next_actions, posture, rows_of, software_of, topics
from fedisec.checklist.filters import Filter
from fedisec.checklist.overview import lines_of
from fedisec.checklist.sentence import sentence
from fedisec.checklist.state import State
from fedisec.enrolment.models import SshAccess
from fedisec.instances.access import instance_for, instances_for, may_edit
from fedisec.instances.models import Instance
from fedisec.scans.models import Change, Scan, ScanState
from fedisec.scans.views import person

CHANGES_SHOWN = 10


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """All instances of the reader, the ones that need a hand first."""
    user = person(request)
    lines = lines_of(list(instances_for(user).order_by("domain")))
    return render(request, "checklist/overview.html", {"lines": lines, "can_add": _may_edit_any(user)})


def _may_edit_any(user: User) -> bool:
    return user.memberships.filter(role__in=(Role.EDITOR, Role.OWNER)).exists()


@require_GET
@vary_on_headers("HX-Request")
def instance(request: HttpRequest, domain: str) -> HttpResponse:
    """Where an instance stands: sentence, counts, changes, next actions, and the filtered checklist."""
    found = instance_for(person(request), domain)
    context = _page(request, found)
    htmx = getattr(request, "htmx", None)
    if htmx and htmx.target == "list":
        return render(request, "checklist/list.html", context)
    return render(request, "checklist/instance.html", context)


def _page(request: HttpRequest, found: Instance) -> dict[str, Any]:
    rows = rows_of(found)
    wanted = Filter.of(request.GET)
    fitting = wanted.apply(rows, get_language() or "en")
    scan = Scan.objects.filter(instance=found).defer("facts").first()
    last = Scan.objects.filter(instance=found, state=ScanState.DONE).defer("facts").first()
    standing = posture(rows)
    return {
        "instance": found,
        "posture": standing,
        "sentence": sentence(standing, scanned=last is not None, failed=_failed(scan)),
        "scanned": last is not None,
        "filter": wanted,
        "topics": topics(fitting),
        "shown": len(fitting),
        "all": len(rows),
        "next_actions": next_actions(rows) if last else [],
        "changes": changes_of(found),
        "scan": scan,
        "last_scan": last,
        "levels": list(Level),
        "states": list(State),
        "opened": request.GET.get("open", ""),
        "may_edit": may_edit(person(request), found),
        "software": software_of(rows),
        "access": SshAccess.objects.filter(instance=found).first(),
        "inside_waits": sum(row.waits_for_ssh for row in rows),
    }


def _failed(scan: Scan | None) -> bool:
    return scan is not None and scan.state == ScanState.FAILED


def changes_of(found: Instance) -> list[tuple[Change, Item | None]]:
    """The latest confirmed changes, newest first."""
    kinds = ("regressed", "recovered", "rejudged")
    latest = Change.objects.filter(instance=found, kind__in=kinds)[:CHANGES_SHOWN]
    return [(change, all_items().get(change.item_id)) for change in latest]
