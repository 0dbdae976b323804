"""Headers on every answer, what is refused at the door, and the language and time zone of the viewer."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from fedisec.lib import bounds, errors

Handler = Callable[[HttpRequest], HttpResponse]

PATH_MAX = 1024  # characters; the longest of ours is a domain, an item and some words
QUERY_MAX = 4096
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_OWN = ("same-origin", "none")  # "none": typed, or from a bookmark
_CONTROL = re.compile(r"[\x00-\x1f\x7f]|%00", re.ASCII)

_HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()",
    "X-Frame-Options": "DENY",  # also on what is refused before Django's own middleware
    "X-Permitted-Cross-Domain-Policies": "none",
}


def headers(get_response: Handler) -> Handler:
    """Adds the headers Django has no setting for; nothing but static files may be cached."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if not request.path.startswith(f"/{settings.STATIC_URL.strip('/')}/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return middleware


def door(get_response: Handler) -> Handler:
    """Refuses what no page of ours sends, before a view or the database sees it: addresses without end or
    with control characters, and requests that another site makes in the name of who is signed in.

    The latter by the browser's own word (Sec-Fetch-*, W3C Fetch Metadata); who sends none is no browser of
    today and still meets the CSRF check."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if _is_odd(request.path, PATH_MAX) or _is_odd(request.META.get("QUERY_STRING", ""), QUERY_MAX):
            return errors.page(400)
        if request.method not in _SAFE and request.headers.get("Sec-Fetch-Site", _OWN[0]) not in _OWN:
            return errors.page(403)
        return get_response(request)

    def process_view(request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """A page for people who are signed in is opened by another site as a whole, or not at all."""
        is_open = getattr(view, "login_required", True) is False
        embedded = request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate" or request.headers.get(
            "Sec-Fetch-Dest", "document"
        ) in {"embed", "frame", "iframe", "object"}
        foreign = request.headers.get("Sec-Fetch-Site", _OWN[0]) not in _OWN
        return errors.page(403) if foreign and embedded and not is_open else None

    def process_exception(request: HttpRequest, error: Exception) -> HttpResponse | None:
        return bounds.page(request, error) if isinstance(error, bounds.Full) else None

    middleware.process_view = process_view  # type: ignore[attr-defined]  # Django looks for them there
    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware


def _is_odd(text: str, longest: int) -> bool:
    """Too long, or with a control character, written out or percent-encoded."""
    return len(text) > longest or _CONTROL.search(text) is not None


def viewer(get_response: Handler) -> Handler:
    """Shows pages in the signed-in user's language (where chosen) and time zone."""

    def middleware(request: HttpRequest) -> HttpResponse:
        user = request.user
        if not user.is_authenticated:
            return get_response(request)
        if user.language and not request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME):
            translation.activate(user.language)
            request.LANGUAGE_CODE = translation.get_language() or "en"
        with timezone.override(zone(user.time_zone)):
            return get_response(request)

    return middleware


def zone(name: str) -> zoneinfo.ZoneInfo | None:
    """The time zone of that name; None (the installation's own) for a name that does not exist."""
    try:
        return zoneinfo.ZoneInfo(name) if name else None
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None
