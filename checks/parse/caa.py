"""A CAA record in presentation form, by RFC 8659 section 4; what it asks of ACME by RFC 8657."""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.errors import ParseError

_RECORD = re.compile(r'(\d{1,3}) ([A-Za-z0-9]{1,255}) "?(.*?)"?', re.DOTALL)
_ESCAPE = re.compile(r"\\(\d{3}|.)", re.DOTALL)
_LABELS = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
_PARAMETER = re.compile(r"([A-Za-z0-9](?:-*[A-Za-z0-9])*)[ \t]*=[ \t]*([!-:<-~]*)")
_METHOD = re.compile(r"[A-Za-z0-9-]+")
# Those that every authority must know (RFC 8659 section 4), and those registered since: an authority that
# does not know one of the latter must refuse to issue where it is marked critical, and the largest does.
CORE_TAGS = frozenset({"issue", "issuewild", "iodef"})
KNOWN_TAGS = CORE_TAGS | {"issuemail", "issuevmc", "contactemail", "contactphone"}


@dataclass(frozen=True, slots=True)
class CaaRecord:
    """`issuer`: who may issue ("" = nobody); an issue value that breaks the grammar allows nobody (4.2)."""

    flags: int
    tag: str
    value: str
    issuer: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    well_formed: bool = True

    @property
    def critical(self) -> bool:
        return bool(self.flags & 0x80)

    def given(self, tag: str) -> tuple[str, ...]:
        """The values of a parameter, in their order."""
        return tuple(value for name, value in self.parameters if name == tag)


@dataclass(frozen=True, slots=True)
class Binding:
    """What an issue line asks of ACME beside the issuer (RFC 8657)."""

    account: str = ""  # the one account URI that may order; "" = any
    methods: tuple[str, ...] | None = None  # the only methods that may validate; None = any
    satisfiable: bool = True  # False: no request can ever meet it


def binding_of(record: CaaRecord) -> Binding:
    """A parameter that stands twice, an account that is empty and a list of methods that breaks the grammar
    or is empty make a line that nobody can satisfy (RFC 8657 sections 3 and 4)."""
    accounts, lists = record.given("accounturi"), record.given("validationmethods")
    methods = tuple(lists[0].split(",")) if lists else None
    sound = all(_METHOD.fullmatch(method) for method in methods or ())
    once = len(accounts) <= 1 and len(lists) <= 1
    return Binding(accounts[0] if accounts else "", methods, once and sound and "" not in accounts)


def parse_caa(text: str) -> CaaRecord:
    """The record, or ParseError for what is no presentation form of one."""
    found = _RECORD.fullmatch(text)
    if found is None or int(found[1]) > 255:
        raise ParseError("not a CAA record")
    flags, tag, value = int(found[1]), found[2].lower(), _ESCAPE.sub(_unescape, found[3])
    if tag not in ("issue", "issuewild"):
        return CaaRecord(flags, tag, value)
    try:
        issuer, parameters = _issue_value(value)
    except ParseError:
        return CaaRecord(flags, tag, value, well_formed=False)
    return CaaRecord(flags, tag, value, issuer, parameters)


def _unescape(found: re.Match[str]) -> str:
    return chr(int(found[1])) if found[1].isdecimal() and int(found[1]) < 256 else found[1]


def _issue_value(value: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Issuer and parameters.  A semicolon may follow the issuer, but none the last parameter."""
    issuer, *rest = (piece.strip(" \t") for piece in value.split(";"))
    if issuer and _LABELS.fullmatch(issuer) is None:
        raise ParseError("no issuer domain name")
    parameters: list[tuple[str, str]] = []
    for piece in [] if rest == [""] else rest:
        parameter = _PARAMETER.fullmatch(piece)
        if parameter is None:
            raise ParseError("no parameter")
        parameters.append((parameter[1].lower(), parameter[2]))
    return issuer.lower(), tuple(parameters)
