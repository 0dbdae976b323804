"""The items of an instance: how each stands, and what people say of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import get_language
from ninja import Router
from pydantic import Field

from checks.clean import clean
from checks.model import Item, Level
from fedisec.accounts.models import Role
from fedisec.api.models import Scope
from fedisec.api.problems import Problem
from fedisec.api.v1 import paging, reach
from fedisec.api.v1.filled import filled, refused
from fedisec.api.v1.paging import Cursor, Limit
from fedisec.api.v1.reach import Key
from fedisec.api.v1.schemas import AnswerOut, AttestationIn, Basis, ItemOut, Page, WaiverIn
from fedisec.checklist import answers
from fedisec.checklist.board import Row, row_of, rows_of
from fedisec.checklist.forms import DAYS, AnswerForm, WaiverForm
from fedisec.checklist.models import Attestation, Waiver
from fedisec.checklist.own import find
from fedisec.checklist.state import State
from fedisec.instances.models import Instance
from fedisec.lib.visible import harmless

router = Router(tags=["items"])
ItemId = Annotated[str, Field(max_length=60)]


@reach.serves(router, "GET", "/instances/{int:instance}/items", Scope.READ, Page[ItemOut])
def list_items(
    request: HttpRequest,
    response: HttpResponse,
    instance: Key,
    cursor: Cursor = "",
    limit: Limit = paging.MOST,
    state: State | None = None,
    level: Level | None = None,
) -> dict[str, Any]:
    """The whole checklist in its order, the team's own items last."""
    found = reach.instance(request, instance)
    rows = [
        row for row in rows_of(found) if state in (None, row.state.state) and level in (None, row.item.level)
    ]
    return _piece(
        request, response, [_item(found, row) for row in _cut(rows, cursor, limit)], rows, cursor, limit
    )


@reach.serves(router, "GET", "/instances/{int:instance}/answers", Scope.READ, Page[AnswerOut])
def list_answers(
    request: HttpRequest,
    response: HttpResponse,
    instance: Key,
    cursor: Cursor = "",
    limit: Limit = paging.MOST,
) -> dict[str, Any]:
    """What people said and nobody took back, in the order of the checklist."""
    found = reach.instance(request, instance)
    said = [
        {
            "item_id": row.item.id,
            "kind": kind,
            "attestation": _attestation(row.attestation) if kind == "attestation" else None,
            "waiver": _waiver(row.waiver) if kind == "waiver" else None,
        }
        for row in rows_of(found)
        for kind, one in (("attestation", row.attestation), ("waiver", row.waiver))
        if one is not None
    ]
    return _piece(request, response, _cut(said, cursor, limit), said, cursor, limit)


@reach.serves(router, "GET", "/instances/{int:instance}/items/{item_id}", Scope.READ, ItemOut)
def get_item(request: HttpRequest, instance: Key, item_id: ItemId) -> dict[str, Any]:
    """One of them."""
    found = reach.instance(request, instance)
    return _item(found, row_of(found, _asked(found, item_id)))


@reach.serves(router, "PUT", "/instances/{int:instance}/items/{item_id}/attestation", Scope.WRITE, ItemOut)
def attest_item(
    request: HttpRequest, instance: Key, item_id: ItemId, payload: AttestationIn
) -> dict[str, Any]:
    """Answers an item that only a person can settle; an answer before it ends."""
    found = reach.instance(request, instance, Role.EDITOR)
    asked = _asked(found, item_id)
    if not asked.takes_answers:
        raise Problem(409, "conflict", "the machine settles this item")
    words = {"met": "yes" if payload.met else "no", "note": payload.note, "link": payload.link}
    days = payload.days if payload.days is not None else DAYS[0][0]  # else the item's own
    form = AnswerForm(asked, filled({**words, "days": days}))
    if not form.is_valid():
        raise refused(form)
    given = form.cleaned_data | ({"days": None} if payload.days is None else {})
    try:
        answers.attest(found, asked, reach.person(request), basis=payload.basis, **given)
    except answers.AlreadyAnswered as error:
        raise Problem(409, "answered") from error
    return _item(found, row_of(found, asked))


@reach.serves(router, "PUT", "/instances/{int:instance}/items/{item_id}/waiver", Scope.WRITE, ItemOut)
def waive_item(request: HttpRequest, instance: Key, item_id: ItemId, payload: WaiverIn) -> dict[str, Any]:
    """Sets an item aside, with a reason and an end."""
    found = reach.instance(request, instance, Role.EDITOR)
    asked = _asked(found, item_id)
    form = WaiverForm(asked, filled(payload.model_dump(exclude={"basis"})))
    if not form.is_valid():
        raise refused(form)
    said = form.cleaned_data
    try:
        answers.waive(
            found,
            asked,
            reach.person(request),
            kind=said["kind"],
            reason=said["reason"],
            until=form.ends,
            basis=payload.basis,
        )
    except answers.AlreadyAnswered as error:
        raise Problem(409, "answered") from error
    return _item(found, row_of(found, asked))


@reach.serves(router, "DELETE", "/instances/{int:instance}/items/{item_id}/answers", Scope.WRITE, ItemOut)
def withdraw_answers(
    request: HttpRequest, instance: Key, item_id: ItemId, basis: Basis | None = None
) -> dict[str, Any]:
    """Takes back what was said of an item; it stays in the history."""
    found = reach.instance(request, instance, Role.EDITOR)
    asked = _asked(found, item_id)
    try:
        answers.withdraw(found, asked, reach.person(request), basis=basis)
    except answers.AlreadyAnswered as error:
        raise Problem(409, "answered") from error
    return _item(found, row_of(found, asked))


def _asked(found: Instance, item_id: str) -> Item:
    asked = find(found, item_id)
    if asked is None:
        raise Problem(404, "not_found")
    return asked


def _cut(rows: Sequence[Any], cursor: str, limit: int) -> Sequence[Any]:
    begin = paging.after(cursor) or 0
    return rows[begin : begin + limit]


def _piece(
    request: HttpRequest,
    response: HttpResponse,
    results: Sequence[Any],
    rows: Sequence[Any],
    cursor: str,
    limit: int,
) -> dict[str, Any]:
    end = (paging.after(cursor) or 0) + limit
    return paging.answer(request, response, results, paging.cursor_of(end) if end < len(rows) else "")


def _item(found: Instance, row: Row) -> dict[str, Any]:
    language, item = get_language() or "en", row.item
    return {
        "id": item.id,
        "topic": item.topic,
        "level": item.level,
        "title": item.title.in_language(language),
        "state": row.state.state,
        "decided_by": row.state.by,
        "since": row.state.since,
        "summary": row.summary(language),
        "expected": item.expected.in_language(language),
        "machine": _machine(row),
        "attestation": _attestation(row.attestation),
        "waiver": _waiver(row.waiver),
        "takes_answers": item.takes_answers,
        "basis": answers.basis_of(row),
        "url": settings.PUBLIC_URL + reverse("item", args=[f"{found.domain}~{found.team_id}", item.id]),
    }


def _machine(row: Row) -> dict[str, Any] | None:
    seen = row.machine
    if seen is None:
        return None
    return {
        "status": seen.status,
        "code": seen.code,
        "reason": seen.reason or None,
        "detail": seen.detail,
        "data": harmless(seen.data),
        "evidence": evidence_of(seen.evidence),
        "since": seen.since,
        "looked_at": seen.seen_at,
    }


def evidence_of(stored: Sequence[Sequence[str]]) -> list[dict[str, str]]:
    """With control characters made visible."""
    return [{"label": clean(label, 200, newlines=False), "text": clean(text)} for label, text in stored]


def _attestation(said: Attestation | None) -> dict[str, Any] | None:
    if said is None:
        return None
    return {
        "met": said.met,
        "note": clean(said.note),
        "link": said.link,
        "by": str(said.by) if said.by else None,
        "at": said.created_at,
        "until": said.valid_until,
    }


def _waiver(waiver: Waiver | None) -> dict[str, Any] | None:
    if waiver is None:
        return None
    return {
        "kind": waiver.kind,
        "reason": clean(waiver.reason),
        "by": str(waiver.by) if waiver.by else None,
        "at": waiver.created_at,
        "until": waiver.valid_until,
    }
