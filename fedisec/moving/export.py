"""Writing every row of the installation into one file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Model
from django.utils import timezone

from checks import CHECKS_VERSION
from fedisec.lib.models import Canary
from fedisec.lib.sealed import Column, columns
from fedisec.lib.secrets import CannotOpen, unseal
from fedisec.moving import tables
from fedisec.moving.container import AS_STORED, NO_SECRETS, OPENED, Head, Table, writer
from fedisec.moving.files import writing
from fedisec.moving.snapshot import snapshot
from fedisec.moving.values import as_plain

BATCH = 500  # rows between two calls of `Progress`
CHUNK = 50  # rows in memory: with the facts of a scan each may have a megabyte
Progress = Callable[[str, int, int], None]  # (table, rows of all written, rows of all)


class CannotExport(Exception):
    """One sentence about why."""


@dataclass(frozen=True, slots=True)
class Exported:
    rows: int
    tables: int
    sha256: str


def export(path: Path, secrets: str, passphrase: str, progress: Progress) -> Exported:
    """Everything into a new file at `path`, as of one moment.  `secrets`: see `Head`; with OPENED there must
    be a passphrase.  CannotExport; FileExistsError."""
    with writing(path) as file:
        return export_into(file, secrets, passphrase, progress)


def export_into(file: IO[bytes], secrets: str, passphrase: str, progress: Progress) -> Exported:
    """As `export`, into a file that is open."""
    if _is_behind():
        raise CannotExport("the database is not of this version of fedisec: run manage.py prepare first")
    done = 0
    with writer(file, passphrase if secrets == OPENED else "") as out, snapshot():
        found = list(tables.models())
        head = _head(found, secrets)
        out.head(head)
        for model, table in zip(found, head.tables, strict=True):
            for row in _rows(model, table, secrets):
                out.row(row)
                done += 1
                if done % BATCH == 0:
                    progress(table.name, done, head.rows)
        digest = out.end()
    return Exported(done, len(head.tables), digest)


def _is_behind() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def applied() -> dict[str, list[str]]:
    """app -> the names of its migrations in this database."""
    found: dict[str, list[str]] = {}
    for app, name in sorted(MigrationRecorder(connection).applied_migrations()):
        found.setdefault(app, []).append(name)
    return found


def _head(found: list[type[Model]], secrets: str) -> Head:
    return Head(
        fedisec=settings.VERSION,
        checks=CHECKS_VERSION,
        made_at=timezone.now().isoformat(timespec="seconds"),
        secrets=secrets,
        canary=str(Canary.objects.values_list("sealed", flat=True).first() or "")
        if secrets == AS_STORED
        else "",
        migrations=applied(),
        tables=[_table(model, secrets) for model in found],
    )


def _table(model: type[Model], secrets: str) -> Table:
    meta = model._meta
    left = secrets == NO_SECRETS and tables.WITHOUT.get(meta.db_table, {}) is None
    rows = 0 if left else model._base_manager.count()
    return Table(meta.db_table, [str(field.column) for field in meta.local_concrete_fields], rows)


def _rows(model: type[Model], table: Table, secrets: str) -> Iterator[list[Any]]:
    if not table.rows:
        return
    fields = model._meta.local_concrete_fields
    changes = _changes(model, secrets)
    plain = [(at, change) for at, one in enumerate(fields) if (change := as_plain(one)) is not None]
    query = model._base_manager.order_by("pk").values_list(*(field.attname for field in fields))
    for found in query.iterator(chunk_size=CHUNK):
        row = list(found)
        for at, change in plain:
            row[at] = change(row[at])
        for at, changed in changes:
            row[at] = changed(row)
        yield row


def _changes(model: type[Model], secrets: str) -> list[tuple[int, Callable[[list[Any]], Any]]]:
    """(number of a column, what stands there of a row)."""
    names = [str(field.column) for field in model._meta.local_concrete_fields]
    if secrets == NO_SECRETS:
        given: Mapping[str, Any] = tables.WITHOUT.get(model._meta.db_table) or {}
        return [(names.index(name), _always(value)) for name, value in given.items()]
    if secrets == AS_STORED:
        return []
    mine = [column for column in columns() if column.model is model]
    return [(names.index(column.field), _opened(column, names)) for column in mine]


def _always(value: Any) -> Callable[[list[Any]], Any]:
    return lambda _row: value


def _opened(column: Column, names: list[str]) -> Callable[[list[Any]], Any]:
    at, bound = names.index(column.field), names.index(column.bound_to)

    def opened(row: list[Any]) -> Any:
        try:
            return column.each(row[at], lambda text: unseal(column.purpose, str(row[bound]), text))
        except CannotOpen:
            raise CannotExport(
                f"no key opens {column.name} of row {row[bound]}: put back the key file it was sealed with, "
                "or give up what no key opens with manage.py forget_secrets"
            ) from None

    return opened
