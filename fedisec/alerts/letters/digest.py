"""The words of the week: for each server where it stands, what changed, and what will."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fedisec.alerts.letters.ends import of_week
from fedisec.alerts.letters.page import Page, Point, Points, Prose, Section
from fedisec.alerts.letters.published import published
from fedisec.alerts.letters.reading import Mail
from fedisec.alerts.letters.words import (
    address,
    after,
    as_written,
    counted,
    day,
    level_word,
    line,
    moment,
    servers,
    subject_line,
    when,
)
from fedisec.alerts.models import Notice

INSTANCES_MAX = 20


class Week:
    """One server of a digest, as fedisec.alerts.week stores it; what is missing there is nothing here."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data
        self.domain = line(data.get("domain"), 253)
        self.name = as_written(self.domain)
        self.link = address("instance", self.domain) if _is_name(self.domain) else address("overview")

    def number(self, key: str) -> int:
        return _number(self._data.get(key))

    def at(self, key: str) -> datetime | None:
        return when(self._data.get(key))

    def rows(self, key: str) -> list[Any]:
        value = self._data.get(key)
        return value if isinstance(value, list) else []

    def __getitem__(self, key: str) -> bool:
        return bool(self._data.get(key))

    @property
    def moved(self) -> bool:
        return any(self.number(key) for key in ("worse", "better", "rejudged", "silences"))

    @property
    def is_quiet(self) -> bool:
        """Nothing changed, and nothing asks for a word beyond where it stands."""
        keys = ("worse", "better", "rejudged", "silences", "ends", "unseen")
        return not any(self.number(key) for key in keys) and not self.published and not self.rows("coming")

    @property
    def published(self) -> list[Section]:
        return published(self._data.get("news"), self.domain if _is_name(self.domain) else "")

    @property
    def is_loud(self) -> bool:
        return not self.is_quiet


def digest(mail: Mail, notices: Sequence[Notice]) -> Page:
    """The newest week that the notices tell of."""
    notice = notices[-1]
    data: dict[str, Any] = notice.data if isinstance(notice.data, dict) else {}
    listed = data.get("listed")
    weeks = [Week(row) for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    sums = Week(data["sums"]) if isinstance(data.get("sums"), dict) else Week({})
    count = max(_number(data.get("instances")), len(weeks))
    if count == 1 and weeks:
        return _about_one(mail, weeks[0], _dates(data, notice))
    name = servers(count)
    loud = [week for week in weeks if week.is_loud][:INSTANCES_MAX]
    sections: list[Section] = []
    for week in loud:
        sections.append(Section(week.name, (Prose(_stands(week)),), week.link, chapter=True))
        sections += _lists(mail, week)
    quiet = [week for week in weeks if week not in loud]
    return Page(
        subject_line(name, _news(sums)),
        name,
        lead=(Prose(_title(name, _dates(data, notice))), Prose(_sum(sums), strong=True)),
        sections=(*sections, *_calm(quiet, count - len(weeks), loud)),
        close=(Prose("", address("overview")),),
        foot=_foot(),
    )


def _about_one(mail: Mail, week: Week, dates: str) -> Page:
    nothing = () if week.moved else (Prose(_("Nothing changed.")),)
    return Page(
        subject_line(week.name, _news(week)),
        week.name,
        lead=(Prose(_title(week.name, dates)), Prose(_stands(week), strong=True), *nothing),
        sections=tuple(_lists(mail, week)),
        close=(Prose("", week.link),),
        foot=_foot(),
    )


def _is_name(domain: str) -> bool:
    return bool(domain) and "/" not in domain


def _number(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _title(name: str, dates: str) -> str:
    return _("%(name)s, the week %(dates)s") % {"name": name, "dates": dates}


def _dates(data: Mapping[str, Any], notice: Notice) -> str:
    since, until = when(data.get("since")), when(data.get("until")) or notice.created_at
    if since is None:
        return _("until %(until)s") % {"until": moment(until)}
    return _("from %(since)s to %(until)s") % {"since": day(since), "until": moment(until)}


def _foot() -> tuple[Prose, ...]:
    words = _("fedisec sums up every week, also when nothing changed: silence could mean that it stopped.")
    return (Prose(words),)


def _stands(week: Week) -> str:
    """The sentence about one server."""
    unreached = week.at("unreached_since")
    if week["paused"]:
        return _("Its scheduled scans are paused.")
    if week.at("looked_at") is None:
        return _("The first scan is on its way.")
    if unreached is not None:
        return _("Nothing answers from outside since %(since)s.") % {"since": moment(unreached)}
    return after(_required(week), _warnings(week))


def _required(week: Week) -> str:
    count, since = week.number("not_met"), week.at("not_met_since")
    if not count:
        waiting = week.number("needs_you")
        if not waiting:
            return _("No required item fails.")
        words = ngettext(
            "No required item fails. %(count)d item waits for your answer.",
            "No required item fails. %(count)d items wait for your answer.",
            waiting,
        )
        return words % {"count": waiting}
    if since is None:
        words = ngettext(
            "%(count)d required item is not met.", "%(count)d required items are not met.", count
        )
        return words % {"count": count}
    words = ngettext(
        "%(count)d required item is not met since %(date)s.",
        "%(count)d required items are not met, the oldest since %(date)s.",
        count,
    )
    return words % {"count": count, "date": day(since)}


def _warnings(week: Week) -> str:
    count = week.number("warnings")
    words = ngettext("There is %(count)d warning.", "There are %(count)d warnings.", count)
    return words % {"count": count} if count else ""


def _sum(sums: Week) -> str:
    """Over all servers."""
    failing = sums.number("not_met")
    if not failing:
        return after(_("No required item fails."), _warnings(sums))
    words = ngettext("%(count)d required item is not met.", "%(count)d required items are not met.", failing)
    return after(words % {"count": failing}, _warnings(sums))


def _news(week: Week) -> str:
    """For the subject: of one server or of the sums."""
    failing, silences = week.number("not_met"), week.number("silences")
    values = {"worse": week.number("worse"), "better": week.number("better")}
    parts = [] if week.moved else [_("this week nothing changed")]
    if any(values.values()):
        parts.append(_("this week %(worse)d worse, %(better)d better") % values)
    rejudged = week.number("rejudged")
    if rejudged and not parts:
        parts.append(_("new rules this week"))
    silent = ngettext("silent %(count)d time", "silent %(count)d times", silences)
    wrong = ngettext("%(count)d required item is not met", "%(count)d required items are not met", failing)
    return counted(
        [
            *parts,
            silent % {"count": silences} if silences else "",
            wrong % {"count": failing} if failing else "",
        ]
    )


def _lists(mail: Mail, week: Week) -> list[Section]:
    """What changed, what cannot be seen, what ends."""
    changes = [row for row in week.rows("changes") if isinstance(row, list) and len(row) > 1]

    def of(kind: str) -> list[Point]:
        return [_item(mail, week, line(row[0], 60)) for row in changes if row[1] == kind]

    ends = [row for row in week.rows("endings") if isinstance(row, list) and len(row) > 3]
    unseen = [_item(mail, week, line(one, 60)) for one in week.rows("unseen_items") if isinstance(one, str)]
    found = (
        (_("No longer met:"), of("regressed"), week.number("worse")),
        (_("Met again:"), of("recovered"), week.number("better")),
        (
            _("Judged anew by new rules; the server did not change:"),
            of("rejudged"),
            week.number("rejudged"),
        ),
        (_("Could not be seen for more than three days:"), unseen, week.number("unseen")),
        (_("Ends within 14 days:"), [_end(mail, week, row) for row in ends], week.number("ends")),
    )
    sections = [_list(title, points, count, week) for title, points, count in found if count or points]
    sections += of_week(week.rows("coming"), mail.notices[-1].created_at)
    sections += week.published
    silences = week.number("silences")
    if silences:
        words = ngettext("It fell silent %(count)d time.", "It fell silent %(count)d times.", silences) % {
            "count": silences
        }
        sections.insert(0, Section("", (Prose(words),)))
    return sections


def _list(title: str, points: Sequence[Point], count: int, week: Week) -> Section:
    blocks: list[Points | Prose] = [Points(tuple(points))] if points else []
    rest = count - len(points)
    if rest > 0:
        more = ngettext("%(count)d further item:", "%(count)d further items:", rest) % {"count": rest}
        blocks.append(Prose(more, week.link))
    return Section(title, tuple(blocks))


def _item(mail: Mail, week: Week, item_id: str, title: str = "", more: str = "") -> Point:
    is_item = "." in item_id and "/" not in item_id and _is_name(week.domain)
    url = address("item", week.domain, item_id) if is_item else week.link
    return Point(title or mail.items.title(item_id), url, level_word(mail.items.level(item_id)), more)


def _end(mail: Mail, week: Week, row: Sequence[Any]) -> Point:
    kind, item_id, title, at = row[0], line(row[1], 60), line(row[2], 200), when(row[3])
    values = {"day": day(at) if at is not None else "…"}
    if len(row) > 4 and row[4]:
        words = _("Set aside without an end, over a year ago: does it still hold?")
    elif kind == "waiver":
        words = _("It is set aside until %(day)s, and counts again from then on.")
    else:
        words = _("Your answer holds until %(day)s, then it is a question again.")
    return _item(mail, week, item_id, title, words % values)


def _calm(quiet: Sequence[Week], more: int, loud: Sequence[Week]) -> list[Section]:
    """The quiet ones in a line each, and how many find no room."""
    blocks: list[Points | Prose] = []
    if quiet:
        points = [Point(week.name, week.link, more=_stands(week)) for week in quiet[:INSTANCES_MAX]]
        blocks.append(Points(tuple(points)))
    more += max(len(quiet) - INSTANCES_MAX, 0)
    if more > 0:
        blocks.append(
            Prose(ngettext("And on %(count)d more.", "And on %(count)d more.", more) % {"count": more})
        )
    if not blocks:
        return []
    if any(week.is_loud for week in quiet):
        return [Section(_("The others:"), tuple(blocks), chapter=bool(loud))]
    return [Section(_("Nothing changed on:"), tuple(blocks), chapter=bool(loud))]
