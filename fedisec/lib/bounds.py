"""How much a team may keep: reached, nothing more of the kind is stored, and a page says so."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


class Full(Exception):
    """There is as much as there may be.  `kind`: a key of `settings.BOUNDS`."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind
        self.limit: int = settings.BOUNDS[kind]


def room(kind: str, found: QuerySet[Any]) -> None:
    """Raises Full where `found` are as many as `kind` allows.  To be asked in the transaction that adds one,
    after the row that they belong to was locked: otherwise two at once go past the limit."""
    if found.count() >= settings.BOUNDS[kind]:
        raise Full(kind)


def page(request: HttpRequest, full: Full) -> HttpResponse:
    return render(request, "full.html", {"kind": full.kind, "limit": full.limit}, status=409)
