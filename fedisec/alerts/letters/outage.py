"""The words for operators: fedisec itself saw nothing, or did not run, and is back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fedisec.alerts.letters.page import Page, Point, Points, Prose
from fedisec.alerts.letters.reading import Mail
from fedisec.alerts.letters.words import address, line, moment, span, subject_line, when
from fedisec.alerts.models import Notice

STOPPED = "stopped"


def outage(mail: Mail, notices: Sequence[Notice]) -> Page:
    """From Notice.data as fedisec.alerts.outage stores it."""
    data = notices[-1].data if isinstance(notices[-1].data, dict) else {}
    stopped = data.get("what") == STOPPED
    host = line(data.get("host"), 60)
    news = _("fedisec did not run for a while") if stopped else _("no network for a while, now it is back")
    return Page(
        subject_line("" if stopped else host, news),
        "fedisec",
        lead=(Prose(_what(data, notices[-1], stopped), strong=True), *_meanwhile(data, stopped)),
        sections=(),
        close=(Prose(_("How it stands now:"), address("overview")),),
        foot=(Prose(_("fedisec mails this once, when it is over, to those who run it.")),),
    )


def _what(data: dict[str, Any], notice: Notice, stopped: bool) -> str:
    since, until = when(data.get("since")), when(data.get("until"))
    host = line(data.get("host"), 253)
    if since is None or until is None:
        values = {"at": moment(until or notice.created_at), "host": host or "fedisec"}
        if stopped:
            return _("fedisec runs again since %(at)s.") % values
        return _("%(host)s has its network back since %(at)s.") % values
    values = {"span": span(since, until), "host": host or "fedisec"}
    if stopped:
        return _("fedisec did not run %(span)s.") % values
    return _("%(host)s, which scans for fedisec, had no network %(span)s.") % values


def _meanwhile(data: dict[str, Any], stopped: bool) -> tuple[Prose | Points, ...]:
    waited, dropped, missed = (_number(data.get(key)) for key in ("waited", "dropped", "missed"))
    lines = []
    if missed:
        words = ngettext(
            "%(count)d server was not looked at in time; its turn is now.",
            "%(count)d servers were not looked at in time; their turn is now.",
            missed,
        )
        lines.append(words % {"count": missed})
    if waited:
        words = ngettext(
            "%(count)d scan waited; its turn is now.", "%(count)d scans waited; their turn is now.", waited
        )
        lines.append(words % {"count": waited})
    if dropped:
        words = ngettext(
            "%(count)d look saw only our own fault; it was dropped and is repeated.",
            "%(count)d looks saw only our own fault; they were dropped and are repeated.",
            dropped,
        )
        lines.append(words % {"count": dropped})
    if stopped:
        last = _(
            "Nothing was lost: what is due is worked off, the oldest first. Was this not planned, look at "
            "the log of the service and of the machine."
        )
    else:
        last = _("Nothing of it counts against any server, and nobody was told of it.")
    listed = (Points(tuple(Point(text) for text in lines)),) if lines else ()
    return (*listed, Prose(last))


def _number(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0
