"""What every template may use."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, object]:
    """The version, and whether mails go to a folder because no relay was set."""
    return {"fedisec_version": settings.VERSION, "mail_to_folder": not settings.EMAIL_URL}
