"""Sections of a report that an item can do without, because outside sees the same thing."""

from __future__ import annotations

from checks.errors import Reason
from checks.facts import Facts, Missing, MissingFact
from checks.facts.inside import Inside


def lines_if_any(facts: Facts, name: str) -> tuple[str, ...] | None:
    """A section's lines; None where there is no report, or the section is not whole."""
    inside = facts.maybe(Inside)
    try:
        return inside.lines(name) if inside else None
    except MissingFact:
        return None


def why_unread(facts: Facts, *names: str) -> Missing | None:
    """Why a connected server did not tell these sections, so that what a stranger sees must not speak for
    it: a value that turns unreadable can be verified no more, it did not get worse.  None where all of them
    came, and where nothing was to come: no access was set up, or its collector knows no such section."""
    inside = facts.maybe(Inside)
    if inside is None:
        gap = facts.missing.get(Inside)
        never = gap is None or gap.reason is Reason.NOT_ASKED or gap == Missing(Reason.NOT_CONNECTED)
        return None if never else gap
    for name in names:
        try:
            inside.section(name)
        except MissingFact as error:
            if error.missing.reason is not Reason.NOT_ASKED:
                return error.missing
    return None
