"""A finished look as JSON and as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from checks import CHECKS_VERSION
from checks.items import TOPICS, all_items
from checks.model import Item, Level, Status, Text, Verdict
from checks.reasons import REASONS

SCHEMA = 1

STATUS_WORDS = {
    Status.PASS: Text("met", "達成"),
    Status.WARN: Text("warning", "注意"),
    Status.FAIL: Text("not met", "未達成"),
    Status.UNKNOWN: Text("could not check", "確認できず"),
    Status.NOT_APPLICABLE: Text("not applicable", "対象外"),
    Status.ERROR: Text("fedisec failed", "fedisec の不具合"),
    Status.MANUAL: Text("for a person", "人が答える項目"),
}
LEVEL_WORDS = {
    Level.REQUIRED: Text("required", "必須"),
    Level.RECOMMENDED: Text("recommended", "推奨"),
    Level.OPTIONAL: Text("optional", "任意"),
}
_SIGNS = {
    Status.PASS: "✓",
    Status.WARN: "!",
    Status.FAIL: "✕",
    Status.NOT_APPLICABLE: "–",
    Status.MANUAL: "✎",
}


@dataclass(frozen=True, slots=True)
class Report:
    """One look at one target, judged."""

    domain: str
    started: datetime
    seconds: float
    connections: Mapping[str, int]
    verdicts: Mapping[str, Verdict]


def summary(item: Item, verdict: Verdict, language: str) -> str:
    """The sentence for a verdict: the item's own for its code, or the one for the reason."""
    text = item.codes.get(verdict.code)
    if text is not None:
        return text.filled(language, verdict.data)
    return REASONS[verdict.reason].in_language(language) if verdict.reason is not None else ""


def as_json(report: Report, language: str) -> dict[str, Any]:
    """The documented form; one entry per item of the catalogue, in its order."""
    items = all_items()
    return {
        "schema": SCHEMA,
        "checks_version": CHECKS_VERSION,
        "target": {"domain": report.domain},
        "started": report.started.isoformat(timespec="seconds"),
        "seconds": round(report.seconds, 3),
        "connections": dict(sorted(report.connections.items())),
        "items": [_entry(items[key], verdict, language) for key, verdict in report.verdicts.items()],
    }


def _entry(item: Item, verdict: Verdict, language: str) -> dict[str, Any]:
    return {
        "id": item.id,
        "level": item.level.value,
        "status": verdict.status.value,
        "code": verdict.code,
        "summary": summary(item, verdict, language),
        "data": dict(verdict.data),
        "evidence": [{"label": e.label, "text": e.text} for e in verdict.evidence],
        "reason": verdict.reason.value if verdict.reason else None,
        "detail": verdict.detail,
    }


def as_lines(report: Report, language: str) -> Iterator[str]:
    """The checklist for a terminal: what is open with its evidence, the rest as counts."""
    yield f"{report.domain}  ({report.seconds:.1f} s, {_used(report.connections)})"
    items = all_items()
    topic = ""
    for key, verdict in report.verdicts.items():
        item = items[key]
        if verdict.status is Status.MANUAL and not verdict.code:
            continue
        if item.topic != topic:
            topic = item.topic
            yield ""
            yield TOPICS[topic].in_language(language)
        yield from _item_lines(item, verdict, language)
    yield ""
    for level in Level:
        yield _count(report, level, language)


def _item_lines(item: Item, verdict: Verdict, language: str) -> Iterator[str]:
    level, status = LEVEL_WORDS[item.level], STATUS_WORDS[verdict.status]
    words = f"{level.in_language(language)}, {status.in_language(language)}"
    yield f" {_SIGNS.get(verdict.status, '?')} {item.title.in_language(language)}  [{words}]  {item.id}"
    sentence = summary(item, verdict, language)
    if sentence:
        yield f"     {sentence}"
    if verdict.status in {Status.FAIL, Status.WARN}:
        for piece in verdict.evidence:
            yield f"     {piece.label}: {_one_line(piece.text)}"


def _count(report: Report, level: Level, language: str) -> str:
    items = all_items()
    mine = [v.status for key, v in report.verdicts.items() if items[key].level is level]
    parts = [f"{mine.count(s)} {STATUS_WORDS[s].in_language(language)}" for s in Status if s in mine]
    return f"{LEVEL_WORDS[level].in_language(language)}: {', '.join(parts)}"


def _used(connections: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(connections.items())) or "0"


def _one_line(text: str) -> str:
    """The beginning of a piece of evidence on one line."""
    return " · ".join(line for line in text.split("\n") if line)[:160]
