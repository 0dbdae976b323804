"""Whether the database answers, and is of this version."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path

from django.db import connection
from django.db.migrations.loader import MigrationLoader

from fedisec.lib.schema import SchemaWatch
from fedisec.system.line import Line, State


def answers(now: datetime) -> Line:
    """Its version and size."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT current_setting('server_version'), pg_database_size(current_database()),"
                " pg_is_in_recovery()"
            )
            version, size, read_only = cursor.fetchone()
            engine = "PostgreSQL"
        else:
            cursor.execute("SELECT count(*) FROM django_migrations")
            version, engine, read_only = sqlite3.sqlite_version, "SQLite", False
            size = sum(path.stat().st_size for path in _files())
    data = {"engine": engine, "version": version.split()[0], "size": size}
    if read_only:
        return Line("database", State.BROKEN, "read_only", data)
    return Line("database", State.OK, "answers", data)


def _files() -> list[Path]:
    name = Path(connection.settings_dict["NAME"])
    return [path for path in (name, Path(f"{name}-wal")) if path.exists()]


def migrations(now: datetime) -> Line:
    """Its tables are of this version, neither older nor newer."""
    if step := SchemaWatch().newer():
        return Line("migrations", State.BROKEN, "newer", {"step": step})
    missing = unapplied()
    if missing:
        return Line("migrations", State.BROKEN, "older", {"n": len(missing), "step": ".".join(missing[0])})
    return Line("migrations", State.OK, "current")


def unapplied() -> list[tuple[str, str]]:
    """Migrations of this version that the database has not seen."""
    loader = MigrationLoader(connection)
    return sorted(set(loader.disk_migrations) - set(loader.applied_migrations))
