"""The last door out: no page holds a control character or a mark that turns the direction of writing,
wherever the text came from.  What hosts say is cleaned when it is read; what people type, here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from checks.clean import clean

Handler = Callable[[HttpRequest], HttpResponseBase]
_TEXTS = ("text/", "image/svg")


def harmless(value: Any) -> Any:
    """The same with every text in it cleaned, for a document that is written as JSON."""
    if isinstance(value, str):
        return clean(value, len(value))
    if isinstance(value, dict):
        return {key: harmless(part) for key, part in value.items()}
    return [harmless(part) for part in value] if isinstance(value, list) else value


def visible(get_response: Handler) -> Handler:
    """Shows them as marks.  Stands below CommonMiddleware, which says how long an answer is; what is streamed
    is an export, and written clean."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if isinstance(response, HttpResponse) and response.get("Content-Type", "").startswith(_TEXTS):
            text = response.content.decode(response.charset, "replace")
            shown = "\r\n".join(clean(part, len(part)) for part in text.split("\r\n"))
            if shown != text:
                response.content = shown.encode(response.charset)
        return response

    return middleware
