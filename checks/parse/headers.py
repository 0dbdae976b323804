"""Small security headers: one function each, text in, meaning out."""

from __future__ import annotations

from enum import StrEnum

_MAX = 8192
REFERRER_POLICIES = frozenset(
    {
        "no-referrer", "no-referrer-when-downgrade", "same-origin", "origin", "strict-origin",
        "origin-when-cross-origin", "strict-origin-when-cross-origin", "unsafe-url",
    }
)  # fmt: skip


class Framing(StrEnum):
    """What X-Frame-Options comes to in browsers (HTML standard, "check a navigation response")."""

    ABSENT = "absent"
    DENY = "deny"
    SAMEORIGIN = "sameorigin"
    CONFLICT = "conflict"  # different values: browsers deny or ignore, nobody can tell
    INVALID = "invalid"  # ALLOW-FROM or garbage: ignored, so no protection


def list_of(values: tuple[str, ...]) -> list[str]:
    """The members of a comma-separated header over all its lines, lower case, empty ones left out."""
    joined = ",".join(v[:_MAX] for v in values)[: 4 * _MAX]
    return [part.strip().lower() for part in joined.split(",") if part.strip()]


def parse_frame_options(values: tuple[str, ...]) -> Framing:
    """Identical repeats are fine."""
    found = set(list_of(values))
    if not found:
        return Framing.ABSENT
    if found <= {"deny"}:
        return Framing.DENY
    if found <= {"sameorigin"}:
        return Framing.SAMEORIGIN
    return Framing.CONFLICT if found & {"deny", "sameorigin"} else Framing.INVALID


def is_nosniff(values: tuple[str, ...]) -> bool:
    """The Fetch standard looks at the first member of the list alone, be it empty."""
    return bool(values) and ",".join(values)[:_MAX].split(",")[0].strip(" \t").lower() == "nosniff"


def parse_referrer_policy(values: tuple[str, ...]) -> str | None:
    """The policy in effect: the last known token ("" if none is known); None where there is no header."""
    if not values:
        return None
    known = [token for token in list_of(values) if token in REFERRER_POLICIES]
    return known[-1] if known else ""


def single_token(values: tuple[str, ...]) -> str | None:
    """The one value of a header, lower case; identical repeats count once, different ones give "conflict"."""
    found = set(list_of(values))
    if not found:
        return None if not values else ""
    return found.pop() if len(found) == 1 else "conflict"


def xss_filter(values: tuple[str, ...]) -> str | None:
    """What stands before the first semicolon of X-XSS-Protection: "0" off, "1" on; None without header."""
    if not values:
        return None
    return values[0][:_MAX].split(";")[0].strip().lower()
