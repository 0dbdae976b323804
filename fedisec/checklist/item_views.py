"""The page of one item, and what people say there: answers, waivers, a pasted mail."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from checks.items import all_items
from checks.model import Item
from fedisec.accounts.models import Role, User
from fedisec.checklist import answers, pasted
from fedisec.checklist.board import posture, row_of, rows_of
from fedisec.checklist.forms import AnswerForm, MailForm, WaiverForm
from fedisec.checklist.sentence import sentence
from fedisec.instances.access import instance_for, may_edit
from fedisec.instances.models import Instance
from fedisec.scans.models import Change, Scan, ScanState
from fedisec.scans.queue import queue_scan
from fedisec.scans.views import person


@require_GET
@vary_on_headers("HX-Request")
def item(request: HttpRequest, domain: str, item_id: str) -> HttpResponse:
    """One item: a page of its own, or (for htmx) what opens in place under its line."""
    found, entry = _found(person(request), domain, item_id)
    template = "checklist/item_body.html" if _in_place(request) else "checklist/item.html"
    return render(request, template, item_context(request, found, entry))


def _in_place(request: HttpRequest) -> bool:
    """True for htmx, which puts a part under an item's line; a page of its own otherwise."""
    return bool(getattr(request, "htmx", None))


def _found(user: User, domain: str, item_id: str, role: Role = Role.VIEWER) -> tuple[Instance, Item]:
    entry = all_items().get(item_id)
    if entry is None:
        raise Http404
    return instance_for(user, domain, role), entry


def item_context(
    request: HttpRequest,
    found: Instance,
    entry: Item,
    form: AnswerForm | None = None,
    waiver_form: WaiverForm | None = None,
    mail_form: MailForm | None = None,
) -> dict[str, Any]:
    if mail_form is None and entry.id == pasted.ITEM_ID:
        mail_form = MailForm(found.target.mail_domain)
    row = row_of(found, entry)
    return {
        "instance": found,
        "row": row,
        "item": entry,
        "form": form or AnswerForm(entry),
        "waiver_form": waiver_form or WaiverForm(entry),
        "mail_form": mail_form,
        "in_place": _in_place(request),
        "may_edit": may_edit(person(request), found),
        "history": Change.objects.filter(instance=found, item_id=entry.id)[:20],
    }


@require_POST
def answer(request: HttpRequest, domain: str, item_id: str) -> HttpResponse:
    """Records met or not met; what was typed comes back with the error when it does not fit."""
    found, entry = _found(person(request), domain, item_id, Role.EDITOR)
    if not entry.takes_answers:
        raise Http404
    form = AnswerForm(entry, request.POST)
    if not form.is_valid():
        return _again(request, item_context(request, found, entry, form=form))
    given = form.cleaned_data
    answers.attest(
        found,
        entry,
        person(request),
        met=given["met"],
        note=given["note"],
        link=given["link"],
        days=given["days"],
    )
    return _answered(request, found, entry)


@require_POST
def waive(request: HttpRequest, domain: str, item_id: str) -> HttpResponse:
    """Sets an item aside with a reason and an end."""
    found, entry = _found(person(request), domain, item_id, Role.EDITOR)
    form = WaiverForm(entry, request.POST)
    if not form.is_valid():
        return _again(request, item_context(request, found, entry, waiver_form=form))
    given = form.cleaned_data
    answers.waive(
        found, entry, person(request), kind=given["kind"], reason=given["reason"], days=given["days"]
    )
    return _answered(request, found, entry)


@require_POST
def withdraw(request: HttpRequest, domain: str, item_id: str) -> HttpResponse:
    """Takes an answer or a waiver back."""
    found, entry = _found(person(request), domain, item_id, Role.EDITOR)
    answers.withdraw(found, entry)
    return _answered(request, found, entry)


@require_POST
def dkim_message(request: HttpRequest, domain: str) -> HttpResponse:
    """Takes a mail that the server sent, verifies its signatures and watches its selectors.  A plain form:
    the answer is a page in any case."""
    user = person(request)
    found, entry = _found(user, domain, pasted.ITEM_ID, Role.EDITOR)
    form = MailForm(found.target.mail_domain, request.POST, request.FILES)
    if form.is_valid() and form.mail is not None:
        proven = pasted.prove(form.mail)
        if pasted.own_signatures(proven):
            pasted.keep(found, user, form.mail, proven)
            queue_scan(found, "manual")
            for line in pasted.told(proven).splitlines():
                messages.success(request, line)
            messages.info(request, _("The selectors are watched from now on."))
            return redirect(reverse("item", args=[found.domain, entry.id]))
        by = ", ".join(dict.fromkeys(s.domain or "?" for s in proven.signatures))
        form.refuse("not_own", sender=proven.from_domain, by=by)
    return render(
        request, "checklist/item.html", item_context(request, found, entry, mail_form=form), status=422
    )


def _again(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    if _in_place(request):
        # htmx swaps nothing on an error status, and the reader must see the message.
        return render(request, "checklist/line.html", context | {"open": True})
    return render(request, "checklist/item.html", context, status=422)


def _answered(request: HttpRequest, found: Instance, entry: Item) -> HttpResponse:
    """htmx: the line anew and the counts above it; a plain form: back to the item's page."""
    if not _in_place(request):
        return redirect(reverse("item", args=[found.domain, entry.id]))
    rows = rows_of(found)
    standing = posture(rows)
    scanned = Scan.objects.filter(instance=found, state=ScanState.DONE).exists()
    context = item_context(request, found, entry)
    context |= {"posture": standing, "sentence": sentence(standing, scanned=scanned)}
    context |= {"scanned": scanned, "open": True}
    return render(request, "checklist/answered.html", context)
