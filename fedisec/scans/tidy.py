"""The boundary to the database: what a hostile host brought must not cost us the scan.

PostgreSQL refuses NUL and lone surrogates in text, NaN in JSON; Python refuses to read integers of more than
4300 digits.  Each raises at the save, after all the work.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from checks.clean import clean
from checks.model import Evidence

INT_MAX = 2**63 - 1
EVIDENCE_PER_ITEM = 4096  # characters
EVIDENCE_PER_SCAN = 256 * 1024
PIECES_PER_ITEM = 20

_UNSTORABLE = {0: "\ufffd", **dict.fromkeys(range(0xD800, 0xE000), "\ufffd")}


def storable(value: Any) -> Any:
    """A JSON value that any database takes.  What cannot be kept becomes a mark, a bound, or null."""
    if isinstance(value, str):
        return value.translate(_UNSTORABLE)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return max(-INT_MAX, min(INT_MAX, value))
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {storable(str(key)): storable(entry) for key, entry in value.items()}
    return [storable(entry) for entry in value]


class EvidenceBudget:
    """Caps what one scan keeps as evidence; what is over is cut, and marked."""

    def __init__(self) -> None:
        self._left = EVIDENCE_PER_SCAN

    def fit(self, evidence: Iterable[Evidence]) -> list[list[str]]:
        """[[label, text], …], within the item's and the scan's share."""
        kept: list[list[str]] = []
        room = min(EVIDENCE_PER_ITEM, self._left)
        for piece in evidence:
            if room <= 0 or len(kept) == PIECES_PER_ITEM:
                kept.append(["…", "…"])
                break
            label, text = clean(piece.label, 200, newlines=False), clean(piece.text, room)
            kept.append([label, text])
            room -= len(label) + len(text)
            self._left -= len(label) + len(text)
        return kept
