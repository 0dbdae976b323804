"""What every template may use."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, object]:
    """Version and colours; whether mails go to a folder because no relay was set."""
    theme = request.COOKIES.get("theme", "auto")
    return {
        "fedisec_version": settings.VERSION,
        "mail_folder": "" if settings.EMAIL_URL else settings.EMAIL_FILE_PATH,
        "theme": theme if theme in {"light", "dark"} else "auto",
    }
