"""Rows in every table, each column with a value, made by what the models say of themselves.

A model that is new is filled as well, or says that it cannot be: then its test has something to compare.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.apps import apps
from django.db import models

from fedisec.lib.sealed import SealedField, put

ROWS = 3  # with every value, with another one, and with nothing where nothing may stand
BEGAN = datetime(2026, 2, 3, 4, 5, 6, 789012, tzinfo=UTC)
WORDS = "値 “quoted” \\ 'x'\n\ttab \U0001f419 \x7f"


def fill() -> None:
    """Adds ROWS rows to every table of a model."""
    left = _tables()
    made: dict[type[models.Model], list[models.Model]] = {}
    while left:
        ready = [model for model in left if all(_is_made(field, model, made) for field in _links(model))]
        assert ready, f"in a circle: {left}"
        for model in ready:
            made[model] = [_row(model, number, made) for number in range(ROWS)]
        left = [model for model in left if model not in made]


def _tables() -> list[type[models.Model]]:
    found = (m for m in apps.get_models(include_auto_created=True) if m._meta.managed and not m._meta.proxy)
    skipped = {"contenttypes", "sessions", "auth"}
    return [
        model
        for model in found
        if model._meta.app_label not in skipped and model._meta.db_table != "lib_canary"
    ]


def _links(model: type[models.Model]) -> list[Any]:
    return [field for field in model._meta.local_concrete_fields if field.is_relation]


def _is_made(field: Any, model: type[models.Model], made: dict[Any, Any]) -> bool:
    other = field.related_model
    return other in made or other is model or other._meta.app_label in {"auth", "contenttypes"}


def _row(model: type[models.Model], number: int, made: dict[Any, Any]) -> models.Model:
    bare = number == ROWS - 1
    sealed, values = [], {}
    for field in model._meta.local_concrete_fields:
        if field.get_internal_type().endswith("AutoField"):
            continue
        if field.is_relation:
            others = made.get(field.related_model)
            if others is None:  # nobody uses groups and permissions
                other: Any = field.related_model
                others = list(other._base_manager.all()[:ROWS]) or [_row(other, n, made) for n in range(ROWS)]
            values[field.name] = None if bare and field.null else others[number]
        elif isinstance(field, SealedField):
            values[field.name] = ""
            sealed.append(field.name)
        else:
            values[field.name] = None if bare and field.null else _value(field, number)
    if model._meta.label == "watch.Source":
        values["own"] = True  # what is none of the shipped ones goes at the next start
    if "channel" in values and "user" in values:  # one recipient, a person or a channel
        values["channel" if number % 2 else "user"] = None
        values["user" if number % 2 else "channel"] = made[
            model._meta.get_field("user" if number % 2 else "channel").related_model
        ][number]
    if model._meta.label == "mfa.Authenticator":
        values["data"] = _factor(values["user"], number)
    row = model(**values)
    row.save(force_insert=True)
    for name in sealed:
        put(row, name, "" if bare else f"a secret of {model.__name__} {number} {WORDS}")
    if sealed:
        row.save(update_fields=sealed)
    return row


def _factor(user: Any, number: int) -> dict[str, Any]:
    from fedisec.accounts.factors import PURPOSE
    from fedisec.lib.secrets import seal

    if number:
        return {"name": f"a passkey {number}", "credential": {"id": "x" * 20}}
    return {"secret": seal(PURPOSE, str(user.pk), "JBSWY3DPEHPK3PXP")}


def _value(field: Any, number: int) -> Any:
    kind = field.get_internal_type()
    if field.name == "email":
        return f"everything{number}@example.org"
    if field.name == "domain":
        return f"everything{number}.example"
    if kind in {"CharField", "TextField", "EmailField", "URLField", "SlugField"}:
        text = f"{number}{field.name}{WORDS}"
        return text[: field.max_length]
    if "Integer" in kind:
        return {"BigIntegerField": 2**40, "IntegerField": -7}.get(kind, 7) + number
    simple = {
        "BooleanField": number % 2 == 0,
        "FloatField": 0.1 + number,
        "JSONField": {"値": [1, 2.5, None, True, WORDS, {"deep": {"er": number}}], "": -0.5},
        "DateTimeField": BEGAN + timedelta(days=number, microseconds=number),
        "DateField": date(2026, 2, 28) + timedelta(days=number),
        "TimeField": time(23, 59, 58, number),
    }
    assert kind in simple, f"tests/moving/everything.py knows no value of a {kind} ({field})"
    return simple[kind]
