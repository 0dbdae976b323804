"""Lists a piece at a time: a cursor says behind which row the next piece begins, whatever came or went."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from pydantic import Field

from fedisec.api.problems import Problem
from fedisec.api.v1.reach import KEY_MAX

MOST = 100
Limit = Annotated[int, Field(ge=1, le=MOST, description="How many at most.")]
Cursor = Annotated[
    str,
    Field(max_length=100, description="`next_cursor` of the piece before; what it is made of may change."),
]
M = TypeVar("M", bound=Model)


def after(cursor: str) -> int | None:
    """The number in a cursor, None for the beginning.  Problem for what never was one."""
    if not cursor:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor.encode("ascii") + b"==").decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    number = text.removeprefix("after ")
    if text == number or not number.isdecimal() or len(number) > 19 or int(number) > KEY_MAX:
        raise Problem(422, "invalid", errors=[{"field": "cursor", "detail": "not a cursor of this list"}])
    return int(number)


def cursor_of(number: int) -> str:
    return base64.urlsafe_b64encode(f"after {number}".encode()).decode().rstrip("=")


def piece(found: QuerySet[M], cursor: str, limit: int, *, newest_first: bool = False) -> tuple[list[M], str]:
    """The rows behind the cursor by their key, and the cursor of the next piece ("" at the end)."""
    begin = after(cursor)
    if begin is not None:
        found = found.filter(pk__lt=begin) if newest_first else found.filter(pk__gt=begin)
    rows = list(found.order_by("-pk" if newest_first else "pk")[: limit + 1])
    return rows[:limit], cursor_of(rows[limit - 1].pk) if len(rows) > limit else ""


def answer(
    request: HttpRequest, response: HttpResponse, results: Sequence[Any], next_cursor: str
) -> dict[str, Any]:
    """The body of a list, with the address of the next piece in `Link` (RFC 8288)."""
    if next_cursor:
        query = request.GET.copy()
        query["cursor"] = next_cursor
        url = f"{settings.PUBLIC_URL}{request.path}?{query.urlencode()}"
        response["Link"] = f'<{url}>; rel="next"'
    return {"results": results, "next_cursor": next_cursor or None}
