"""The OpenAPI 3.1 document, made from the functions behind the addresses; kept by `manage.py openapi`."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from typing import Any

from ninja.openapi import get_schema

from fedisec.api.problems import MEDIA, TITLES
from fedisec.api.v1.app import api

_DESCRIPTION = (
    "What the dashboard knows, for programs. Each request shows a token in `Authorization: Bearer fds_…`; "
    "the scope that an operation needs stands in its `security`. Texts for people are in the language of "
    "`Accept-Language` (en or ja), codes never change. Lists come in pieces of 100 at most: `next_cursor`, "
    "and `Link` with rel=next. Every `GET` has an `ETag` and takes `If-None-Match`."
)
# What any operation may answer beside its own, and the headers that say more.
_PROBLEMS: dict[int, tuple[str, tuple[str, ...]]] = {
    400: ("The request could not be read.", ()),
    401: ("No token, or one that opens nothing.", ("WWW-Authenticate",)),
    403: ("The token is not for that, or the role of its person does not suffice.", ()),
    404: ("Not there, or not for this person.", ()),
    405: ("That method does nothing here.", ("Allow",)),
    413: ("More than 64 KiB.", ()),
    415: ("A body that is not application/json.", ()),
    422: ("Some values do not fit; `errors` says which.", ()),
    429: ("Too many requests, or too soon after the last look.", ("Retry-After",)),
}
_CONFLICT = ("It does not fit what is there now.", ())
_LIMITS = ("RateLimit", "RateLimit-Policy")


def document() -> dict[str, Any]:
    """As it is served."""
    importlib.import_module("fedisec.api.v1.routes")  # puts the operations there
    found: dict[str, Any] = json.loads(json.dumps(get_schema(api, path_prefix="/api/v1")))
    found["info"] |= {"description": _DESCRIPTION, "license": {"name": "AGPL-3.0-or-later"}}
    found["servers"] = [{"url": "/"}]
    parts = found["components"]
    parts["schemas"]["Problem"] = _problem()
    parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "fds_…"}}
    for method, operation in _operations(found):
        _complete(method, operation)
    return found


def _operations(found: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in found["paths"].values():
        yield from path.items()


def _complete(method: str, operation: dict[str, Any]) -> None:
    for given in operation["responses"].values():
        given["headers"] = {name: {"schema": {"type": "string"}} for name in _LIMITS}
    if method == "get":
        operation["responses"]["304"] = {"description": "As If-None-Match has it."}
    said = dict(_PROBLEMS)
    if method != "get":
        said[409] = _CONFLICT
    for status, (words, headers) in sorted(said.items()):
        answer: dict[str, Any] = {
            "description": words,
            "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        if headers:
            answer["headers"] = {name: {"schema": {"type": "string"}} for name in headers}
        operation["responses"][str(status)] = answer


def _problem() -> dict[str, Any]:
    text = {"type": "string"}
    errors = {
        "type": "object",
        "properties": {"field": text, "detail": text},
        "required": ["field", "detail"],
    }
    return {
        "title": "Problem",
        "description": "RFC 9457. `cause` is for programs and never changes; the rest is for people.",
        "type": "object",
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": text,
            "status": {"type": "integer"},
            "cause": {"type": "string", "enum": list(TITLES)},
            "detail": text,
            "errors": {"type": "array", "items": errors},
        },
        "required": ["type", "title", "status", "cause"],
    }
