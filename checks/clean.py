"""The one place where foreign bytes become text that may be stored and shown."""

from __future__ import annotations

import re

LINE_MAX = 4096  # bytes of evidence an item may keep, security budget
# Controls (Cc), surrogates (Cs), private use (Co), line and paragraph separators (Zl, Zp), and the marks that
# turn the direction of writing: they let a host show text in another order than it is stored.
_FORMS = (
    "\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
    "\ud800-\udfff\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"
)
_HARMFUL = re.compile(f"[\x00-\x08\x0b-\x1f{_FORMS}]")
_HARMFUL_IN_LINE = re.compile(f"[\x00-\x1f{_FORMS}]")


def clean(value: str | bytes, limit: int = LINE_MAX, *, newlines: bool = True) -> str:
    """Foreign text made harmless: UTF-8 with replacement; control, bidi and surrogate characters become a
    visible mark (U+FFFD); cut to `limit` characters with an ellipsis.  Newline and tab stay."""
    if isinstance(value, str) and len(value) <= limit and value.isascii() and value.isprintable():
        return value  # as most of it is
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    text = text[: limit + 1]
    out = (_HARMFUL if newlines else _HARMFUL_IN_LINE).sub("\ufffd", text.replace("\r\n", "\n"))
    return out if len(out) <= limit else out[: limit - 1] + "…"
