"""What every template may use."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.module_loading import import_string

Banner = tuple[str, str, str]  # "warning" or "error", one sentence, and where to do something about it or ""


def site(request: HttpRequest) -> dict[str, object]:
    """Version and colours, and what `settings.BANNERS` has to say to somebody who is signed in.

    The latter is found when a page shows it: fragments of pages and the pages of errors never ask."""
    theme = request.COOKIES.get("theme", "auto")
    return {
        "fedisec_version": settings.VERSION,
        "mail_folder": SimpleLazyObject(lambda: import_string(settings.MAIL_FOLDER)()),
        "banners": SimpleLazyObject(lambda: banners(request)),
        "theme": theme if theme in {"light", "dark"} else "auto",
    }


def banners(request: HttpRequest) -> list[Banner]:
    """In the order of the setting; nothing for a stranger."""
    if not request.user.is_authenticated:
        return []
    return [banner for path in settings.BANNERS for banner in import_string(path)(request)]
