"""The words about news from elsewhere: a new version of the software, a warning of a vulnerability."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from fedisec.alerts.letters.ends import Ends
from fedisec.alerts.letters.page import Note, Page, Point, Points, Prose, Section
from fedisec.alerts.letters.reading import Mail
from fedisec.alerts.letters.words import (
    address,
    as_written,
    counted,
    day,
    joined,
    line,
    link_of,
    moment,
    name_of,
    servers,
    subject_line,
    web_address,
    when,
)
from fedisec.alerts.models import Notice

RELEASES_MAX, WARNINGS_MAX = 20, 50
_RUNNING_MAX = 5  # servers named beside one piece of news
_RELEASE, _ADVISORY = "release", "advisory"


@dataclass(frozen=True, slots=True)
class News:
    """One entry of a feed.  `running`: name of a server -> the version it runs, "" where it does not say."""

    title: str
    url: str = ""
    is_release: bool = False
    is_urgent: bool = False
    is_flaw: bool = False
    at: datetime | None = None
    source: str = ""
    detail: str = ""
    running: dict[str, str] = field(default_factory=dict)


def news(mail: Mail, notices: Sequence[Notice]) -> Page:
    """From Notice.data, each key of which may be missing: "kind" (release, warning or advisory), "title",
    "software", "version", "url", "urgent", "published" (ISO 8601), "source", "severity", "summary", "runs"
    (what the instance of the notice runs), "instances": [{"domain", "version"}, …]; of an advisory also
    "rated" ([word, by], with a vector also CVSS's version and score) and "fixed": versions that end it."""
    ends = Ends(notices, mail.now)
    told = _told(ends.rest)
    releases = [one for one in told if one.is_release]
    warnings = [one for one in told if not one.is_release]
    instances = mail.instances
    name = _name(mail, told, ends.names)
    link = link_of(next(iter(instances.values()))) if len(instances) == 1 else address("overview")
    at = moment(max((notice.created_at for notice in notices), default=mail.now))
    sections = [_section(_("New versions:"), releases, RELEASES_MAX, link)] if releases else []
    flaws = [one for one in told if one.is_flaw]
    warnings = [one for one in warnings if not one.is_flaw]
    if flaws:
        sections.insert(0, _section(_("Published flaws of what you run:"), flaws, WARNINGS_MAX, link))
    if warnings:
        sections.append(_section(_("Warnings that may concern what you run:"), warnings, WARNINGS_MAX, link))
    if ends.found:
        sections.append(ends.section(link))
    lead = [Prose(_("%(name)s, heard on %(moment)s") % {"name": name, "moment": at})]
    if any(one.is_urgent for one in releases):
        lead.append(Prose(_("A new version closes security holes: update soon."), strong=True))
    if any(one.is_urgent for one in flaws):
        lead.append(
            Prose(_("A serious flaw in the version that runs was published: update soon."), strong=True)
        )
    return Page(
        subject_line(name, counted((_subject(releases, warnings, flaws), ends.subject))),
        name,
        lead=tuple(lead),
        sections=tuple(sections),
        close=(Prose("", link),),
        foot=(
            Prose(_("This is what others have published. fedisec has compared names and versions, no more.")),
        ),
    )


def _name(mail: Mail, told: Sequence[News], more: Iterable[str] = ()) -> str:
    names = {name for one in told for name in one.running} | set(more)
    names |= {name_of(instance) for instance in mail.instances.values()}
    if len(names) == 1:
        return names.pop()
    return servers(len(names)) if names else "fedisec"


def _told(notices: Iterable[Notice]) -> list[News]:
    """Each piece of news once, with every server it is about; urgent ones first, then the newest."""
    found: dict[tuple[str, str], News] = {}
    for notice in notices:
        data = notice.data if isinstance(notice.data, dict) else {}
        one = _news(data)
        known = found.setdefault((one.title, one.url), one)
        known.running.update(_running(notice, data))
    late = max((one.at.timestamp() for one in found.values() if one.at is not None), default=0.0)
    return sorted(
        found.values(),
        key=lambda one: (
            not one.is_urgent,
            late - one.at.timestamp() if one.at is not None else late,
            one.title,
        ),
    )


def _news(data: Mapping[str, Any]) -> News:
    data = {**data, **_in_own_language(data)}
    kind = data.get("kind") or data.get("what")
    parts = (line(data.get("software"), 60), line(data.get("version"), 60))
    title = line(data.get("title"), 200)
    is_release = kind == _RELEASE or (kind is None and bool(parts[1]))
    if is_release and all(parts):
        title = " ".join(parts)
    return News(
        title or " ".join(part for part in parts if part) or _("without a title"),
        web_address(data.get("url")),
        is_release,
        data.get("urgent") is True,
        kind == _ADVISORY,
        when(data.get("published") or data.get("at")),
        line(data.get("source"), 100),
        _flaw_in_short(data) if kind == _ADVISORY else line(data.get("severity") or data.get("summary"), 300),
    )


def _flaw_in_short(data: Mapping[str, Any]) -> str:
    """How bad it is, by whom, and what ends it."""
    rated, fixed = data.get("rated"), data.get("fixed")
    given = [line(one, 40) for one in rated] if isinstance(rated, list) else []
    parts = []
    if len(given) == 4:
        parts.append(
            _("%(word)s: CVSS %(version)s %(score)s, by the vector of %(by)s")
            % {"word": given[0], "by": given[1], "version": given[2], "score": given[3]}
        )
    elif given and given[0]:
        parts.append(_("%(word)s, as given by %(by)s") % {"word": given[0], "by": given[1]})
    ends = [line(one, 40) for one in fixed][:6] if isinstance(fixed, list) else []
    if ends:
        parts.append(_("ends with %(versions)s") % {"versions": joined(ends)})
    return joined(parts)


def _in_own_language(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Title, address and source of the same news in the reader's language, where it is told in that."""
    languages = data.get("in")
    own = languages.get((get_language() or "").partition("-")[0]) if isinstance(languages, dict) else None
    return own if isinstance(own, dict) else {}


def _running(notice: Notice, data: Mapping[str, Any]) -> dict[str, str]:
    rows = data.get("instances")
    found = {}
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and row.get("domain"):
            found[as_written(row["domain"])] = line(row.get("version") or row.get("runs"), 60)
        elif isinstance(row, str):
            found[as_written(row)] = ""
    if notice.instance is not None and not found:
        found.setdefault(name_of(notice.instance), line(data.get("runs"), 60))
    return found


def _section(title: str, told: Sequence[News], most: int, link: str) -> Section:
    blocks: list[Points | Prose] = [Points(tuple(_point(one) for one in told[:most]))]
    if len(told) > most:
        rest = len(told) - most
        blocks.append(
            Prose(ngettext("And %(count)d more:", "And %(count)d more:", rest) % {"count": rest}, link)
        )
    return Section(title, tuple(blocks))


def _point(one: News) -> Point:
    notes = []
    about = joined((one.source, day(one.at) if one.at is not None else "", one.detail))
    if about:
        notes.append(Note("", about))
    if one.running:
        notes.append(Note(_("Runs here:"), _servers(one.running)))
    return Point(one.title, one.url, _("urgent") if one.is_urgent else "", notes=tuple(notes))


def _servers(running: Mapping[str, str]) -> str:
    named = [f"{name} ({version})" if version else name for name, version in sorted(running.items())]
    rest = len(named) - _RUNNING_MAX
    if rest <= 0:
        return joined(named)
    more = ngettext("%(count)d more", "%(count)d more", rest) % {"count": rest}
    return joined((*named[:_RUNNING_MAX], more))


def _subject(releases: Sequence[News], warnings: Sequence[News], flaws: Sequence[News] = ()) -> str:
    found = _flaws_in_short(flaws)
    urgent = sum(one.is_urgent for one in releases)
    if len(releases) == 1:
        form = _("%(title)s is out (urgent)") if urgent else _("%(title)s is out")
        first = form % {"title": line(releases[0].title, 50)}
    elif urgent:
        first = _("%(count)d new versions, %(urgent)d of them urgent") % {
            "count": len(releases),
            "urgent": urgent,
        }
    else:
        words = ngettext("%(count)d new version", "%(count)d new versions", len(releases))
        first = words % {"count": len(releases)} if releases else ""
    words = ngettext("%(count)d warning", "%(count)d warnings", len(warnings))
    return counted((found, first, words % {"count": len(warnings)} if warnings else ""))


def _flaws_in_short(flaws: Sequence[News]) -> str:
    if len(flaws) == 1:
        return line(flaws[0].title, 60)
    words = ngettext("%(count)d published flaw", "%(count)d published flaws", len(flaws))
    return words % {"count": len(flaws)} if flaws else ""
