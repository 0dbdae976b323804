"""What people say about an item: answers, waivers, remarks, and taking them back."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from checks.model import Item
from fedisec.accounts.models import Role
from fedisec.checklist import answers, undoing
from fedisec.checklist.forms import AnswerForm, RemarkForm, WaiverForm
from fedisec.checklist.item_page import Forms, answered, context_of, found_for, show
from fedisec.checklist.models import Undo
from fedisec.checklist.own import find
from fedisec.instances.access import instance_for
from fedisec.instances.models import Instance
from fedisec.scans.views import person


@require_POST
def answer(request: HttpRequest, domain: str, item_id: str) -> HttpResponse:
    """Records met or not met; what was typed comes back with the error when it does not fit."""
    found, entry = found_for(person(request), domain, item_id, Role.EDITOR)
    if not entry.takes_answers:
        raise Http404
    form = AnswerForm(entry, request.POST)
    if not form.is_valid():
        return _again(request, found, entry, Forms(answer=form))
    try:
        undo = answers.attest(
            found, entry, person(request), basis=request.POST.get("basis"), **form.cleaned_data
        )
    except answers.AlreadyAnswered:
        return _again(request, found, entry, Forms(answer=form, conflict=True))
    return _done(request, found, entry, undo)


@require_POST
def waive(request: HttpRequest, domain: str, item_id: str) -> HttpResponse:
    """Sets an item aside with a reason and an end."""
    found, entry = found_for(person(request), domain, item_id, Role.EDITOR)
    form = WaiverForm(entry, request.POST)
    if not form.is_valid():
        return _again(request, found, entry, Forms(waiver=form))
    given = form.cleaned_data
    try:
        undo = answers.waive(
            found,
            entry,
            person(request),
            kind=given["kind"],
            reason=given["reason"],
            until=form.ends,
            basis=request.POST.get("basis"),
        )
    except answers.AlreadyAnswered:
        return _again(request, found, entry, Forms(waiver=form, conflict=True))
    return _done(request, found, entry, undo)


@require_POST
def withdraw(request: HttpRequest, domain: str, item_id: str) -> HttpResponse:
    """Takes an answer or a waiver back."""
    found, entry = found_for(person(request), domain, item_id, Role.EDITOR)
    try:
        undo = answers.withdraw(found, entry, person(request), basis=request.POST.get("basis"))
    except answers.AlreadyAnswered:
        return _again(request, found, entry, Forms(conflict=True))
    return _done(request, found, entry, undo)


@require_POST
def remark(request: HttpRequest, domain: str, item_id: str) -> HttpResponse:
    """Adds a remark to the thread of an item."""
    found, entry = found_for(person(request), domain, item_id, Role.EDITOR)
    form = RemarkForm(entry, request.POST)
    if not form.is_valid():
        return _again(request, found, entry, Forms(remark=form))
    return _done(
        request, found, entry, answers.remark(found, entry, person(request), form.cleaned_data["text"])
    )


@require_POST
def undo(request: HttpRequest, domain: str, pk: int) -> HttpResponse:
    """Restores what stood before one's own last act; says so when that can no longer be done."""
    found = instance_for(person(request), domain, Role.EDITOR)
    undoing.forget(request)
    try:
        items = answers.undo(found, person(request), pk, lambda key: find(found, key))
        said = _("Undone: it is as it was before.")
    except answers.TooLate:
        items = _items_of(found, request, pk)
        said = _("It was too late to undo, or somebody has answered since. Nothing was changed.")
    if len(items) == 1:
        return answered(request, found, items[0], said)
    messages.info(request, said)
    return redirect(reverse("instance", args=[found.address]) + "#list")


def _items_of(found: Instance, request: HttpRequest, pk: int) -> list[Item]:
    """The items of one's own act, to lead back to."""
    act = Undo.objects.filter(pk=pk, by=person(request), instance=found).first()
    keys = act.steps["items"] if act is not None else []
    return [item for item in (find(found, key) for key in keys[:2]) if item is not None]


def _done(request: HttpRequest, found: Instance, entry: Item, undo: Undo) -> HttpResponse:
    undoing.remember(request, undo)
    return answered(request, found, entry)


def _again(request: HttpRequest, found: Instance, entry: Item, forms: Forms) -> HttpResponse:
    return show(request, context_of(request, found, entry, forms), wrong=True)
