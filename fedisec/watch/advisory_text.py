"""What the forms of advisories have in common: names, days, addresses, ranges that can be compared.  Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from checks.errors import ParseError
from checks.facts.advisories import Affected, Rating
from checks.parse.severity import WORDS, score
from checks.parse.versions import comparable
from fedisec.watch.parsing import parse_date, web_address

NAME_MAX, TITLE_MAX, RANGES_MAX, ALIASES_MAX = 60, 300, 200, 20
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._:-]{1,59}")
_WORDS = {"moderate": "medium", "important": "high"}


def name_of(text: str | None) -> str:
    """An identifier as it may be stored and shown, or ""."""
    return text if text and _NAME.fullmatch(text) else ""


def names_of(found: Iterable[object]) -> tuple[str, ...]:
    names = (name_of(one) for one in found if isinstance(one, str))
    return tuple(dict.fromkeys(name for name in names if name))[:ALIASES_MAX]


def day_of(text: str | None) -> str:
    """YYYY-MM-DD, "" where there is none."""
    when = parse_date(text or "")
    return f"{when:%Y-%m-%d}" if when else ""


def address_of(text: str | None) -> str:
    return web_address(text or "", "")


def word_of(text: str | None) -> str:
    """One of the words of a scale, "" for any other."""
    word = (text or "").strip().lower()
    word = _WORDS.get(word, word)
    return word if word in WORDS else ""


def rating_of(by: str, word: str | None, vector: str | None) -> Rating | None:
    """None where neither says anything that can be read."""
    vector = (vector or "").strip()
    try:
        score(vector)
    except ParseError:
        vector = ""
    known = word_of(word)
    return Rating(by, known, vector) if known or vector else None


def readable(text: str | None) -> str:
    """A version that can be compared, without the v in front; "" for any other."""
    plain = (text or "").strip().removeprefix("v")
    if not plain or len(plain) > 40:
        return ""
    try:
        comparable(plain)
    except ParseError:
        return ""
    return plain


def tidy(spans: Iterable[Affected]) -> tuple[Affected, ...]:
    """Each once, those left out that can hold no version."""
    found = dict.fromkeys(span for span in spans if _holds(span))
    return tuple(found)[:RANGES_MAX]


def _holds(span: Affected) -> bool:
    if span.fixed:
        return comparable(span.introduced) < comparable(span.fixed)
    return not span.last or comparable(span.introduced) <= comparable(span.last)
