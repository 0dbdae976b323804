"""The `name=value; name=value` lists that DKIM, DMARC, MTA-STS and TLS-RPT records are made of."""

from __future__ import annotations

import re

from checks.errors import ParseError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")


def parse_tags(text: str, *, strict: bool) -> tuple[tuple[str, str], ...]:
    """The tags in order, names lower case, white space around both parts removed; empty parts between
    semicolons are nothing.  `strict`: a broken or repeated tag is a ParseError, else it is passed over
    (DMARC wants that; of a repeated tag the first counts)."""
    found: dict[str, str] = {}
    for part in text.split(";"):
        name, sign, value = (piece.strip(" \t\r\n") for piece in part.partition("="))
        if not name and not sign:
            continue
        sound = bool(sign) and _NAME.fullmatch(name) is not None
        if strict and (not sound or name.lower() in found):
            raise ParseError(f"broken or repeated tag: {part.strip():.60}")
        if sound:
            found.setdefault(name.lower(), value)
    return tuple(found.items())
