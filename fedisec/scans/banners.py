"""What every page says while fedisec itself sees nothing; named in `settings.BANNERS`."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from fedisec.scans import outlook


def blind(request: HttpRequest) -> list[tuple[str, str, str]]:
    """Level, sentence and no link.  At most half a minute old; no query in between."""
    found = outlook.blind()
    if found is None:
        return []
    since = date_format(timezone.localtime(found.since), "DATETIME_FORMAT")
    if found.everywhere:
        text = _(
            "fedisec itself has had no network since %(since)s. Nothing is judged until it is back, and no "
            "scan is lost."
        )
        return [("error", text % {"since": since}, "")]
    text = _(
        "%(hosts)s, which scans for fedisec, has had no network since %(since)s. Other machines go on "
        "scanning."
    )
    return [("warning", text % {"hosts": ", ".join(found.hosts), "since": since}, "")]
