"""JSON from strangers: capped in size and depth before it is read, typed field by field after."""

from __future__ import annotations

import json
from typing import Any

from checks.clean import clean
from checks.errors import ParseError

_MAX_CHARS = 1_048_576
_MAX_DEPTH = 64
_MAX_INT = 10**12


def load_object(text: str) -> dict[str, Any]:
    """A JSON object.  ParseError for anything else, for NaN, for more than 1 MiB or 64 levels."""
    value = _load(text)
    if not isinstance(value, dict):
        raise ParseError("no JSON object")
    return value


def load_list(text: str, limit: int = 200) -> list[Any]:
    """A JSON array, cut to `limit` elements; ParseError as `load_object`."""
    value = _load(text)
    if not isinstance(value, list):
        raise ParseError("no JSON array")
    return value[:limit]


def _load(text: str) -> Any:
    if len(text) > _MAX_CHARS:
        raise ParseError("more than 1 MiB of JSON")
    if _depth(text) > _MAX_DEPTH:
        raise ParseError("JSON nested too deep")
    try:
        return json.loads(text, parse_constant=_refuse, parse_int=_whole)
    except (ValueError, RecursionError) as error:
        raise ParseError("not JSON") from error


def text_at(value: Any, *path: str, limit: int = 500) -> str | None:
    """The text at `path`, cleaned and cut; None for anything else, and for the empty text."""
    found = at(value, *path)
    return clean(found.strip(), limit, newlines=False) or None if isinstance(found, str) else None


def bool_at(value: Any, *path: str) -> bool | None:
    found = at(value, *path)
    return found if isinstance(found, bool) else None


def int_at(value: Any, *path: str) -> int | None:
    found = at(value, *path)
    return (
        found if isinstance(found, int) and not isinstance(found, bool) and 0 <= found <= _MAX_INT else None
    )


def list_at(value: Any, *path: str) -> list[Any] | None:
    found = at(value, *path)
    return found[:200] if isinstance(found, list) else None


def at(value: Any, *path: str) -> Any:
    """What lies at `path`; None where a step is missing or no object."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _depth(text: str) -> int:
    """How deep brackets nest, those in strings counted too: at worst too careful."""
    deepest = level = 0
    for char in text:
        if char in "[{":
            level += 1
            deepest = max(deepest, level)
            if deepest > _MAX_DEPTH:
                break
        elif char in "]}":
            level -= 1
    return deepest


def _refuse(constant: str) -> float:
    raise ParseError(f"{constant} in JSON")


def _whole(digits: str) -> int:
    # int() of more than 4300 digits raises, and takes time long before.
    return int(digits) if len(digits) <= 20 else _MAX_INT + 1
