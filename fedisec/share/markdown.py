"""Markdown (CommonMark with tables) for a wiki, an issue or a handbook.  Foreign text stays text in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from checks.clean import clean
from checks.model import Level
from fedisec.checklist.board import Posture, Row, topics
from fedisec.checklist.models import Waiver
from fedisec.checklist.state import State
from fedisec.checklist.templatetags.checklist import (
    level_word,
    source_word,
    state_word,
    summary,
    tr,
    waiver_word,
)
from fedisec.share.sheet import Sheet, evidence_of, item_url

OPEN = frozenset({State.NOT_MET, State.WARNING, State.COULD_NOT_CHECK, State.NEEDS_YOU, State.ACCEPTED})

# What opens markup anywhere in a line, and what does so only at its beginning (CommonMark 4, GFM autolinks).
_MARKS = re.compile(r"([\\`*_\[\]<>#|~&$])")
_AT_START = re.compile(r"^(\d*)([.)=+-])")
_LINKS = re.compile(r"(?i)(www)(\.)|(:)(//)")


def escaped(text: str) -> str:
    """Text on one line that cannot become markup, a link or a mention."""
    line = _MARKS.sub(r"\\\1", " ".join(clean(text, 8192).split()))
    line = _LINKS.sub(r"\1\3\\\2\4", _AT_START.sub(r"\1\\\2", line))
    # An empty comment: no backslash keeps "@" from naming somebody on the forges.
    return line.replace("@", "@<!-- -->")


def fenced(text: str, indent: str = "") -> Iterator[str]:
    """A code block whose fence is longer than any that `text` may hold."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{indent}{fence}text"
    for line in clean(text).split("\n"):
        yield f"{indent}{line}"
    yield indent + fence


def of_instance(sheet: Sheet) -> Iterator[str]:
    """The whole document, line by line."""
    for line in _document(sheet):
        yield line.rstrip() + "\n"


def _document(sheet: Sheet) -> Iterator[str]:
    yield from (f"# {escaped(sheet.instance.name)}", "")
    if sheet.instance.demo:
        yield from (f"**{_('Made up for a look around; no such server exists.')}**", "")
    yield from (escaped(sheet.sentence), "")
    yield from (" · ".join(_facts(sheet)), "")
    yield from _counts(sheet.posture)
    for topic in topics(sheet.rows):
        met, applicable = sheet.by_topic[topic.id]
        yield from ("", f"## {escaped(tr(topic.title))} ({met}/{applicable})", "")
        for row in topic.rows:
            yield from _item(sheet, row)


def _facts(sheet: Sheet) -> Iterator[str]:
    if sheet.software:
        yield escaped(sheet.software)
    if sheet.looked_at:
        yield _("looked at %(at)s") % {"at": escaped(moment(sheet.looked_at))}
    yield f"<{sheet.url}>"


def _counts(standing: Posture) -> Iterator[str]:
    yield f"| {_('Level')} | {_('Met')} | {_('Applicable')} | {_('Accepted')} |"
    yield "|---|--:|--:|--:|"
    for count in standing.levels:
        yield f"| {level_word(count.level)} | {count.met} | {count.applicable} | {count.accepted} |"


def _item(sheet: Sheet, row: Row) -> Iterator[str]:
    item, state = row.item, row.state
    word = f"**{state_word(state.state)}**"
    link = f"[{escaped(tr(item.title))}]({item_url(sheet.instance, item.id)})"
    yield f"- {word} · {level_word(item.level)} · {link}"
    if state.state in OPEN:
        yield from _open(row)


def _open(row: Row) -> Iterator[str]:
    yield from ("", f"  {escaped(summary(row))}")
    if row.state.since:
        yield f"  ({_('since %(date)s') % {'date': escaped(moment(row.state.since, 'DATE_FORMAT'))}})"
    for label, text in evidence_of(row):
        yield from ("", f"  {escaped(label)}", "", *fenced(text, "  "))
    yield from ("", f"  {_('Expected')}: {escaped(tr(row.item.expected))}")
    if row.attestation is not None:
        answer = _("Met") if row.attestation.met else _("Not met")
        yield from ("", f"  {_('Answer')}: {answer}. {escaped(row.attestation.note)}")
    if row.waiver is not None:
        yield from ("", f"  {_waived(row.waiver)}: {escaped(row.waiver.reason)}")
    sources = ", ".join(escaped(f"{source_word(s.text)} {s.section}".strip()) for s in row.item.sources)
    if sources:
        yield from ("", f"  {_('Sources')}: {sources}")
    yield ""


def _waived(waiver: Waiver) -> str:
    kind, until = escaped(waiver_word(waiver.kind)), waiver.valid_until
    if until is None:
        return kind
    return f"{kind} ({_('until %(date)s') % {'date': escaped(moment(until, 'DATE_FORMAT'))}})"


def of_overview(sheets: Iterable[Sheet], made_at: datetime) -> Iterator[str]:
    """One table of all instances."""
    yield f"# {_('Overview')}\n\n{escaped(moment(made_at))}\n\n"
    heads = [_("Instance"), _("Software"), *(level_word(level) for level in Level), _("State")]
    yield f"| {' | '.join(heads)} |\n|---|---|--:|--:|--:|---|\n"
    for sheet in sheets:
        yield _row(sheet)


def _row(sheet: Sheet) -> str:
    name = f"[{escaped(sheet.instance.name)}]({sheet.url})"
    if sheet.instance.demo:
        name += f" ({_('demo')})"
    counts = [f"{count.met}/{count.applicable}" for count in sheet.posture.levels]
    return f"| {' | '.join([name, escaped(sheet.software), *counts, escaped(sheet.sentence)])} |\n"


def moment(when: datetime, form: str = "DATETIME_FORMAT") -> str:
    """A moment in the reader's time zone."""
    return date_format(localtime(when), form)
