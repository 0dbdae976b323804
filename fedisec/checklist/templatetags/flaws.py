"""Flaws that an item names, as a list with links."""

from __future__ import annotations

from typing import Any

from django import template

from fedisec.checklist.flaws import LABEL, flaws_in

register = template.Library()


@register.filter
def named_flaws(text: str, label: str) -> dict[str, Any] | None:
    """None where `text` is no list of flaws."""
    found, more = flaws_in(text) if label == LABEL else ([], 0)
    return {"found": found, "more": more} if found else None
