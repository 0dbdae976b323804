"""The one place where foreign bytes become text that may be stored and shown."""

from __future__ import annotations

import unicodedata

LINE_MAX = 4096  # bytes of evidence an item may keep, security budget
# Bidirectional overrides and isolates: they let a host show text in another order than it is stored.
_BIDI = {0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}


def clean(value: str | bytes, limit: int = LINE_MAX, *, newlines: bool = True) -> str:
    """Foreign text made harmless: UTF-8 with replacement; control, bidi and surrogate characters become a
    visible mark (U+FFFD); cut to `limit` characters with an ellipsis.  Newline and tab stay."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    text = text[: limit + 1]
    keep = "\n\t" if newlines else ""
    out = "".join(c if c in keep or _harmless(c) else "\ufffd" for c in text.replace("\r\n", "\n"))
    return out if len(out) <= limit else out[: limit - 1] + "…"


def _harmless(char: str) -> bool:
    return ord(char) not in _BIDI and unicodedata.category(char) not in {"Cc", "Cs", "Co", "Zl", "Zp"}
