"""The news of alarms in one line: what happened, and how often."""

from __future__ import annotations

from dataclasses import astuple, dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fedisec.alerts.letters.items import Items
from fedisec.alerts.letters.story import Story
from fedisec.alerts.letters.words import counted

_PARTS_MAX = 3  # of a subject: its end is not read anyway


@dataclass(frozen=True, slots=True)
class Tally:
    """How much of each kind of news there is.  `required`: of those in `worse`; `down` to `up`: servers."""

    down: int = 0
    outages: int = 0
    unsteady: int = 0
    up: int = 0
    worse: int = 0
    required: int = 0
    certificates: int = 0
    flapping: int = 0
    calmed: int = 0
    better: int = 0
    returned: int = 0
    blind: int = 0

    @classmethod
    def of(cls, story: Story, certificates: int, items: Items) -> Tally:
        return cls(
            down=int(story.down is not None),
            outages=int(story.outage is not None),
            unsteady=int(story.unsteady is not None),
            up=int(story.up is not None),
            worse=len(story.worse),
            required=sum(items.is_required(change.item_id) for change in story.worse),
            certificates=certificates,
            flapping=len(story.flapping),
            calmed=len(story.calmed),
            better=len(story.better),
            returned=len(story.returned),
            blind=sum(_many(change.data) for change in story.blind),
        )

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(mine + yours for mine, yours in zip(astuple(self), astuple(other), strict=True)))

    @property
    def total(self) -> int:
        counts: tuple[int, ...] = astuple(self)
        return sum(counts) - self.required


def _many(data: object) -> int:
    items = data.get("items") if isinstance(data, dict) else None
    return max(len(items), 1) if isinstance(items, list) else 1


def news_of(tally: Tally, *, many: bool = False, whole: bool = False, ending: str = "") -> str:
    """What happened, the worst first.  `many`: servers, so those that do not answer are counted; `whole`: all
    of it, where a subject has the three weightiest parts; `ending`: what is to be said of a certificate."""
    servers = _servers(tally) if many else _server(tally, ending)
    parts = [part for part in (*servers, _worse(tally), *_items(tally)) if part]
    return counted(parts if whole else parts[:_PARTS_MAX]) or _("something changed")


def _server(tally: Tally, ending: str) -> list[str]:
    """Its name stands in front."""
    said = (
        (_("does not answer"), tally.down),
        (_("answers only at times"), tally.unsteady),
        (ending or _("the certificate ends soon"), tally.certificates),
        (_("answers again"), tally.up),
        (_("did not answer for a while"), tally.outages),
    )
    return [words for words, count in said if count]


def _servers(tally: Tally) -> list[str]:
    down = ngettext("%(count)d does not answer", "%(count)d do not answer", tally.down)
    unsteady = ngettext("%(count)d answers only at times", "%(count)d answer only at times", tally.unsteady)
    ending = ngettext(
        "%(count)d certificate ends soon", "%(count)d certificates end soon", tally.certificates
    )
    up = ngettext("%(count)d answers again", "%(count)d answer again", tally.up)
    outages = ngettext(
        "%(count)d did not answer for a while", "%(count)d did not answer for a while", tally.outages
    )
    said = (
        (down, tally.down),
        (unsteady, tally.unsteady),
        (ending, tally.certificates),
        (up, tally.up),
        (outages, tally.outages),
    )
    return [words % {"count": count} for words, count in said if count]


def _worse(tally: Tally) -> str:
    count, required = tally.worse, tally.required
    if not count:
        return ""
    if required == count:
        words = ngettext(
            "%(count)d required item is no longer met", "%(count)d required items are no longer met", count
        )
    elif required:
        words = _("%(count)d items are no longer met, %(required)d of them required")
    else:
        words = ngettext("%(count)d item is no longer met", "%(count)d items are no longer met", count)
    return words % {"count": count, "required": required}


def _items(tally: Tally) -> list[str]:
    flapping = ngettext("%(count)d item goes to and fro", "%(count)d items go to and fro", tally.flapping)
    calmed = ngettext("%(count)d item came to rest", "%(count)d items came to rest", tally.calmed)
    again = tally.better + tally.returned
    better = ngettext("%(count)d item is met again", "%(count)d items are met again", again)
    blind = ngettext("%(count)d item could not be seen", "%(count)d items could not be seen", tally.blind)
    said = ((flapping, tally.flapping), (calmed, tally.calmed), (better, again), (blind, tally.blind))
    return [words % {"count": count} for words, count in said if count]
