"""Sections of a report that an item can do without, because outside sees the same thing."""

from __future__ import annotations

from checks.facts import Facts, MissingFact
from checks.facts.inside import Inside


def lines_if_any(facts: Facts, name: str) -> tuple[str, ...] | None:
    """A section's lines; None where there is no report, or the section is not whole."""
    inside = facts.maybe(Inside)
    try:
        return inside.lines(name) if inside else None
    except MissingFact:
        return None
