"""security.txt, by RFC 9116."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from checks.errors import ParseError

_MAX = 32768
_MAX_LINES = 500
# RFC 3339 section 5.6, with the blank that it allows in the place of T.
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class SecurityNote:
    contacts: tuple[str, ...]
    expires: datetime  # aware


def parse_security_txt(text: str) -> SecurityNote:
    """The fields that must be there: Contact at least once, Expires exactly once (RFC 9116 section 2.5)."""
    contacts, expires = [], []
    for line in text[:_MAX].splitlines()[:_MAX_LINES]:
        if line.startswith("#") or ":" not in line:
            continue
        name, value = (part.strip() for part in line.split(":", 1))
        if name.lower() == "contact":
            contacts.append(value[:500])
        elif name.lower() == "expires":
            expires.append(value[:100])
    if not contacts:
        raise ParseError("no Contact")
    if not any(c.lower().startswith(("mailto:", "https://", "tel:")) for c in contacts):
        raise ParseError("Contact is no mailto:, https: or tel: address")
    if len(expires) != 1:
        raise ParseError("no Expires" if not expires else "several Expires")
    return SecurityNote(tuple(contacts[:20]), _moment(expires[0]))


def _moment(text: str) -> datetime:
    if not _MOMENT.fullmatch(text):
        raise ParseError(f"Expires is no date with a time zone: {text[:80]!r}")
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        raise ParseError(f"Expires is no date: {text[:80]!r}") from None
