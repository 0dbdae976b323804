"""SARIF 2.1.0 (OASIS, with errata 01): open items as results, the catalogue as rules.

A result has a kind: `fail` for what is not met or warned of, `open` for what could not be checked, `review`
for what waits for a person.  3.27.10: only `fail` has a level other than "none".  What was accepted stays a
`fail` with its suppression.  What is met or does not apply is no result.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.conf import settings

from checks import CHECKS_VERSION
from checks.clean import clean
from checks.items import all_items
from checks.model import Item, Level
from fedisec.checklist.board import Row
from fedisec.checklist.state import State
from fedisec.share.sheet import Sheet, evidence_of, instant, item_url

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
PROJECT = "https://github.com/fedisec/fedisec"
RULES_PAGE = f"{PROJECT}/blob/main/docs/items.md"

_LEVELS = {Level.REQUIRED: "error", Level.RECOMMENDED: "warning", Level.OPTIONAL: "note"}
_KINDS = {
    State.NOT_MET: "fail",
    State.WARNING: "fail",
    State.ACCEPTED: "fail",
    State.COULD_NOT_CHECK: "open",
    State.NEEDS_YOU: "review",
}


def pieces(sheets: Iterable[Sheet], *, language: str, made_at: datetime, subject: str = "") -> Iterator[str]:
    """One log with one run, an instance at a time.  `subject`: the instance, where it is one alone."""
    rules = list(all_items().values())
    numbers = {item.id: number for number, item in enumerate(rules)}
    frame = json.dumps(_log(rules, language, made_at, subject), ensure_ascii=False)
    head, tail = frame.rsplit('"results": []', 1)
    yield f'{head}"results": ['
    between = "\n"
    for sheet in sheets:
        for row in sheet.rows:
            result = _result(sheet, row, numbers.get(row.item.id))
            if result is not None:
                yield between + json.dumps(result, ensure_ascii=False)
                between = ",\n"
    yield f"\n]{tail}\n"


def _log(rules: Iterable[Item], language: str, made_at: datetime, subject: str) -> dict[str, Any]:
    driver = {
        "name": "fedisec",
        "version": settings.VERSION,
        "semanticVersion": settings.VERSION,
        "informationUri": PROJECT,
        "language": _code(language),
        "properties": {"checksVersion": CHECKS_VERSION},
        "rules": [_rule(item, language) for item in rules],
    }
    run = {
        "tool": {"driver": driver},
        "language": _code(language),
        "columnKind": "unicodeCodePoints",
        "automationDetails": {"id": f"fedisec/{subject}/" if subject else "fedisec/"},
        "invocations": [{"executionSuccessful": True, "endTimeUtc": instant(made_at)}],
        "results": [],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _code(language: str) -> str:
    return "ja" if language.startswith("ja") else "en"


def _rule(item: Item, language: str) -> dict[str, Any]:
    parts = (item.why, item.expected, item.fix.text, item.verify)
    return {
        "id": item.id,
        "shortDescription": {"text": message(item.title.in_language(language))},
        "fullDescription": {"text": message(item.why.in_language(language))},
        "help": {"text": message("\n\n".join(part.in_language(language).strip("\n") for part in parts))},
        "helpUri": next((source.url for source in item.sources if source.url), RULES_PAGE),
        "defaultConfiguration": {"level": _LEVELS[item.level]},
        "properties": {"tags": ["security", item.topic, item.level.value]},
    }


def _result(sheet: Sheet, row: Row, number: int | None) -> dict[str, Any] | None:
    """The result of one item; None where nobody has anything to do.  `number`: its place among the rules; an
    item that is the team's own has no rule."""
    kind = _KINDS.get(row.state.state)
    if kind is None:
        return None
    title = row.item.title.in_language(sheet.language)
    found: dict[str, Any] = {
        "ruleId": row.item.id,
        "kind": kind,
        "level": _level(row) if kind == "fail" else "none",
        "message": {"text": message(f"{title}: {row.summary(sheet.language)}")},
        "locations": [_location(sheet.instance.domain)],
        "partialFingerprints": {"fedisecItem/v1": fingerprint(sheet.instance.domain, row.item.id)},
        "hostedViewerUri": item_url(sheet.instance, row.item.id),
        "properties": _properties(sheet, row),
    }
    if number is not None:
        found["ruleIndex"] = number
    if row.state.state is State.ACCEPTED and row.waiver is not None:
        justification = message(clean(row.waiver.reason))
        found["suppressions"] = [{"kind": "external", "status": "accepted", "justification": justification}]
    return found


def _level(row: Row) -> str:
    level = _LEVELS[row.item.level]
    return "warning" if row.state.state is State.WARNING and level == "error" else level


def _location(domain: str) -> dict[str, Any]:
    """The web address as artifact, because many readers ask for one, and the server as what is meant."""
    return {
        "physicalLocation": {"artifactLocation": {"uri": f"https://{domain}/"}},
        "logicalLocations": [{"name": domain, "fullyQualifiedName": domain, "kind": "server"}],
    }


def fingerprint(domain: str, item_id: str) -> str:
    """The same for one item of one server, whatever was seen and in whatever language it is told."""
    return hashlib.sha256(f"{domain}\n{item_id}".encode()).hexdigest()


def _properties(sheet: Sheet, row: Row) -> dict[str, Any]:
    machine = row.machine
    return {
        "state": row.state.state.value,
        "decidedBy": row.state.by.value,
        "since": instant(row.state.since),
        "code": machine.code if machine else "",
        "reason": machine.reason if machine else "",
        "demo": sheet.instance.demo,
        "evidence": [{"label": label, "text": text} for label, text in evidence_of(row)],
    }


def message(text: str) -> str:
    """Plain text as a SARIF message: no placeholder (3.11.5) and no embedded link (3.11.6) in it."""
    for mark in ("\\", "[", "]"):
        text = text.replace(mark, f"\\{mark}")
    return text.replace("{", "{{").replace("}", "}}")
