"""Strict-Transport-Security, by the grammar of RFC 6797 section 6.1."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from checks.errors import ParseError

_MAX = 8192
_BLANK = " \t"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True, slots=True)
class Hsts:
    max_age_s: int
    include_subdomains: bool
    preload: bool


def parse_hsts(value: str) -> Hsts:
    """One header value.  ParseError for what a browser would ignore (section 8.1): no max-age, a value that
    is no number, a directive that comes twice, includeSubDomains with a value.  A value may be quoted."""
    found: dict[str, str | None] = {}
    for part in _parts(value[:_MAX]):
        name, equals, given = (text.strip(_BLANK) for text in part.partition("="))
        name = name.lower()
        if not name and not equals:
            continue
        if not _TOKEN.fullmatch(name):
            raise ParseError(f"not a directive: {part.strip()[:80]!r}")
        if name in found:
            raise ParseError(f"{name} comes twice")
        found[name] = _value(given) if equals else None
    age = found.get("max-age")
    if age is None:
        raise ParseError("no max-age")
    if not (age.isascii() and age.isdigit()):
        raise ParseError(f"max-age is not a number: {age[:80]!r}")
    if found.get("includesubdomains") is not None:
        raise ParseError("includeSubDomains takes no value")
    # More than 20 digits is for ever; int() of thousands of digits raises.
    seconds = int(age[:20])
    return Hsts(seconds, "includesubdomains" in found, found.get("preload", "") is None)


def _parts(text: str) -> Iterator[str]:
    """What stands between the semicolons that no quotes enclose."""
    begin, quoted = 0, False
    for at, char in enumerate(text):
        if char == '"':
            quoted = not quoted
        elif char == ";" and not quoted:
            yield text[begin:at]
            begin = at + 1
    yield text[begin:]


def _value(text: str) -> str:
    if text.startswith('"'):
        if len(text) < 2 or not text.endswith('"') or '"' in text[1:-1]:
            raise ParseError(f"bad quotes: {text[:80]!r}")
        return text[1:-1]
    if text and not _TOKEN.fullmatch(text):
        raise ParseError(f"not a value: {text[:80]!r}")
    return text
