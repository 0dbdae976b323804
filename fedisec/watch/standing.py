"""How a feed stands, for the page of sources and for its banner."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from checks.errors import Reason
from checks.parse.freshness import STALE_AFTER
from checks.reasons import REASONS
from fedisec.watch.doubts import Doubt
from fedisec.watch.models import Source


class Standing(StrEnum):
    READ = "read"
    FAILING = "failing"  # the last tries failed, what was read before is still fresh
    STALE = "stale"  # no good answer for STALE_AFTER
    SILENT = "silent"  # tried, and never a good answer
    HELD = "held"  # it answers, and is not believed
    WAITING = "waiting"  # not tried yet
    ASLEEP = "asleep"  # nobody needs it
    OFF = "off"


def standing_of(source: Source, now: datetime) -> Standing:
    if not source.enabled:
        return Standing.OFF
    if source.held:
        return Standing.HELD
    if source.last_ok_at is None:
        if source.failing_since is not None:
            return Standing.SILENT
        return Standing.ASLEEP if source.next_fetch_at is None else Standing.WAITING
    if source.next_fetch_at is None:
        return Standing.ASLEEP
    if now - source.last_ok_at > STALE_AFTER:
        return Standing.STALE
    return Standing.FAILING if source.failing_since is not None else Standing.READ


WORDS: dict[Standing, Promise] = {
    Standing.READ: pgettext_lazy("feed", "read"),
    Standing.FAILING: pgettext_lazy("feed", "last try failed"),
    Standing.STALE: pgettext_lazy("feed", "out of date"),
    Standing.SILENT: pgettext_lazy("feed", "never answered well"),
    Standing.HELD: pgettext_lazy("feed", "held: hard to believe"),
    Standing.WAITING: pgettext_lazy("feed", "not read yet"),
    Standing.ASLEEP: pgettext_lazy("feed", "nobody here needs it"),
    Standing.OFF: pgettext_lazy("feed", "switched off"),
}
# Standing -> (class of the colour, shape of the sprite)
MARKS: dict[Standing, tuple[str, str]] = {
    Standing.READ: ("met", "met"),
    Standing.FAILING: ("warning", "warning"),
    Standing.STALE: ("warning", "warning"),
    Standing.SILENT: ("could_not_check", "unseen"),
    Standing.HELD: ("needs_you", "needs-you"),
    Standing.WAITING: ("not_applicable", "waiting"),
    Standing.ASLEEP: ("not_applicable", "not-applicable"),
    Standing.OFF: ("not_applicable", "paused"),
}

DOUBTS: dict[Doubt, Promise] = {
    Doubt.EMPTY: _("It had entries before, and has none now."),
    Doubt.NO_RELEASES: _("None of its entries names a version."),
    Doubt.BACKWARD: _("Its newest entry is older than what it said before."),
    Doubt.LEAP: _("Its newest version is more than one major version ahead of all that is known."),
    Doubt.FUTURE: _("An entry is dated in the future."),
    Doubt.VANISHED: _("Most of what it said before is missing or withdrawn all at once."),
}


def doubt_words(held: str) -> str:
    try:
        return str(DOUBTS[Doubt(held)])
    except ValueError:
        return held


def error_words(source: Source, language: str) -> str:
    """What went wrong last, in the reader's language, with the technical detail behind it."""
    if not source.error_reason or source.held:
        return ""
    try:
        said = REASONS[Reason(source.error_reason)].in_language(language)
    except ValueError:
        return source.last_error  # "HTTP 503"
    return f"{said} {source.last_error}".strip()
