"""Where sealed texts stand: the columns that a rotation of the keys has to go through.

A column of a model of ours is a `SealedField`, and is found by that.  What a model of somebody else holds is
named with `also`, in the `ready` of the app that seals it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models

from fedisec.lib.secrets import seal, unseal

Change = Callable[[str], str]


class SealedField(models.TextField):  # type: ignore[type-arg]  # takes none at run time
    """A text that stands sealed, bound to `purpose` and the key of its row; "" is nothing and stays so.  For
    the database, and so for migrations, it is a text."""

    def __init__(self, purpose: str = "", **options: Any) -> None:
        self.purpose = purpose
        super().__init__(**options)

    def deconstruct(self) -> Any:
        name, _path, args, options = super().deconstruct()
        return name, "django.db.models.TextField", args, options


def put(row: models.Model, field: str, text: str) -> None:
    """Seals `text` into that field of `row`, which is stored already (it has its key); "" empties it.
    CannotOpen without keys."""
    setattr(row, field, seal(_purpose(row, field), str(row.pk), text) if text else "")


def opened(row: models.Model, field: str) -> str:
    """What was sealed into that field; "" where nothing is.  CannotOpen where no key fits."""
    stored: str = getattr(row, field)
    return unseal(_purpose(row, field), str(row.pk), stored) if stored else ""


def _purpose(row: models.Model, field: str) -> str:
    found = row._meta.get_field(field)
    assert isinstance(found, SealedField) and found.purpose, field
    return found.purpose


def _whole(stored: Any, change: Change) -> Any:
    return change(stored) if stored else stored


@dataclass(frozen=True, slots=True)
class Column:
    """One column with sealed texts.  `row_of`: what a text is bound to, of the row's key.  `each`: the
    stored value with a change made to every sealed text in it.  `bound`: the column whose value that is, the
    key by default."""

    model: type[models.Model]
    field: str
    purpose: str
    row_of: Callable[[Any], str] = str
    each: Callable[[Any, Change], Any] = _whole
    bound: str = ""

    @property
    def bound_to(self) -> str:
        return self.bound or str(self.model._meta.pk.column)

    @property
    def name(self) -> str:
        return f"{self.model._meta.db_table}.{self.field}"


_others: dict[str, Column] = {}


def also(column: Column) -> None:
    """Names a column of a model that is not ours."""
    _others[column.name] = column


def columns() -> Iterator[Column]:
    """All of them."""
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.local_concrete_fields:
            if isinstance(field, SealedField):
                yield Column(model, field.name, field.purpose)
    yield from _others.values()
