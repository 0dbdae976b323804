"""Every table and every column that looks like a secret is decided."""

from __future__ import annotations

from django.apps import apps

from fedisec.lib.sealed import columns
from fedisec.moving import tables
from fedisec.moving.tables import LEFT, LOOKS_SECRET, NO_SECRET, PREPARED, WITHOUT
from fedisec.moving.values import as_plain, from_plain

KNOWN = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}


def test_what_looks_like_a_secret_is_decided() -> None:
    open_ones = []
    for model in tables.models():
        table = model._meta.db_table
        given = WITHOUT.get(table, {})
        for field in model._meta.local_concrete_fields:
            name = f"{table}.{field.column}"
            if given is not None and LOOKS_SECRET.search(str(field.column)):
                open_ones += [name] if field.column not in given and name not in NO_SECRET else []
    assert open_ones == [], "name it in WITHOUT or, with a reason, in NO_SECRET (fedisec/moving/tables.py)"


def test_what_is_sealed_is_left_out_of_a_file_without_secrets() -> None:
    for column in columns():
        table = column.model._meta.db_table
        if table not in LEFT:
            given = WITHOUT.get(table, {})
            assert given is None or given.get(column.field) == "", column.name


def test_what_is_decided_is_there() -> None:
    assert set(LEFT) | PREPARED | set(WITHOUT) <= KNOWN
    fields = {
        f"{model._meta.db_table}.{field.column}"
        for model in tables.models()
        for field in model._meta.local_concrete_fields
    }
    given = {f"{table}.{column}" for table, columns in WITHOUT.items() for column in columns or ()}
    assert given | set(NO_SECRET) <= fields


def test_every_kind_of_column_has_a_form() -> None:
    for model in tables.models():
        for field in model._meta.local_concrete_fields:
            as_plain(field)
            from_plain(field)
