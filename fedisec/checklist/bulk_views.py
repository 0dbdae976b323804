"""The plain form that answers several items at once."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from fedisec.accounts.models import Role
from fedisec.checklist import bulk, undoing
from fedisec.checklist.answers import AlreadyAnswered
from fedisec.checklist.board import rows_of
from fedisec.instances.access import instance_for
from fedisec.scans.views import person

BACK_MAX = 500


@require_POST
def answer_several(request: HttpRequest, domain: str) -> HttpResponse:
    """Stores one answer for all that were ticked; what does not fit comes back as it was sent."""
    found = instance_for(person(request), domain, Role.EDITOR)
    ticked = set(request.POST.getlist("item"))
    rows = rows_of(found)
    chosen = [row for row in rows if row.item.id in ticked]
    form, conflict = bulk.BulkForm(request.POST, chosen), False
    if form.is_valid():
        items = [row.item for row in chosen]
        try:
            undo = bulk.store(found, items, person(request), form, request.POST.get("since", ""))
        except AlreadyAnswered:
            conflict, rows = True, rows_of(found)
            chosen = [row for row in rows if row.item.id in ticked]
        else:
            undoing.remember(request, undo)
            return redirect(_back(request, found.address))
    context = {
        "instance": found,
        "rows": chosen,
        "form": form,
        "since": bulk.newest(rows),
        "back": request.POST.get("back", "")[:BACK_MAX],
        "conflict": conflict,
    }
    return render(request, "checklist/bulk_page.html", context, status=422)


def _back(request: HttpRequest, domain: str) -> str:
    """The list as it was filtered; the path is ours whatever was sent."""
    query = QueryDict(request.POST.get("back", "")[:BACK_MAX]).urlencode()
    return f"{reverse('instance', args=[domain])}{'?' if query else ''}{query}#list"
