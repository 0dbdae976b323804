"""What is answered when a request broke."""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse
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
