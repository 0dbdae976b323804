"""The offer to undo, shown once on the next page of who acted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from fedisec.checklist.answers import UNDO_S
from fedisec.checklist.models import Undo
from fedisec.instances.models import Instance

_KEY = "undo"


@dataclass(frozen=True, slots=True)
class Offer:
    """An act that can still be undone, and to how many items it was done."""

    pk: int
    count: int
    note: bool  # a remark, no answer


def remember(request: HttpRequest, undo: Undo) -> None:
    """Keeps the offer for the next page."""
    steps = undo.steps
    request.session[_KEY] = {
        "pk": undo.pk,
        "instance": undo.instance_id,
        "items": steps["items"][:1],
        "count": len(steps["items"]),
        "note": "note" in steps["made"],
        "until": undo.at.timestamp() + UNDO_S,
    }


def forget(request: HttpRequest) -> None:
    request.session.pop(_KEY, None)


def offer(request: HttpRequest, instance: Instance, item_id: str = "") -> Offer | None:
    """What can be undone on this page: of one item on its own page, of several on the instance's.  No query
    beyond the session's."""
    kept: dict[str, Any] | None = request.session.get(_KEY)
    if not kept or kept["instance"] != instance.pk or timezone.now().timestamp() > kept["until"]:
        return None
    if item_id and kept["items"] != [item_id]:
        return None
    return Offer(kept["pk"], kept["count"], kept["note"])
