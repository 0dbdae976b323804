"""What is answered when a request broke, or was refused before anybody looked at what it wants."""

from __future__ import annotations

import sys

from django.core.exceptions import (
    BadRequest,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.template.loader import render_to_string
from django.views import defaults

from fedisec.lib.away import is_away

RETRY_AFTER_S = 10


def server_error(request: HttpRequest) -> HttpResponse:
    """Called while the exception is handled.  503 where the database is away, for whoever asks again by
    itself; else 500.  Neither page needs the database."""
    if is_away(sys.exc_info()[1]):
        headers = {"Retry-After": str(RETRY_AFTER_S)}
        return HttpResponse(render_to_string("503.html"), status=503, headers=headers)
    return defaults.server_error(request)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """413 for what is too much, else 400; what was wrong is for the log."""
    if isinstance(exception, RequestDataTooBig | TooManyFieldsSent | TooManyFilesSent):
        return page(413)
    return page(400)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404.  Django's own reads the form that was sent, to check a token that it needs for nothing, and breaks
    over one that cannot be read: nobody has tried to read it before, as there is no page to send it to."""
    try:
        return defaults.page_not_found(request, exception)
    except (BadRequest, SuspiciousOperation, MultiPartParserError) as error:
        return bad_request(request, error)


def page(status: int) -> HttpResponse:
    """A page in both languages, for a request of which nothing is known: it needs no session."""
    return HttpResponse(render_to_string(f"{status}.html"), status=status)
