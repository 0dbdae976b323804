"""The one sentence that says where an instance stands."""

from __future__ import annotations

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fedisec.checklist.board import Posture
from fedisec.checklist.state import State


def sentence(posture: Posture, *, scanned: bool) -> str:
    """What is not met, since when, and what waits for a person; in the active language."""
    if not scanned:
        return _("The first scan is on its way.")
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


def _not_met(posture: Posture) -> str:
    count = posture.required_not_met
    since = posture.not_met_since
    values = {
        "count": count,
        "date": date_format(timezone.localtime(since), "MONTH_DAY_FORMAT") if since else "",
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
        return first % values
    second = ngettext("%(new)d is new.", "%(new)d are new.", posture.new)
    # Translators: two sentences in a row; some languages put no space between them.
    return _("%(first)s %(second)s") % {"first": first % values, "second": second % values}
