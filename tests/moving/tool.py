"""Runs inside the settings under test: `python -m tests.moving.tool COMMAND`.

fill     rows in every table
print    every row of every table as Python has it, what is sealed opened: {table: {key: {column: repr}}}
sealed   how many sealed texts open, and how many there are
"""

from __future__ import annotations

import json
import sys
from typing import Any

import django


def main(command: str) -> None:
    django.setup()
    if command == "fill":
        from tests.moving.everything import fill

        fill()
    elif command == "print":
        print(json.dumps(rows()))
    else:
        raise SystemExit(f"unknown command {command}")


def rows() -> dict[str, dict[str, dict[str, str]]]:
    from django.apps import apps

    return {
        model._meta.db_table: {repr(row.pk): _of(row) for row in model._base_manager.order_by("pk")}
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    }


def _of(row: Any) -> dict[str, str]:
    from fedisec.lib.sealed import columns
    from fedisec.lib.secrets import unseal

    sealed = {column.field: column for column in columns() if column.model is type(row)}
    found = {}
    for field in row._meta.local_concrete_fields:
        value = getattr(row, field.attname)
        if field.name in sealed:
            column = sealed[field.name]
            value = column.each(value, lambda text: unseal(column.purpose, column.row_of(row.pk), text))  # noqa: B023
        if isinstance(value, dict):
            value = json.dumps(value, sort_keys=True)
        found[field.column] = repr(value)
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
