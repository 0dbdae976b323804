"""The macros of RFC 7208 section 7: their grammar, and the text they stand for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from checks.errors import ParseError

MAX_NAME = 253
_MACRO = r"%(?:\{{([{letters}])([0-9]*)(r?)([.\-+,/_=]*)\}}|[%_-])"
# c, r and t belong to the explanation text alone (7.2); so does the bare space.
_IN_NAME = re.compile(_MACRO.format(letters="slodiphv"), re.IGNORECASE)
_IN_TEXT = re.compile(_MACRO.format(letters="slodiphvcrt"), re.IGNORECASE)
_NAME = re.compile(rf"(?:{_IN_NAME.pattern}|[!-$&-~])*", re.IGNORECASE)
_TEXT = re.compile(rf"(?:{_IN_TEXT.pattern}|[ -$&-~])*", re.IGNORECASE)
_PLAIN = {"%%": "%", "%_": " ", "%-": "%20"}


def check_macros(text: str, term: str) -> int:
    """Where the last macro of a macro-string ends, 0 without one; ParseError, which names the term, where it
    is not well formed."""
    return _check(text, _NAME, _IN_NAME, term)


def letters(text: str) -> frozenset[str]:
    """The macro letters in a text, lower case."""
    return frozenset(found[1].lower() for found in _IN_TEXT.finditer(text) if found[1])


def fill(text: str, values: Mapping[str, str]) -> str | None:
    """The checked macro-string with its macros filled; None when one has no value here."""
    return _fill(text, values, _IN_NAME)


def fill_explanation(text: str, values: Mapping[str, str]) -> str | None:
    """The same for an explain-string (6.2).  ParseError where the text is not well formed."""
    _check(text, _TEXT, _IN_TEXT, text)
    return _fill(text, values, _IN_TEXT)


def shorten(name: str) -> str:
    """Labels fall off the left until 253 characters are left (7.3); "" when the last label is longer."""
    if len(name) <= MAX_NAME:
        return name
    return name[-MAX_NAME - 1 :].partition(".")[2]


def can_be_asked(name: str) -> bool:
    """Whether a name as it stands in a record can be asked for at all."""
    return (
        0 < len(name) <= MAX_NAME
        and name.isascii()
        and all(0 < len(label) <= 63 for label in name.split("."))
    )


def _check(text: str, whole: re.Pattern[str], macro: re.Pattern[str], term: str) -> int:
    if whole.fullmatch(text) is None:
        raise ParseError(f"macro not well formed: {term!a:.60}")
    end = 0
    for found in macro.finditer(text):
        end = found.end()
        if found[2] and not found[2].strip("0"):
            raise ParseError(f"macro with zero digits: {term!a:.60}")
    return end


def _fill(text: str, values: Mapping[str, str], macro: re.Pattern[str]) -> str | None:
    unknown = False

    def replace(found: re.Match[str]) -> str:
        nonlocal unknown
        if not found[1]:
            return _PLAIN[found[0]]
        value = values.get(found[1].lower())
        if value is None:
            unknown = True
            return ""
        value = _transform(value, found[2], found[3], found[4])
        return quote(value, safe="") if found[1].isupper() else value

    filled = macro.sub(replace, text)
    return None if unknown else filled


def _transform(value: str, digits: str, reverse: str, delimiters: str) -> str:
    parts = re.split(f"[{re.escape(delimiters or '.')}]", value)
    if reverse:
        parts.reverse()
    return ".".join(parts[-min(int(digits.lstrip("0")[:4]), 128) :] if digits else parts)
