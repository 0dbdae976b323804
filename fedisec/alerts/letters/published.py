"""What others published in a week, for the digest: from the data that fedisec.watch.weekly made."""

from __future__ import annotations

from typing import Any

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from fedisec.alerts.letters.page import Point, Points, Prose, Section
from fedisec.alerts.letters.words import address, line, web_address


def published(data: Any, domain: str) -> list[Section]:
    """The newest release, repairs that wait, the newest warnings in the reader's language; nothing for
    nothing.  `domain`: as in addresses of pages, "" = there is none."""
    if not isinstance(data, dict):
        return []
    link = address("news", domain) if domain else address("overview")
    titles = data.get("titles")
    told = [one for row in titles if (one := _warning(row))] if isinstance(titles, list) else []
    points = [*_release(data.get("release")), *_repairs(_number(data.get("repairs")), link), *told]
    if not points:
        return []
    blocks: list[Points | Prose] = [Points(tuple(points))]
    rest = _number(data.get("warnings")) - len(told)
    if rest > 0:
        words = ngettext("%(count)d further warning:", "%(count)d further warnings:", rest)
        blocks.append(Prose(words % {"count": rest}, link))
    return [Section(_("Published elsewhere this week:"), tuple(blocks))]


def _release(row: Any) -> list[Point]:
    if not isinstance(row, list) or len(row) < 4:
        return []
    title = f"{line(row[0], 60)} {line(row[1], 60)}"
    words = _("%(title)s is out (urgent)") if row[3] is True else _("%(title)s is out")
    return [Point(words % {"title": title}, web_address(row[2]))]


def _repairs(count: int, link: str) -> list[Point]:
    words = ngettext(
        "Updates of installed packages repair %(count)d known flaw",
        "Updates of installed packages repair %(count)d known flaws",
        count,
    )
    return [Point(words % {"count": count}, link)] if count else []


def _warning(row: Any) -> Point | None:
    if not isinstance(row, dict):
        return None
    told = row.get((get_language() or "").partition("-")[0]) or row.get("")
    if not isinstance(told, list) or len(told) < 2 or not line(told[0], 200):
        return None
    return Point(line(told[0], 200), web_address(told[1]))


def _number(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0
