"""The one sentence that says where an instance stands, and how pages write a moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import reduce
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fedisec.checklist.board import Posture
from fedisec.checklist.state import State

if TYPE_CHECKING:
    from fedisec.checklist.overview import Totals

_FRESH = timedelta(minutes=1)  # for which "0 minutes" reads badly


def stamp(moment: datetime, form: str = "DATETIME_FORMAT") -> SafeString:
    """A moment as `<time>`: short to read, exact for machines and under the pointer."""
    local = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        date_format(local, "DATETIME_FORMAT"),
        date_format(local, form),
    )


def ago(moment: datetime) -> SafeString:
    """How long ago a moment was, in one unit, as `<time>` with the exact one."""
    local = timezone.localtime(moment)
    long = timezone.now() - moment
    words = _("just now") if long < _FRESH else _("%(long)s ago") % {"long": timesince(moment, depth=1)}
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        date_format(local, "DATETIME_FORMAT"),
        words,
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


def filled(text: str, values: Mapping[str, int | str]) -> SafeString:
    """A sentence of ours with its values, of which only what `stamp` and its like made is markup."""
    put = {
        name: value if isinstance(value, int) else conditional_escape(value) for name, value in values.items()
    }
    return SafeString(escape(text) % put)  # nosec B703 - both sides are escaped


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
        return filled(first, values)
    second = ngettext("%(new)d is new.", "%(new)d are new.", posture.new)
    return filled(_after(first, second), values)


def _after(first: str, second: str) -> str:
    # Translators: two sentences in a row; some languages put no space between them.
    return _("%(first)s %(second)s") % {"first": first, "second": second}


def sentence_over_all(totals: Totals) -> str:
    """The same over all instances: how many, how many need a hand, and where to begin."""
    first = ngettext("%(count)d instance.", "%(count)d instances.", totals.instances)
    parts = [first % {"count": totals.instances}, *_over_all(totals)]
    return reduce(_after, parts)


def _over_all(totals: Totals) -> list[str]:
    if not totals.first_needing:
        if totals.all_met and totals.all_met == totals.instances:
            return [_("Every required item is met.")]
        if not totals.scanned:
            return [_("The first results are on their way.")]
        met = ngettext(
            "Every required item is met on %(count)d of them; elsewhere answers are missing.",
            "Every required item is met on %(count)d of them; elsewhere answers are missing.",
            totals.all_met,
        )
        return (
            [_("No required item fails."), met % {"count": totals.all_met}]
            if totals.all_met
            else [_("No required item fails.")]
        )
    needing = ngettext("%(count)d needs a hand:", "%(count)d need a hand:", totals.needing)
    values = {"count": totals.not_met, "name": totals.first_needing}
    if not totals.not_met:
        rest = _("begin with %(name)s.")
    elif totals.needing == 1:
        rest = ngettext(
            "%(count)d required item is not met on %(name)s.",
            "%(count)d required items are not met on %(name)s.",
            totals.not_met,
        )
    else:
        rest = ngettext(
            "%(count)d required item is not met; begin with %(name)s.",
            "%(count)d required items are not met; begin with %(name)s.",
            totals.not_met,
        )
    return [needing % {"count": totals.needing}, rest % values]
