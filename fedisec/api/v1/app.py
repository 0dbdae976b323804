"""The API itself: what it is called, how bodies are read, and what is said when something does not fit."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.parser import Parser

from checks.errors import ParseError
from checks.parse.json_caps import load_object
from fedisec.api.problems import Problem, answer_of
from fedisec.lib.bounds import Full

_SHOWN = 20  # errors of one request


class Careful(Parser):
    """Bodies from programs: an object, of bounded depth and numbers, that a database can store."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        found = load_object(request.body.decode("utf-8"))
        text = json.dumps(found, ensure_ascii=False)
        text.encode("utf-8")  # half a surrogate pair is no text
        if "\\u0000" in text:
            raise ParseError("a null character")
        return found


api = NinjaAPI(
    title="fedisec",
    version="1",
    urls_namespace="api-v1",
    docs_url=None,
    openapi_url=None,
    parser=Careful(),
)


@api.exception_handler(Problem)
def _problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    return answer_of(problem)


@api.exception_handler(Http404)
def _not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return answer_of(Problem(404, "not_found"))


@api.exception_handler(HttpError)
def _unread(request: HttpRequest, error: HttpError) -> HttpResponse:
    """What ninja itself raises: for a body that `Careful` refused."""
    return answer_of(Problem(400, "json"))


@api.exception_handler(Full)
def _full(request: HttpRequest, full: Full) -> HttpResponse:
    said = _("As many as there may be: %(count)d.") % {"count": full.limit}
    return answer_of(Problem(409, "full", said))


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return answer_of(Problem(422, "invalid", errors=list(_errors(error.errors))))


def _errors(found: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, str]]:
    for one in list(found)[:_SHOWN]:
        # ("body", "payload", "days"): where it stood, our name for it, and the field.
        place = [str(step)[:100] for step in one["loc"]]
        kept = place[2:] if place[:1] == ["body"] else place[1:]
        yield {"field": ".".join(kept), "detail": str(one["msg"])[:300]}
