"""Values of columns as they stand in an export, whatever the database, and back.

What is read comes from a file that anybody may have made: each value is held against the type, the length and
the range of its column before a database sees it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Field, ForeignKey

if TYPE_CHECKING:
    AnyField = Field[Any, Any]
DEPTH_MAX = 64  # of a JSON value; facts have some ten
_TEXTS = {"CharField", "TextField", "EmailField", "URLField", "SlugField", "FilePathField"}


class BadValue(ValueError):
    """A value that its column does not take."""


def as_plain(field: AnyField) -> Callable[[Any], Any] | None:
    """How a value of `field` is written; None where it is JSON as it is.  TypeError for a kind of column that
    has no form here yet."""
    kind = _kind(field)
    if kind in {"DateTimeField", "DateField", "TimeField"}:
        return _iso
    if kind in _TEXTS or kind in {"JSONField", "BooleanField", "FloatField"} or _is_whole(kind):
        return None
    raise TypeError(f"{field} is a {kind}, which has no form in an export yet")


def from_plain(field: AnyField) -> Callable[[Any], Any]:
    """How a value of the file becomes one for the database.  The function raises BadValue."""
    target = _target(field)
    read = _reader(target, _kind(field))
    null = field.null

    def checked(value: Any) -> Any:
        if value is None and null:
            return None
        return read(value)

    return checked


def _iso(value: Any) -> Any:
    return None if value is None else value.isoformat()


def _target(field: AnyField) -> AnyField:
    while isinstance(field, ForeignKey):
        field = field.target_field
    return field


def _kind(field: AnyField) -> str:
    return _target(field).get_internal_type()


def _is_whole(kind: str) -> bool:
    return "Integer" in kind or "AutoField" in kind


def _reader(field: AnyField, kind: str) -> Callable[[Any], Any]:
    if kind in _TEXTS:
        return lambda value: _text(value, field.max_length if kind != "TextField" else None)
    if _is_whole(kind):
        return _whole(kind)
    simple: dict[str, Callable[[Any], Any]] = {
        "BooleanField": _truth,
        "FloatField": _number,
        "JSONField": _json,
        "DateTimeField": lambda value: field.get_db_prep_save(_moment(value), connection),
        "DateField": lambda value: field.get_db_prep_save(_parsed(date.fromisoformat, value), connection),
        "TimeField": lambda value: field.get_db_prep_save(_parsed(time.fromisoformat, value), connection),
    }
    return simple[kind]


def _text(value: Any, longest: int | None) -> str:
    if not isinstance(value, str):
        raise BadValue("no text")
    if longest is not None and len(value) > longest:
        raise BadValue(f"longer than {longest} characters")
    return _storable(value)


def _storable(text: str) -> str:
    if "\0" in text:
        raise BadValue("holds a NUL")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise BadValue("holds half a character") from None
    return text


def _whole(kind: str) -> Callable[[Any], int]:
    ends: Any = connection.ops.integer_field_range(kind)  # SQLite has none for some kinds
    low = -(2**63) if ends[0] is None else ends[0]
    high = 2**63 - 1 if ends[1] is None else ends[1]

    def checked(value: Any) -> int:
        if type(value) is not int:
            raise BadValue("no whole number")
        if not low <= value <= high:
            raise BadValue("a number out of range")
        return value

    return checked


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadValue("neither true nor false")
    return value


def _number(value: Any) -> float:
    if type(value) not in {int, float} or not math.isfinite(value):
        raise BadValue("no number")
    return float(value)


def _moment(value: Any) -> datetime:
    found: datetime = _parsed(datetime.fromisoformat, value)
    if found.tzinfo is None:
        raise BadValue("a time without its zone")
    return found


def _parsed(parse: Callable[[str], Any], value: Any) -> Any:
    if not isinstance(value, str) or len(value) > 40:
        raise BadValue("no date or time")
    try:
        return parse(value)
    except ValueError:
        raise BadValue("no date or time") from None


def _json(value: Any) -> str:
    """As text, which both databases take for JSON."""
    try:
        text = json.dumps(value, allow_nan=False)
    except ValueError:
        raise BadValue("a number that JSON does not have") from None
    if text.count("[") + text.count("{") > DEPTH_MAX:
        _mind_depth(value, DEPTH_MAX)
    if "\\u0000" in text or "\\ud" in text:
        _mind_texts(value)
    return text


def _mind_depth(value: Any, left: int) -> None:
    if left < 0:
        raise BadValue(f"nested deeper than {DEPTH_MAX}")
    for inner in _inside(value):
        if isinstance(inner, dict | list):
            _mind_depth(inner, left - 1)


def _mind_texts(value: Any) -> None:
    if isinstance(value, str):
        _storable(value)
    elif isinstance(value, dict):
        for name in value:
            _storable(name)
    for inner in _inside(value):
        _mind_texts(inner)


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
