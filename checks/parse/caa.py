"""A CAA record in presentation form, by RFC 8659 section 4."""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.errors import ParseError

_RECORD = re.compile(r'(\d{1,3}) ([A-Za-z0-9]{1,255}) "?(.*?)"?', re.DOTALL)
_ESCAPE = re.compile(r"\\(\d{3}|.)", re.DOTALL)
_LABELS = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)[ \t]*=[ \t]*([!-:<-~]*)")
KNOWN_TAGS = frozenset(
    {"issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"}
)


@dataclass(frozen=True, slots=True)
class CaaRecord:
    """`issuer`: who may issue ("" = nobody); an issue value that breaks the grammar allows nobody (4.2)."""

    critical: bool
    tag: str
    value: str
    issuer: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    well_formed: bool = True


def parse_caa(text: str) -> CaaRecord:
    """The record, or ParseError for what is no presentation form of one."""
    found = _RECORD.fullmatch(text)
    if found is None or int(found[1]) > 255:
        raise ParseError("not a CAA record")
    critical, tag, value = bool(int(found[1]) & 0x80), found[2].lower(), _ESCAPE.sub(_unescape, found[3])
    if tag not in ("issue", "issuewild"):
        return CaaRecord(critical, tag, value)
    try:
        issuer, parameters = _issue_value(value)
    except ParseError:
        return CaaRecord(critical, tag, value, well_formed=False)
    return CaaRecord(critical, tag, value, issuer, parameters)


def _unescape(found: re.Match[str]) -> str:
    return chr(int(found[1])) if found[1].isdigit() and int(found[1]) < 256 else found[1]


def _issue_value(value: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    issuer, *rest = (piece.strip(" \t") for piece in value.split(";"))
    if issuer and _LABELS.fullmatch(issuer) is None:
        raise ParseError("no issuer domain name")
    parameters: list[tuple[str, str]] = []
    for piece in rest:
        parameter = _PARAMETER.fullmatch(piece)
        if parameter is None and piece:
            raise ParseError("no parameter")
        if parameter is not None:
            parameters.append((parameter[1].lower(), parameter[2]))
    return issuer.lower(), tuple(parameters)
