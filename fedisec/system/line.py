"""What one look at fedisec found: a state, a code with its data, and when it was looked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """From good to bad; `unknown` is what could not be looked at, and is no `ok`."""

    OK = "ok"
    ATTENTION = "attention"  # works, and wants something done
    BROKEN = "broken"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Line:
    """`name` and `code` have their words in `words`; `data` fills them.  `at`: when it was seen, where that
    is not now."""

    name: str
    state: State
    code: str
    data: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None


EXIT_OK, EXIT_ATTENTION, EXIT_BROKEN = 0, 1, 2


def exit_code(lines: Iterable[Line]) -> int:
    """0: nothing to do; 1: something wants attention or could not be looked at; 2: something is broken."""
    states = {line.state for line in lines}
    if State.BROKEN in states:
        return EXIT_BROKEN
    return EXIT_ATTENTION if states & {State.ATTENTION, State.UNKNOWN} else EXIT_OK
