"""MTA-STS (RFC 8461): the TXT record, the policy file, and whether a policy covers a mail host."""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.errors import ParseError
from checks.parse.tags import parse_tags

_ID = re.compile(r"[A-Za-z0-9]{1,32}")
_PATTERN = re.compile(
    r"(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
_MAX_AGE_LARGEST = 31_557_600
_MX_MAX = 200


@dataclass(frozen=True, slots=True)
class StsPolicy:
    mode: str  # enforce, testing, none
    max_age_s: int
    mx: tuple[str, ...]

    def covers(self, host: str) -> bool:
        """A pattern with `*.` stands for exactly one label (4.1)."""
        name = host.lower().rstrip(".")
        return any(
            name == pattern or (pattern.startswith("*.") and name.partition(".")[2] == pattern[2:])
            for pattern in self.mx
        )


def is_sts(text: str) -> bool:
    return re.match(r"v=STSv1[ \t]*(;|$)", text) is not None


def parse_sts_record(text: str) -> str:
    """The id of the policy; ParseError for a record without a good one."""
    found = dict(parse_tags(text, strict=True)).get("id", "")
    if not is_sts(text) or _ID.fullmatch(found) is None:
        raise ParseError("no good id")
    return found


def parse_sts_policy(text: str) -> StsPolicy:
    """The policy file; ParseError names the line that breaks it."""
    fields: dict[str, str] = {}
    mx: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        key, colon, value = (piece.strip(" \t") for piece in line.partition(":"))
        if not key and not colon:
            continue
        if not colon or not key:
            raise ParseError(f"no field: {line.strip():.60}")
        if key == "mx":
            mx.append(value.lower().rstrip("."))
        else:
            fields.setdefault(key, value)
    if fields.get("version") != "STSv1":
        raise ParseError("no version: STSv1")
    return _policy(fields, mx)


def _policy(fields: dict[str, str], mx: list[str]) -> StsPolicy:
    mode, age = fields.get("mode", ""), fields.get("max_age", "")
    if mode not in ("enforce", "testing", "none"):
        raise ParseError(f"mode: {mode:.20}")
    if re.fullmatch(r"[0-9]{1,10}", age) is None or int(age) > _MAX_AGE_LARGEST:
        raise ParseError(f"max_age: {age:.20}")
    if len(mx) > _MX_MAX or not all(len(p) <= 255 and _PATTERN.fullmatch(p) for p in mx):
        raise ParseError("mx: no host name")
    if mode != "none" and not mx:
        raise ParseError("no mx line")
    return StsPolicy(mode, int(age), tuple(mx))
