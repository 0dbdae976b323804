"""The documented JSON of docs/exports.md.  SCHEMA grows when a field changes its meaning or goes away."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.conf import settings

from checks import CHECKS_VERSION
from checks.clean import clean
from checks.model import LANGUAGES
from fedisec.checklist.board import Posture, Row
from fedisec.checklist.models import Attestation, Waiver
from fedisec.checklist.state import State
from fedisec.lib.visible import harmless
from fedisec.scans.models import ItemState
from fedisec.share.sheet import Sheet, evidence_of, instant, item_url

SCHEMA = 1


def of_instance(sheet: Sheet) -> Iterator[str]:
    """The whole document of an instance."""
    document = {
        **_head("instance", sheet.language, sheet.made_at),
        "instance": _instance(sheet),
        "items": [_item(sheet, row) for row in sheet.rows],
    }
    yield json.dumps(harmless(document), ensure_ascii=False, indent=1) + "\n"


def of_overview(sheets: Iterable[Sheet], language: str, made_at: datetime) -> Iterator[str]:
    """The document of all instances, an instance at a time."""
    head = json.dumps(_head("overview", language, made_at), ensure_ascii=False)
    yield head[:-1] + ', "instances": ['
    between = "\n"
    for sheet in sheets:
        yield between + json.dumps(harmless(_instance(sheet)), ensure_ascii=False)
        between = ",\n"
    yield "\n]}\n"


def _head(kind: str, language: str, made_at: datetime) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "kind": kind,
        "fedisec_version": settings.VERSION,
        "checks_version": CHECKS_VERSION,
        "language": "ja" if language.startswith("ja") else LANGUAGES[0],
        "exported_at": instant(made_at),
    }


def _counts(standing: Posture) -> dict[str, Any]:
    return {
        "levels": {
            count.level.value: {"met": count.met, "applicable": count.applicable, "accepted": count.accepted}
            for count in standing.levels
        },
        "states": {state.value: standing.states.get(state, 0) for state in State},
    }


def _instance(sheet: Sheet) -> dict[str, Any]:
    return {
        "domain": sheet.instance.domain,
        "demo": sheet.instance.demo,
        "software": sheet.software,
        "sentence": sheet.sentence,
        "looked_at": instant(sheet.looked_at),
        "url": sheet.url,
        **_counts(sheet.posture),
    }


def _item(sheet: Sheet, row: Row) -> dict[str, Any]:
    item, language = row.item, sheet.language
    return {
        "id": item.id,
        "topic": item.topic,
        "level": item.level.value,
        "title": item.title.in_language(language),
        "state": row.state.state.value,
        "decided_by": row.state.by.value,
        "since": instant(row.state.since),
        "summary": row.summary(language),
        "expected": item.expected.in_language(language),
        "machine": _machine(row, row.machine),
        "answer": _answer(row.attestation),
        "waiver": _waiver(row.waiver),
        "sources": [{"text": s.text, "section": s.section, "url": s.url} for s in item.sources],
        "url": item_url(sheet.instance, item.id),
    }


def _machine(row: Row, machine: ItemState | None) -> dict[str, Any] | None:
    if machine is None:
        return None
    return {
        "status": machine.status,
        "code": machine.code,
        "reason": machine.reason or None,
        "detail": machine.detail,
        "data": machine.data,
        "evidence": [{"label": label, "text": text} for label, text in evidence_of(row)],
        "since": instant(machine.since),
        "looked_at": instant(machine.seen_at),
    }


def _answer(said: Attestation | None) -> dict[str, Any] | None:
    if said is None:
        return None
    return {
        "met": said.met,
        "note": clean(said.note),
        "link": said.link,
        "by": str(said.by) if said.by else None,
        "at": instant(said.created_at),
        "until": instant(said.valid_until),
    }


def _waiver(waiver: Waiver | None) -> dict[str, Any] | None:
    if waiver is None:
        return None
    return {
        "kind": waiver.kind,
        "reason": clean(waiver.reason),
        "by": str(waiver.by) if waiver.by else None,
        "at": instant(waiver.created_at),
        "until": instant(waiver.valid_until),
    }
