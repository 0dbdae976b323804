"""Foreign text made harmless: every character of Unicode against the rule in words."""

from __future__ import annotations

import unicodedata

from checks.clean import clean

_MARKS = {0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}  # bidirectional


def _is_harmful(char: str) -> bool:
    return ord(char) in _MARKS or unicodedata.category(char) in {"Cc", "Cs", "Co", "Zl", "Zp"}


def test_every_character_is_kept_or_marked_by_the_rule() -> None:
    every = [chr(number) for number in range(0x110000)]
    line = clean("".join(every).replace("\r\n", ""), len(every) + 1, newlines=False)
    assert line == "".join("\ufffd" if _is_harmful(c) else c for c in every)
    text = clean("".join(every), len(every) + 1)
    assert text == "".join("\ufffd" if _is_harmful(c) and c not in "\n\t" else c for c in every)


def test_line_ends_are_newlines_and_long_text_is_cut_visibly() -> None:
    assert clean("one\r\ntwo\rthree") == "one\ntwo\ufffdthree"
    assert clean("x" * 11, 10) == "x" * 9 + "…"
    assert clean(b"\xff\xfeA") == "\ufffd\ufffdA"
