"""`python -m tests.upgrades.older SCHEMA FILE`: fills the tables of that version and exports them as it would have."""

from __future__ import annotations

import sys
from pathlib import Path

import django


def main(schema: str, path: str) -> None:
    django.setup()
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    from fedisec.moving import export as exporting
    from fedisec.moving import tables
    from fedisec.moving.container import NO_SECRETS
    from tests.faults.upgrade import fill

    fill(schema)
    executor = MigrationExecutor(connection)
    nodes = executor.loader.graph.node_map
    done = set(executor.loader.applied_migrations)
    targets = sorted(key for key in done if not any(child.key in done for child in nodes[key].children))
    apps = executor.loader.project_state(targets).apps
    found = sorted(
        (
            model
            for model in apps.get_models(include_auto_created=True)
            if model._meta.db_table not in tables.LEFT and not model._meta.proxy
        ),
        key=lambda model: model._meta.db_table,
    )
    # What is of that version and not of this one.
    tables.models = lambda: iter(found)
    exporting._is_behind = lambda: False
    given = {m._meta.db_table: {f.column for f in m._meta.local_concrete_fields} for m in found}
    tables.WITHOUT = {
        table: columns
        and {column: value for column, value in columns.items() if column in given.get(table, ())}
        for table, columns in tables.WITHOUT.items()
    }
    print(exporting.export(Path(path), NO_SECRETS, "", lambda *_: None).rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
