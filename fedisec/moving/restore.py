"""Putting a backup in the place of the database."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from fedisec.lib import canary
from fedisec.lib.listen import CannotStart
from fedisec.moving.backup import CannotBackUp, look_into, postgres_environment, uri
from fedisec.moving.files import MODE

_SQLITE = b"SQLite format 3\0"
_PG_DUMP = b"PGDMP"


class CannotRestore(Exception):
    """One sentence about why; nothing was changed."""


def kind_of(path: Path) -> str:
    """ "sqlite", "pg_dump", or "" for what is none of both.  OSError."""
    with path.open("rb") as file:
        began = file.read(len(_SQLITE))
    return "sqlite" if began == _SQLITE else "pg_dump" if began.startswith(_PG_DUMP) else ""


def keys_fit() -> str:
    """ "" where the key file is that of the database; else the sentence about it."""
    try:
        canary.look()
    except CannotStart as error:
        return str(error)
    return ""


def from_sqlite(path: Path) -> Path | None:
    """Puts the copy at `path` in the place of the database, which is kept under the name that is returned
    (None where there was none).  Nobody else may have it open.  CannotRestore."""
    if connection.vendor != "sqlite":
        raise CannotRestore(
            "a backup of SQLite does not go into PostgreSQL: restore it without DATABASE_URL, then export it"
        )
    try:
        look_into(path)
    except CannotBackUp as error:
        raise CannotRestore(str(error)) from error
    _mind_version(path)
    here = Path(connection.settings_dict["NAME"])
    draft = here.with_name(f".{here.name}.restored")
    connections.close_all()
    try:
        draft.unlink(missing_ok=True)
        shutil.copyfile(path, draft)
        draft.chmod(MODE)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        before = _aside(here)
        os.replace(draft, here)
    except OSError as error:
        raise CannotRestore(f"cannot put {path} in the place of {here}: {error}") from error
    finally:
        draft.unlink(missing_ok=True)
    return before


def _mind_version(path: Path) -> None:
    with closing(sqlite3.connect(uri(path, "immutable=1"), uri=True)) as copy:
        found = set(copy.execute("SELECT app, name FROM django_migrations"))
    labels = {app for app, _name in MigrationLoader(None).disk_migrations}
    unknown = {key for key in found if key[0] in labels} - set(MigrationLoader(None).disk_migrations)
    if unknown:
        step = ".".join(max(unknown))
        raise CannotRestore(
            f"the backup belongs to a newer version of fedisec ({step}); restore it with that one"
        )


def _aside(here: Path) -> Path | None:
    """Another name for the database that is there, all of it in its one file."""
    if not here.exists():
        return None
    try:
        with closing(sqlite3.connect(here, timeout=2)) as old:
            old.execute("PRAGMA journal_mode=DELETE")  # only who is alone with it may
    except sqlite3.OperationalError as error:
        raise CannotRestore(
            f"somebody has {here} open: stop every process of fedisec first ({error})"
        ) from error
    except sqlite3.DatabaseError:
        for tail in ("-wal", "-shm"):  # damaged: perhaps that is why
            here.with_name(here.name + tail).unlink(missing_ok=True)
    before = here.with_name(f"{here.name}.before-{timezone.now():%Y%m%dT%H%M%SZ}")
    os.link(here, before)
    return before


def from_pg_dump(path: Path) -> None:
    """Fills the database of PostgreSQL, which must have no tables, in one transaction.  CannotRestore."""
    if connection.vendor != "postgresql":
        raise CannotRestore(
            "a dump of PostgreSQL goes into PostgreSQL: set DATABASE_URL to an empty database"
        )
    if connection.introspection.table_names():
        raise CannotRestore(
            "the database has tables: make a new one, name it in DATABASE_URL, and restore into that"
        )
    program = shutil.which("pg_restore")
    if not program:
        raise CannotRestore("the program pg_restore is not installed (Debian: postgresql-client)")
    env = postgres_environment()
    argv = [
        program, "--single-transaction", "--exit-on-error", "--no-owner", "--no-acl", "--no-password",
        f"--dbname={env['PGDATABASE']}", str(path),
    ]  # fmt: skip
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotRestore(f"pg_restore failed: {' '.join(done.stderr.split())[:300]}")
