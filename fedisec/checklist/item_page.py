"""Everything that the page of one item shows, in the order in which its reader asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from checks.errors import Reason
from checks.model import Item, Status
from fedisec.accounts.models import AuditEvent, Role, User
from fedisec.checklist import pasted, switches, undoing
from fedisec.checklist.answers import basis_of
from fedisec.checklist.board import Row, posture, row_of, rows_of
from fedisec.checklist.fixes import ways_of
from fedisec.checklist.forms import AnswerForm, MailForm, RemarkForm, WaiverForm
from fedisec.checklist.models import Attestation, EndedWhy, Note
from fedisec.checklist.own import TOPIC, find
from fedisec.checklist.sentence import sentence
from fedisec.checklist.sides import Side, side_of
from fedisec.history.spans import of_item
from fedisec.instances.access import instance_for, may_edit
from fedisec.instances.models import Instance
from fedisec.scans.models import Incident, Scan
from fedisec.scans.views import person

TRAIL_SHOWN = 20
_NO_LOOK = frozenset({Reason.NOT_CONNECTED, Reason.NOT_BUILT, Reason.DASHBOARD_ONLY})


@dataclass(frozen=True)
class Forms:
    """The forms of the page; one that came back with an error stands in the place of an empty one."""

    answer: AnswerForm | None = None
    waiver: WaiverForm | None = None
    remark: RemarkForm | None = None
    mail: MailForm | None = None
    conflict: bool = False  # somebody else answered meanwhile


def in_place(request: HttpRequest) -> bool:
    """True for htmx, which puts a part under an item's line; a page of its own otherwise."""
    return bool(getattr(request, "htmx", None))


def found_for(user: User, domain: str, item_id: str, role: Role = Role.VIEWER) -> tuple[Instance, Item]:
    """The instance and the item, or Http404 as if neither existed.  What was retired can still be read."""
    instance = instance_for(user, domain, role)
    item = find(instance, item_id, retired=role is Role.VIEWER)
    if item is None:
        raise Http404
    return instance, item


def context_of(
    request: HttpRequest, found: Instance, item: Item, forms: Forms | None = None
) -> dict[str, Any]:
    """The context of checklist/item_body.html."""
    forms, row = forms or Forms(), row_of(found, item)
    retired = item.topic == TOPIC and find(found, item.id) is None
    edits = not retired and may_edit(person(request), found)
    scan = Scan.objects.filter(instance=found).defer("facts").first()
    mail = forms.mail or (MailForm(found.target.mail_domain) if item.id == pasted.ITEM_ID else None)
    return {
        "instance": found,
        "row": row,
        "item": item,
        "form": forms.answer or AnswerForm(item, said=row.attestation),
        "waiver_form": forms.waiver or WaiverForm(item, waived=row.waiver),
        "remark_form": forms.remark or RemarkForm(item),
        "mail_form": mail,
        "conflict": forms.conflict,
        "basis": basis_of(row),
        "ways": ways_of(item, found),
        "side": _side(row),
        "ended": None if row.attestation else _ended_by_machine(found, item),
        "notes": _notes(found, item),
        "undo": undoing.offer(request, found, item.id) if edits else None,
        # Of the parts that htmx asks for, those of an item's own page say so.
        "in_place": in_place(request) and "page" not in request.GET,
        "may_edit": edits,
        "retired": retired,
        "switch": switches.switch_of(found, item, person(request)),
        "follow": switches.follow_of(found, item),
        "can_look": edits and item.check_function is not None,
        "scan": scan,
        "incident": incident_of(found, item.id),
        "concerned": scan is not None and (not scan.only or item.id in scan.only),
        "spans": of_item(found, item.id),
        "trail": _trail(found, item) if edits else [],
    }


def incident_of(found: Instance, item_id: str) -> Incident | None:
    """The open incident of an item, or of REACH."""
    mine = Incident.objects.filter(instance=found, item_id=item_id, closed_at=None)
    return mine.select_related("acknowledged_by").first()


def _side(row: Row) -> Side | str:
    """From where the machine looked; "" where it did not."""
    machine = row.machine
    if machine is None or (machine.status == Status.MANUAL and not machine.code):
        return ""
    return "" if machine.reason in _NO_LOOK else side_of(row.item, machine)


def _ended_by_machine(found: Instance, item: Item) -> Attestation | None:
    """The last answer, if it was the machine that ended it."""
    last = Attestation.objects.filter(instance=found, item_id=item.id).select_related("by").last()
    return last if last is not None and last.ended_why == EndedWhy.MACHINE else None


def _notes(found: Instance, item: Item) -> list[Note]:
    """The thread of the item, the oldest remark first."""
    mine = Note.objects.filter(instance=found, item_id=item.id, ended_at=None)
    return list(mine.select_related("by").order_by("pk"))


def _trail(found: Instance, item: Item) -> list[AuditEvent]:
    """What people did here, newest first."""
    mine = AuditEvent.objects.filter(team_id=found.team_id, instance_id=found.pk, item_id=item.id)
    return list(mine[:TRAIL_SHOWN])


def show(request: HttpRequest, context: dict[str, Any], *, wrong: bool = False) -> HttpResponse:
    """The item's page; under its line for htmx, which swaps nothing on an error status."""
    if in_place(request):
        line = wrong or "line" in request.GET
        template = "checklist/line_item.html" if line else "checklist/item_body.html"
        return render(request, template, context | {"open": True, "to_line": line and not wrong})
    return render(request, "checklist/item.html", context, status=422 if wrong else 200)


def answered(request: HttpRequest, found: Instance, item: Item, said: str = "") -> HttpResponse:
    """htmx: the line anew and the counts above it; a plain form: back to the item's page.  `said`: a sentence
    for the reader."""
    if not in_place(request):
        if said:
            messages.info(request, said)
        return redirect(reverse("item", args=[found.address, item.id]))
    standing = posture(rows_of(found))
    scanned = Scan.objects.whole().filter(instance=found).exists()
    context = context_of(request, found, item)
    context |= {"posture": standing, "sentence": sentence(standing, scanned=scanned)}
    context |= {"scanned": scanned, "open": True, "said": said}
    return render(request, "checklist/answered.html", context)
