"""Room on the disk that holds the data folder, and with it, without PostgreSQL, the database."""

from __future__ import annotations

import shutil

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from fedisec.lib.context import Banner

LOW_BYTES = 16 * 1024 * 1024  # a scan writes well below a megabyte, a migration some more


def banner(request: HttpRequest) -> list[Banner]:
    """Said while there is hardly room to write; one system call."""
    if not settings.SQLITE or shutil.disk_usage(settings.DATA).free >= LOW_BYTES:
        return []
    said = _("The disk with %(folder)s is full. Nothing new is stored until there is room again.")
    return [("error", said % {"folder": settings.DATA}, "")]
