"""The words about support that ends, as a part of the mail with news."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fedisec.alerts.letters.page import Note, Point, Points, Prose, Section
from fedisec.alerts.letters.words import after, as_written, joined, line
from fedisec.alerts.models import Notice

KIND = "ends"  # in Notice.data
ENDS_MAX = 50
_NAMED_MAX = 5  # servers named beside one end


@dataclass(frozen=True, slots=True)
class End:
    """`running`: name of a server -> the version it runs."""

    title: str
    day: date
    support: str
    goes_to: str = ""
    running: dict[str, str] = field(default_factory=dict)


class Ends:
    """What notices of this kind tell, each end once; the nearest first.  `rest`: the other notices.  Days are
    counted from when it was heard, `now` where there is no notice."""

    def __init__(self, notices: Sequence[Notice], now: datetime) -> None:
        mine = [notice for notice in notices if _is_ours(notice)]
        heard = max((notice.created_at for notice in mine), default=now)
        self._today = timezone.localtime(heard).date()
        self.rest = [notice for notice in notices if not _is_ours(notice)]
        self.found = _found(mine)

    @property
    def names(self) -> set[str]:
        return {name for end in self.found for name in end.running}

    @property
    def subject(self) -> str:
        if len(self.found) == 1:
            end = self.found[0]
            return _("support of %(title)s ends on %(day)s") % {
                "title": line(end.title, 50),
                "day": _on(end.day),
            }
        words = ngettext(
            "support of %(count)d product ends", "support of %(count)d products ends", len(self.found)
        )
        return words % {"count": len(self.found)} if self.found else ""

    def section(self, link: str) -> Section:
        blocks: list[Points | Prose] = [Points(tuple(self._point(end) for end in self.found[:ENDS_MAX]))]
        rest = len(self.found) - ENDS_MAX
        if rest > 0:
            words = ngettext("And %(count)d more:", "And %(count)d more:", rest)
            blocks.append(Prose(words % {"count": rest}, link))
        return Section(_("Support that ends:"), tuple(blocks))

    def _point(self, end: End) -> Point:
        notes = [Note("", after(self._when(end), self._where_to(end)))]
        if end.running:
            notes.append(Note(_("Runs here:"), _servers(end.running)))
        return Point(end.title, notes=tuple(notes))

    def _when(self, end: End) -> str:
        days = (end.day - self._today).days
        values = {"day": _on(end.day), "days": days}
        if days < 0:
            return _("It ended on %(day)s.") % values
        if end.support == "long_term":
            words = ngettext(
                "Long-term support ends on %(day)s, in %(days)d day.",
                "Long-term support ends on %(day)s, in %(days)d days.",
                days,
            )
        else:
            words = ngettext(
                "Support ends on %(day)s, in %(days)d day.",
                "Support ends on %(day)s, in %(days)d days.",
                days,
            )
        return words % values

    def _where_to(self, end: End) -> str:
        return _("Go to %(version)s.") % {"version": end.goes_to} if end.goes_to else ""


def of_week(rows: Sequence[Any], now: datetime) -> list[Section]:
    """What a digest says of one server: rows of fedisec.watch.endings.of_week."""
    keys = ("product", "branch", "support", "day", "goes_to")
    found = [
        end
        for row in rows
        if isinstance(row, list) and (end := _end(dict(zip(keys, row, strict=False)))) is not None
    ]
    ends = Ends((), now)
    ends.found = sorted(found, key=lambda end: (end.day, end.title))
    return [ends.section("")] if found else []


def _is_ours(notice: Notice) -> bool:
    return isinstance(notice.data, dict) and notice.data.get("kind") == KIND


def _found(notices: Iterable[Notice]) -> list[End]:
    found: dict[tuple[str, str, date], End] = {}
    for notice in notices:
        rows = notice.data.get("ends")
        for row in rows if isinstance(rows, list) else ():
            end = _end(row) if isinstance(row, dict) else None
            if end is not None:
                found.setdefault((end.title, end.support, end.day), end).running.update(end.running)
    return sorted(found.values(), key=lambda end: (end.day, end.title))


def _end(row: Mapping[str, Any]) -> End | None:
    """None for what names no product or no day."""
    title = " ".join(filter(None, (line(row.get("product"), 60), line(row.get("branch"), 40))))
    try:
        day = date.fromisoformat(str(row.get("day")))
    except ValueError:
        return None
    named = row.get("instances")
    running = {
        as_written(one["domain"]): line(one.get("version"), 60)
        for one in (named if isinstance(named, list) else ())
        if isinstance(one, dict) and one.get("domain")
    }
    return (
        End(title, day, line(row.get("support"), 20), line(row.get("goes_to"), 60), running)
        if title
        else None
    )


def _on(day: date) -> str:
    return date_format(day, "DATE_FORMAT")


def _servers(running: Mapping[str, str]) -> str:
    named = [f"{name} ({version})" if version else name for name, version in sorted(running.items())]
    rest = len(named) - _NAMED_MAX
    if rest <= 0:
        return joined(named)
    return joined((*named[:_NAMED_MAX], ngettext("%(count)d more", "%(count)d more", rest) % {"count": rest}))
