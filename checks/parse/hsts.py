"""Strict-Transport-Security, by the grammar of RFC 6797 section 6.1."""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.errors import ParseError

_MAX = 8192
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True, slots=True)
class Hsts:
    max_age_s: int
    include_subdomains: bool
    preload: bool


def parse_hsts(value: str) -> Hsts:
    """One header value.  ParseError for what a browser would ignore: no max-age, a value that is no number,
    a directive that comes twice.  Quotes around a value are allowed by the RFC."""
    found: dict[str, str | None] = {}
    for part in value[:_MAX].split(";"):
        name, equals, given = part.partition("=")
        name, given = name.strip().lower(), given.strip()
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
    # More than 20 digits is for ever; int() of thousands of digits raises.
    seconds = int(age[:20])
    return Hsts(seconds, "includesubdomains" in found, "preload" in found)


def _value(text: str) -> str:
    if text.startswith('"'):
        if len(text) < 2 or not text.endswith('"') or '"' in text[1:-1]:
            raise ParseError(f"bad quotes: {text[:80]!r}")
        return text[1:-1]
    if text and not _TOKEN.fullmatch(text):
        raise ParseError(f"not a value: {text[:80]!r}")
    return text
