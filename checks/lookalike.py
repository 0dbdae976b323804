"""Whether an internationalised name may be shown in its own letters, or looks like another name.

Browsers show some names as A-labels for the same reason (Unicode Technical Standard 39).  The rule here is
stricter and short: a label is of one script (with the three of Japanese as one), and is not made up wholly of
Cyrillic or Greek letters that look like Latin ones.
"""

from __future__ import annotations

import unicodedata

import idna

_TOGETHER = (
    frozenset({"LATIN"}),
    frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "LATIN"}),
    frozenset({"CJK", "BOPOMOFO", "LATIN"}),
    frozenset({"CJK", "HANGUL", "LATIN"}),
)
_LIKE_LATIN = {
    "CYRILLIC": frozenset("абвгԁезһіјкӏмноԛпрсѕтуѵѡԝхҽъыь"),
    "GREEK": frozenset("αβγεζηικμνορςτυφχω"),
}


def shown(domain: str) -> str:
    """The domain of A-labels in its own letters where these cannot mislead, label by label."""
    return ".".join(_shown(label) for label in domain.split("."))


def _shown(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        text = idna.decode(label)
    except (idna.IDNAError, UnicodeError):
        return label
    return text if _is_plain(text) else label


def _is_plain(text: str) -> bool:
    letters = [c for c in text if unicodedata.category(c)[0] == "L"]
    scripts = {unicodedata.name(c, "?").split(" ")[0] for c in letters}
    if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
        return False
    like_latin = _LIKE_LATIN.get(next(iter(scripts), ""))
    return like_latin is None or not all(c in like_latin for c in letters)
