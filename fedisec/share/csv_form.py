"""Comma-separated values as RFC 4180 has them, safe to open in a spreadsheet.

A byte order mark stands first, because without it Excel reads Japanese as something else; Python reads the
file as "utf-8-sig".  The names of the columns are the same in every language; what people read is in theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from checks.clean import clean
from fedisec.checklist.board import Row
from fedisec.checklist.state import State
from fedisec.lib.table import csv_lines
from fedisec.share.sheet import Sheet, evidence_of, instant, item_url

BOM = "\ufeff"
CELL_MAX = 32_000  # Excel has room for 32,767 characters
ITEM_COLUMNS = (
    *("instance", "demo", "id", "topic", "level", "title", "state", "decided_by", "since"),
    *("status", "code", "reason", "seen", "evidence", "looked_at", "expected"),
    *("answer", "answer_note", "answer_link", "answered_by", "answered_at", "answer_until"),
    *("waiver", "waiver_reason", "waived_by", "waived_at", "waiver_until"),
    *("sources", "url"),
)
INSTANCE_COLUMNS = (
    *("instance", "demo", "software", "sentence", "looked_at"),
    *("required_met", "required_applicable", "recommended_met", "recommended_applicable"),
    *("optional_met", "optional_applicable", "accepted"),
    *("not_met", "warning", "needs_you", "could_not_check", "url"),
)


def of_instance(sheet: Sheet) -> Iterator[str]:
    """One line per item."""
    return _file(ITEM_COLUMNS, (_item(sheet, row) for row in sheet.rows))


def of_overview(sheets: Iterable[Sheet]) -> Iterator[str]:
    """One line per instance."""
    return _file(INSTANCE_COLUMNS, (_instance(sheet) for sheet in sheets))


def _file(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    tame = ([clean(each, CELL_MAX) if isinstance(each, str) else each for each in row] for row in rows)
    return chain([BOM], csv_lines(columns, tame))


def _item(sheet: Sheet, row: Row) -> list[object]:
    item, machine, said, waiver = row.item, row.machine, row.attestation, row.waiver
    language = sheet.language
    found: list[object] = [sheet.instance.domain, _yes(sheet.instance.demo), item.id, item.topic, item.level]
    found += [item.title.in_language(language), row.state.state, row.state.by, instant(row.state.since)]
    found += [machine.status, machine.code, machine.reason] if machine else ["", "", ""]
    found += [row.summary(language), "\n".join(f"{label}\n{text}" for label, text in evidence_of(row))]
    found += [instant(machine.seen_at) if machine else "", item.expected.in_language(language)]
    if said is not None:
        found += ["met" if said.met else "not_met", said.note, said.link, said.by]
        found += [instant(said.created_at), instant(said.valid_until)]
    else:
        found += [""] * 6
    if waiver is not None:
        found += [
            waiver.kind,
            waiver.reason,
            waiver.by,
            instant(waiver.created_at),
            instant(waiver.valid_until),
        ]
    else:
        found += [""] * 5
    sources = "; ".join(f"{source.text} {source.section}".strip() for source in item.sources)
    return [*found, sources, item_url(sheet.instance, item.id)]


def _instance(sheet: Sheet) -> list[object]:
    standing = sheet.posture
    levels = [count for level in standing.levels for count in (level.met, level.applicable)]
    open_states = (State.NOT_MET, State.WARNING, State.NEEDS_YOU, State.COULD_NOT_CHECK)
    return [
        sheet.instance.domain,
        _yes(sheet.instance.demo),
        sheet.software,
        sheet.sentence,
        instant(sheet.looked_at),
        *levels,
        sum(level.accepted for level in standing.levels),
        *(standing.states.get(state, 0) for state in open_states),
        sheet.url,
    ]


def _yes(value: bool) -> str:
    return "yes" if value else "no"
