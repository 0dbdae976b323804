"""Headers on every answer, and the language and time zone of the viewer."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

Handler = Callable[[HttpRequest], HttpResponse]

_HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()",
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
