"""The one sentence that says where an instance stands, and how pages write a moment."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fedisec.checklist.board import Posture
from fedisec.checklist.state import State


def stamp(moment: datetime, form: str = "DATETIME_FORMAT") -> SafeString:
    """A moment as `<time>`: short to read, exact for machines and under the pointer."""
    local = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        date_format(local, "DATETIME_FORMAT"),
        date_format(local, form),
    )


def sentence(posture: Posture, *, scanned: bool, failed: bool = False) -> str:
    """What is not met, since when, and what waits for a person; in the active language, as HTML.
    `failed`: the newest scan broke off."""
    if not scanned:
        return _("The first scan broke off.") if failed else _("The first scan is on its way.")
    if posture.required_not_met:
        return _not_met(posture)
    required = posture.levels[0]
    waiting = posture.states.get(State.NEEDS_YOU, 0)
    if required.met == required.applicable:
        return _("Every required item is met.")
    return ngettext(
        "No required item fails. %(count)d item waits for your answer.",
        "No required item fails. %(count)d items wait for your answer.",
        waiting,
    ) % {"count": waiting}


def _not_met(posture: Posture) -> SafeString:
    count = posture.required_not_met
    since = posture.not_met_since
    values = {
        "count": count,
        "date": stamp(since, "MONTH_DAY_FORMAT") if since else "",
        "new": posture.new,
    }
    if since is None:
        first = ngettext(
            "%(count)d required item is not met.", "%(count)d required items are not met.", count
        )
    else:
        first = ngettext(
            "%(count)d required item is not met since %(date)s.",
            "%(count)d required items are not met, the oldest since %(date)s.",
            count,
        )
    if not posture.new:
        return mark_safe(first % values)
    second = ngettext("%(new)d is new.", "%(new)d are new.", posture.new)
    # Translators: two sentences in a row; some languages put no space between them.
    return mark_safe(_("%(first)s %(second)s") % {"first": first % values, "second": second % values})
