"""The words of reminders: what is still not met, the oldest first; and of answers whose time is over soon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fedisec.alerts.letters.page import Block, Page, Point, Points, Prose, Section
from fedisec.alerts.letters.reading import Mail
from fedisec.alerts.letters.words import (
    address,
    counted,
    day,
    item_link,
    level_word,
    line,
    link_of,
    long,
    name_of,
    servers,
    subject_line,
    when,
)
from fedisec.alerts.models import MailKind, Notice
from fedisec.instances.models import Instance
from fedisec.scans.models import REACH

INSTANCES_MAX = 20
ITEMS_MAX = 50


@dataclass(frozen=True, slots=True)
class Open:
    """A reminder that still has something to say."""

    instance: Instance
    item_id: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Ends:
    """An answer (or `waiver`) that ends, or has ended by now; `asks`: without an end, looked at yearly."""

    instance: Instance
    item_id: str
    at: datetime | None
    waiver: bool
    asks: bool
    over: bool


def reminders(mail: Mail, notices: Sequence[Notice]) -> Page:
    """Of both kinds, over all instances of the mail."""
    still = _open(notices)
    ends = _ends(mail, notices)
    told = _instances(still, ends) or list(mail.instances.values())
    name = name_of(told[0]) if len(told) == 1 else servers(len(told))
    sections: list[Section] = []
    room = ITEMS_MAX
    for instance in told[:INSTANCES_MAX]:
        blocks, used = _of_one(mail, instance, still, ends, room)
        room -= used
        if len(told) > 1:
            sections.append(Section(name_of(instance), url=link_of(instance), chapter=True))
        sections += blocks
        if room <= 0:
            break
    close = [Prose(_rest(len(still) + len(ends) - (ITEMS_MAX - room)), _link(told))]
    if not still and not ends:
        close = [Prose(_("All of it is met again, or somebody has answered meanwhile."), _link(told))]
    return Page(
        subject_line(name, _news(still, ends)),
        name,
        lead=(Prose(name, strong=True), *((Prose(_lead(still)),) if still else ())),
        sections=tuple(sections),
        close=tuple(close),
        foot=(Prose(_("How often fedisec reminds you is for you to choose, as is whether it does.")),),
        is_answer=True,
    )


def _link(told: Sequence[Instance]) -> str:
    return link_of(told[0]) if len(told) == 1 else address("overview")


def _instances(still: Sequence[Open], ends: Sequence[Ends]) -> list[Instance]:
    """Who has waited longest stands first."""
    found = {one.instance.pk: one.instance for one in still}
    for end in ends:
        found.setdefault(end.instance.pk, end.instance)
    return list(found.values())


def _open(notices: Sequence[Notice]) -> list[Open]:
    """The oldest first, each once; what was met or acknowledged since is left out."""
    found: dict[tuple[int, str], Open] = {}
    for notice in notices:
        incident, instance = notice.incident, notice.instance
        if notice.kind != MailKind.REMINDER or instance is None:
            continue
        if incident is not None and (incident.closed_at or incident.acknowledged_at):
            continue
        data = notice.data if isinstance(notice.data, dict) else {}
        item_id = incident.item_id if incident is not None else line(data.get("item"), 60)
        since = incident.opened_at if incident is not None else when(data.get("since")) or notice.created_at
        found.setdefault((instance.pk, item_id), Open(instance, item_id, since))
    return sorted(found.values(), key=lambda one: (one.since, one.instance.domain, one.item_id))


def _ends(mail: Mail, notices: Sequence[Notice]) -> list[Ends]:
    """From Notice.data as fedisec.alerts.endings stores it; the first to end first."""
    found: dict[tuple[int, str, bool], Ends] = {}
    for notice in notices:
        if notice.kind != MailKind.ENDING or notice.instance is None:
            continue
        data: dict[str, Any] = notice.data if isinstance(notice.data, dict) else {}
        at = when(data.get("at"))
        waiver = data.get("kind") == "waiver"
        over = data.get("days") == 0 or (at is not None and at <= mail.now)
        one = Ends(notice.instance, line(data.get("item"), 60), at, waiver, bool(data.get("asks")), over)
        found[notice.instance.pk, one.item_id, waiver] = one  # the newest word counts
    return sorted(found.values(), key=lambda one: (one.at or mail.now, one.instance.domain, one.item_id))


def _of_one(
    mail: Mail, instance: Instance, still: Sequence[Open], ends: Sequence[Ends], room: int
) -> tuple[list[Section], int]:
    """Its sections, and how many items they name."""
    sections = []
    mine = [one for one in still if one.instance.pk == instance.pk][: max(room, 0)]
    if mine:
        points: list[Block] = [Points(tuple(_reminder(mail, one) for one in mine))]
        sections.append(Section(_("Still not met:"), tuple(points)))
    left = room - len(mine)
    for over, title in ((True, _("No longer answered:")), (False, _("Ends soon:"))):
        some = [one for one in ends if one.instance.pk == instance.pk and one.over is over][: max(left, 0)]
        left -= len(some)
        if some:
            sections.append(Section(title, (Points(tuple(_ending(mail, one) for one in some)),)))
    return sections, room - left


def _reminder(mail: Mail, one: Open) -> Point:
    values = {"day": day(one.since), "long": long(one.since, mail.now)}
    if one.item_id == REACH:
        words, mark = _("The server does not answer"), ""
    else:
        words, mark = mail.items.title(one.item_id), level_word(mail.items.level(one.item_id))
    since = _("since %(day)s, for %(long)s") % values
    return Point(words, item_link(one.instance, one.item_id), mark, since)


def _ending(mail: Mail, one: Ends) -> Point:
    at = day(one.at) if one.at is not None else ""
    if one.asks:
        words = _("Set aside without an end, over a year ago: does it still hold?")
    elif one.waiver and one.over:
        words = _("It was set aside until %(day)s, and counts again.") % {"day": at}
    elif one.waiver:
        words = _("It is set aside until %(day)s, and counts again from then on.") % {"day": at}
    elif one.over:
        words = _("Your answer held until %(day)s; it is a question again.") % {"day": at}
    else:
        words = _("Your answer holds until %(day)s, then it is a question again.") % {"day": at}
    mark = level_word(mail.items.level(one.item_id))
    return Point(mail.items.title(one.item_id), item_link(one.instance, one.item_id), mark, words)


def _lead(still: Sequence[Open]) -> str:
    oldest = min(one.since for one in still)
    words = ngettext(
        "%(count)d item is still not met, since %(day)s.",
        "%(count)d items are still not met, the oldest since %(day)s.",
        len(still),
    )
    said = words % {"count": len(still), "day": day(oldest)}
    how = _(
        "Each link leads to the page where it can be acknowledged (no more reminders of it) or set aside "
        "with a reason."
    )
    return f"{said}\n{how}"


def _news(still: Sequence[Open], ends: Sequence[Ends]) -> str:
    soon, over = sum(not one.over for one in ends), sum(one.over for one in ends)
    said = ngettext("%(count)d item is still not met", "%(count)d items are still not met", len(still))
    gone = ngettext("%(count)d answer has ended", "%(count)d answers have ended", over)
    nearly = ngettext("%(count)d answer ends soon", "%(count)d answers end soon", soon)
    rows = ((said, len(still)), (gone, over), (nearly, soon))
    return counted(words % {"count": count} for words, count in rows if count) or _(
        "nothing is left to remind you of"
    )


def _rest(count: int) -> str:
    if count <= 0:
        return ""
    return ngettext("And %(count)d more:", "And %(count)d more:", count) % {"count": count}
