"""Facts as JSON and back: a saved file is a bug report, a fixture, and can be judged again.

Each dataclass is an object with its class name under "$"; what a field holds beside that is told by its
annotation.  An unknown class, an unknown field or a value of the wrong shape raises CodecError; a field that
the file lacks takes its default, so facts stored by an older version still load.
"""

from __future__ import annotations

import base64
import dataclasses
import importlib
import pkgutil
import types
import typing
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Any

import checks.facts
from checks.errors import Reason
from checks.facts import Fact, Facts, Missing

SCHEMA = 1


class CodecError(ValueError):
    """A file that is not what `encode_facts` writes."""


def encode_facts(facts: Facts) -> dict[str, Any]:
    """A JSON-able dictionary; `decode_facts` brings back equal facts."""
    return {
        "schema": SCHEMA,
        "found": [_encode(fact) for fact in facts.found.values()],
        "missing": {
            kind.__name__: {"reason": gap.reason.value, "detail": gap.detail}
            for kind, gap in facts.missing.items()
        },
    }


def decode_facts(document: Any) -> Facts:
    """The facts of a document that `encode_facts` wrote; CodecError for anything else."""
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise CodecError(f"not a facts file of schema {SCHEMA}")
    try:
        found = [_decode(entry, Fact, "found") for entry in document["found"]]
        missing = {
            _fact_class(name): Missing(Reason(gap["reason"]), str(gap["detail"]))
            for name, gap in document["missing"].items()
        }
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise CodecError(f"broken facts file: {error}") from error
    return Facts({type(fact): fact for fact in found}, missing)


def _encode(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: _encode(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"$": type(value).__name__, **fields}
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, date):  # a datetime is one, too
        return value.isoformat()
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise TypeError(f"facts may not hold a {type(value).__name__}")


@cache
def _classes() -> dict[str, type]:
    """Every dataclass of the facts package by name; names are unique across its modules."""
    found: dict[str, type] = {}
    names = [checks.facts.__name__]
    names += [m.name for m in pkgutil.iter_modules(checks.facts.__path__, f"{checks.facts.__name__}.")]
    for name in names:
        for value in vars(importlib.import_module(name)).values():
            if isinstance(value, type) and dataclasses.is_dataclass(value) and value.__module__ == name:
                if value.__name__ in found:
                    raise CodecError(f"two fact classes are called {value.__name__}")
                found[value.__name__] = value
    return found


def _fact_class(name: str) -> type[Fact]:
    kind = _classes().get(name)
    if kind is None or not issubclass(kind, Fact):
        raise CodecError(f"unknown fact {name!r}")
    return kind


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _decode(value: Any, hint: Any, where: str) -> Any:
    if isinstance(value, dict):
        return _decode_object(value, hint, where)
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _decode_union(value, typing.get_args(hint), where)
    if origin is tuple:
        return _decode_tuple(value, typing.get_args(hint), where)
    return _decode_scalar(value, hint, where)


def _decode_object(value: dict[str, Any], hint: Any, where: str) -> Any:
    kind = _classes().get(str(value.get("$")))
    allowed = typing.get_args(hint) or (hint,)
    if kind is None or not any(isinstance(a, type) and issubclass(kind, a) for a in allowed):
        raise CodecError(f"{where}: unexpected {value.get('$')!r}")
    hints = _hints(kind)
    unknown = value.keys() - hints.keys() - {"$"}
    if unknown:
        raise CodecError(f"{where}: unknown field {sorted(unknown)[0]!r}")
    fields = {k: _decode(v, hints[k], f"{where}.{k}") for k, v in value.items() if k != "$"}
    return kind(**fields)


def _decode_union(value: Any, options: tuple[Any, ...], where: str) -> Any:
    if value is None and type(None) in options:
        return None
    for option in options:
        try:
            return _decode(value, option, where)
        except (CodecError, ValueError):
            continue
    raise CodecError(f"{where}: fits none of the allowed kinds")


def _decode_tuple(value: Any, arguments: tuple[Any, ...], where: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise CodecError(f"{where}: not a list")
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(_decode(item, arguments[0], f"{where}[]") for item in value)
    if len(value) != len(arguments):
        raise CodecError(f"{where}: {len(arguments)} values expected")
    return tuple(_decode(item, hint, f"{where}[]") for item, hint in zip(value, arguments, strict=True))


def _decode_scalar(value: Any, hint: Any, where: str) -> Any:
    if hint is bytes and isinstance(value, str):
        return base64.b64decode(value, validate=True)
    if hint is datetime and isinstance(value, str):
        return datetime.fromisoformat(value)
    if hint is date and isinstance(value, str):
        return date.fromisoformat(value)
    if isinstance(hint, type) and issubclass(hint, StrEnum) and isinstance(value, str):
        return hint(value)
    if hint is float and type(value) in (int, float):
        return float(value)
    # `type() is`, not isinstance: True is an int, and a flag must not become a number.
    if hint in (str, int, bool) and type(value) is hint:
        return value
    raise CodecError(f"{where}: {type(value).__name__} where {getattr(hint, '__name__', hint)} belongs")
