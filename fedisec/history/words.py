"""What the machine said at some time, as a sentence and as a state that pages show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checks.errors import Reason
from checks.items import all_items
from checks.model import Status, Text
from checks.reasons import REASONS

_ASKED = Text("Nobody but you can answer this.", "あなたにしか答えられない項目です。")

# Words of fedisec.checklist.state, which lies above: shape, colour and name of a state come from there.
_STATES = {
    Status.PASS: "met",
    Status.WARN: "warning",
    Status.FAIL: "not_met",
    Status.UNKNOWN: "could_not_check",
    Status.ERROR: "could_not_check",
    Status.NOT_APPLICABLE: "not_applicable",
    Status.MANUAL: "needs_you",
}


def state_of(status: str) -> str:
    """The state that shows a machine's status when no person has spoken."""
    return _STATES[Status(status)]


def sentence(item_id: str, code: str, reason: str, data: Mapping[str, Any], language: str) -> str:
    """The item's own words for `code`, or why nothing was found; the bare code where an older version had
    said something that this one has no words for."""
    item = all_items().get(item_id)
    text = item.codes.get(code) if item is not None else None
    if text is not None:
        return text.filled(language, data)
    if code or (not reason and item is None):
        return code
    if not reason:
        return _ASKED.in_language(language)
    return REASONS[Reason(reason)].in_language(language) if reason in set(Reason) else reason
