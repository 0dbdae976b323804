"""The checklist for paper: everything open, a topic per page, and the links of a topic as its footnotes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from checks.model import Text
from fedisec.checklist.board import Row, topics
from fedisec.checklist.fixes import Way, known_of, ways_of
from fedisec.checklist.state import State
from fedisec.share.sheet import Sheet, evidence_of, item_url

# What is in order needs no repair instructions on paper.
_DONE = frozenset({State.MET, State.NOT_APPLICABLE})


@dataclass(frozen=True, slots=True)
class Entry:
    """One item on paper.  `notes`: the numbers of its footnotes, for its page, its sources and its answer."""

    row: Row
    evidence: tuple[tuple[str, str], ...]
    page_note: int
    source_notes: tuple[int, ...]  # 0 = a source without an address
    answer_note: int
    ways: tuple[Way, ...]

    @property
    def is_done(self) -> bool:
        return self.row.state.state in _DONE

    @property
    def sources(self) -> list[tuple[Any, int]]:
        return list(zip(self.row.item.sources, self.source_notes, strict=True))


@dataclass(frozen=True, slots=True)
class Part:
    """A topic, with the addresses that its footnotes name."""

    id: str
    title: Text
    met: int
    applicable: int
    entries: tuple[Entry, ...]
    links: tuple[str, ...]


@dataclass
class _Footnotes:
    """Numbers addresses in the order in which they come; the same address keeps its number."""

    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, url: str) -> int:
        return self.numbers.setdefault(url, len(self.numbers) + 1) if url else 0


def parts(sheet: Sheet) -> list[Part]:
    """The topics of a sheet, in the order of the checklist."""
    found, known = [], known_of(sheet.instance)
    for topic in topics(sheet.rows):
        notes = _Footnotes()
        entries = tuple(_entry(sheet, row, notes, known) for row in topic.rows)
        met, applicable = sheet.by_topic[topic.id]
        found.append(Part(topic.id, topic.title, met, applicable, entries, tuple(notes.numbers)))
    return found


def _entry(sheet: Sheet, row: Row, notes: _Footnotes, known: list[set[str]]) -> Entry:
    page = notes.number(item_url(sheet.instance, row.item.id))
    sources = tuple(notes.number(source.url) for source in row.item.sources)
    answer = notes.number(row.attestation.link) if row.attestation is not None else 0
    ways = ways_of(row.item, sheet.instance, known)
    # Paper has no tabs: where it is known what the server runs, the ways for everything else stay away.
    own = tuple(way for way in ways if way.own) or tuple(ways)
    return Entry(row, tuple(evidence_of(row)), page, sources, answer, own)


def context_of(sheet: Sheet) -> dict[str, Any]:
    """What templates/share/print.html needs."""
    return {"sheet": sheet, "instance": sheet.instance, "posture": sheet.posture, "parts": parts(sheet)}


def context_of_all(sheets: Iterable[Sheet]) -> dict[str, Any]:
    """What templates/share/print_overview.html needs."""
    return {"sheets": list(sheets)}
