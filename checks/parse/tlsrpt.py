"""The TXT record that asks for TLS reports: RFC 8460 section 3."""

from __future__ import annotations

import re

from checks.errors import ParseError
from checks.parse.tags import parse_tags

_VERSION = re.compile(r"v=TLSRPTv1[ \t]*(;|$)")
_URI = re.compile(r"mailto:[^@,;!\s]{1,64}@[A-Za-z0-9.-]{1,253}|https://[A-Za-z0-9.-]{1,253}[^,;!\s]{0,500}")
_URIS_MAX = 20


def is_tlsrpt(text: str) -> bool:
    return _VERSION.match(text) is not None


def parse_tlsrpt(text: str) -> tuple[str, ...]:
    """Where reports go; ParseError for a record that names no usable place."""
    if not is_tlsrpt(text):
        raise ParseError("no v=TLSRPTv1 at the beginning")
    uris = [uri.strip() for uri in dict(parse_tags(text, strict=True)).get("rua", "").split(",")[:_URIS_MAX]]
    found = tuple(uri for uri in uris if _URI.fullmatch(uri))
    if not found:
        raise ParseError("rua names no mailto: or https: address")
    return found
