"""Lines of reading lists in bulk: one warning for many instances is one statement, and the database makes the
rows.  A thousand instances and some hundred warnings are a quarter of a million lines.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypedDict

from django.db import connection

from fedisec.watch.models import Concern, Entry

_TABLE = Concern._meta.db_table
_COLUMNS = (
    "instance_id", "entry_id", "story", "product", "matched", "by_cpe", "created_at", "told_at",
    "verdict", "repaired_in", "said",
)  # fmt: skip
_ROWS = {
    "sqlite": "SELECT value, {values} FROM json_each(%s) WHERE true",
    "postgresql": "SELECT one, {values} FROM unnest(%s::bigint[]) AS one",
}


class Said(TypedDict):
    """What a line says of an entry; the same for all instances."""

    story: str
    product: str
    matched: str
    by_cpe: bool
    created_at: datetime
    told_at: datetime | None


def add(entry: Entry, instances: Sequence[int], said: Said) -> int:
    """A line about `entry` for each of `instances` that has none of its story yet; returns how many."""
    vendor = connection.vendor
    ids: Any = json.dumps(list(instances)) if vendor == "sqlite" else list(instances)
    adapt = connection.ops.adapt_datetimefield_value
    told = (said["story"], said["product"], said["matched"], said["by_cpe"])
    times = (adapt(said["created_at"]), adapt(said["told_at"]))
    values: list[Any] = [entry.pk, *told, *times, "", "", "", ids]
    types = ["bigint", *["text"] * 3, "boolean", *["timestamptz"] * 2, *["text"] * 3]
    marks = ", ".join(f"%s::{kind}" if vendor == "postgresql" else "%s" for kind in types)
    columns = ", ".join(connection.ops.quote_name(name) for name in _COLUMNS)
    rows = _ROWS[vendor].format(values=marks)
    with connection.cursor() as cursor:
        # The names are constants of this module, the values are parameters.
        cursor.execute(f"INSERT INTO {_TABLE} ({columns}) {rows} ON CONFLICT DO NOTHING", values)
        return int(cursor.rowcount)
