"""Reading an export into an empty database: all of it, or nothing.

The file may be of an older version: then the tables are made as they were, filled, and brought on by the same
migrations as everywhere.  What stands sealed here is sealed with the key file of this installation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Any

from django.conf import settings
from django.core.management.color import no_style
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Model

from fedisec.lib import keyfile
from fedisec.lib.away import in_a_word
from fedisec.lib.sealed import Column, columns
from fedisec.lib.secrets import CannotOpen, seal, unseal
from fedisec.moving import tables
from fedisec.moving.container import AS_STORED, OPENED, NotReadable, Reader, Table
from fedisec.moving.export import Progress, applied
from fedisec.moving.values import BadValue, from_plain

BATCH, BATCH_SIZE = 500, 4_000_000  # rows, and characters in them, at once
# Tables whose rows show that an installation is in use, whatever else stands there.
_LOCKED = ("accounts_user", "instances_instance")


class CannotImport(Exception):
    """One sentence about why."""


def read(file: IO[bytes], passphrase: Callable[[], str], progress: Progress) -> Reader:
    """Fills the database of this installation from an export, which is whole and right, or changes nothing
    in it.  CannotImport, NotReadable."""
    reader = Reader(file, passphrase)
    executor = MigrationExecutor(connection)
    _mind_version(reader, executor)
    _mind_keys(reader)
    if not applied():
        executor.migrate(_targets(reader, executor))
    elif {app: set(names) for app, names in applied().items()} != _versions(reader):
        raise CannotImport(
            "the tables here are not those of the version that wrote the file: give import a database "
            "without any tables, and it makes them"
        )
    models = {model._meta.db_table: model for model in _models(reader, executor)}
    try:
        with transaction.atomic():
            _alone()
            _mind_empty(models.values())
            _fill(reader, models, progress)
    except IntegrityError as error:
        raise CannotImport(f"the rows of the file do not belong together: {in_a_word(error)}") from error
    except DatabaseError as error:
        raise CannotImport(f"the database refused a row: {in_a_word(error)}") from error
    return reader


def _wanted(reader: Reader) -> set[tuple[str, str]]:
    return {(app, name) for app, names in reader.head.migrations.items() for name in names}


def _targets(reader: Reader, executor: MigrationExecutor) -> list[tuple[str, str]]:
    """The last migrations of the file's version: those that no other one of it stands on."""
    wanted = _wanted(reader)
    nodes = executor.loader.graph.node_map
    return sorted(key for key in wanted if not any(child.key in wanted for child in nodes[key].children))


def _versions(reader: Reader) -> dict[str, set[str]]:
    return {app: set(names) for app, names in reader.head.migrations.items()}


def _mind_version(reader: Reader, executor: MigrationExecutor) -> None:
    known = executor.loader.disk_migrations
    for app, names in reader.head.migrations.items():
        for name in names:
            if (app, name) not in known and (app, name) not in executor.loader.replacements:
                raise CannotImport(
                    f"fedisec {reader.head.fedisec} wrote this file, and {settings.VERSION} here knows no "
                    f"{app}.{name}: import it with that version, or switch on here what was on there"
                )


def _mind_keys(reader: Reader) -> None:
    """There are keys to seal with, and what stayed sealed opens with them."""
    try:
        keyfile.read()
    except keyfile.NoKeys as error:
        raise CannotImport(str(error)) from error
    if reader.head.secrets != AS_STORED or not reader.head.canary:
        return
    try:
        unseal("canary", "1", reader.head.canary)
    except CannotOpen:
        raise CannotImport(
            "this backup was sealed with another key file: put the one of its installation in the place of "
            "the one here, or name it with FEDISEC_KEY_FILE"
        ) from None


def _models(reader: Reader, executor: MigrationExecutor) -> Iterator[type[Model]]:
    """The models of the file's version: those of the code where nothing has changed since."""
    if _wanted(reader) >= set(executor.loader.graph.leaf_nodes()):
        yield from tables.models()
        return
    state = executor.loader.project_state(_targets(reader, executor)).apps
    for model in state.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy and model._meta.db_table not in tables.LEFT:
            yield model


def _alone() -> None:
    """Nobody begins to use the installation meanwhile.  On SQLite the transaction itself is the only one."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            names = ", ".join(map(connection.ops.quote_name, _LOCKED))
            cursor.execute(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE")  # nosemgrep: sql-by-hand


def _mind_empty(models: Iterable[type[Model]]) -> None:
    for model in models:
        if model._meta.db_table in tables.PREPARED:
            continue
        if model._base_manager.exists():
            raise CannotImport(
                f"this installation is in use ({model._meta.db_table} has rows): an import needs a new one"
            )


def _fill(reader: Reader, models: dict[str, type[Model]], progress: Progress) -> None:
    done = 0
    for table in reader.head.tables:
        model = models.get(table.name)
        if model is None:
            raise NotReadable(f"the file has a table {table.name[:60]!r} that its version does not have")
        if table.name in tables.PREPARED:
            model._base_manager.all().delete()
        for batch in _batched(_rows(reader, table, model)):
            _insert(model, table.columns, batch)
            done += len(batch)
            progress(table.name, done, reader.head.rows)
    if missing := models.keys() - {table.name for table in reader.head.tables}:
        raise NotReadable(f"the file lacks the table {min(missing)}")
    reader.end()
    connection.check_constraints()
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(models.values())):
            cursor.execute(statement)


def _rows(reader: Reader, table: Table, model: type[Model]) -> Iterator[tuple[Any, ...]]:
    fields = {field.column: field for field in model._meta.local_concrete_fields}
    if set(table.columns) != set(fields):
        raise NotReadable(f"{table.name} has not the columns of its version in the file")
    readers = [from_plain(fields[column]) for column in table.columns]
    seals = list(_seals(table)) if reader.head.secrets == OPENED else []
    for number, row in enumerate(reader.rows(table), start=1):
        try:
            for at, change in seals:
                row[at] = change(row)
            yield tuple(read(value) for read, value in zip(readers, row, strict=True))
        except BadValue as error:
            raise NotReadable(f"row {number} of {table.name}: {error}") from None


def _seals(table: Table) -> Iterator[tuple[int, Callable[[list[Any]], Any]]]:
    for column in columns():
        if column.model._meta.db_table == table.name and column.field in table.columns:
            yield table.columns.index(column.field), _sealed(column, table.columns)


def _sealed(column: Column, names: Sequence[str]) -> Callable[[list[Any]], Any]:
    at, bound = names.index(column.field), names.index(column.bound_to)

    def text_of(row: list[Any], text: Any) -> str:
        if not isinstance(text, str):
            raise BadValue("no text")
        return seal(column.purpose, str(row[bound]), text)

    def sealed(row: list[Any]) -> Any:
        try:
            return column.each(row[at], lambda text: text_of(row, text))
        except (TypeError, UnicodeEncodeError):
            raise BadValue("not of the form of a secret") from None

    return sealed


def _insert(model: type[Model], names: Sequence[str], rows: list[tuple[Any, ...]]) -> None:
    quote = connection.ops.quote_name
    table, into = quote(model._meta.db_table), ", ".join(map(quote, names))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with (
                connection.wrap_database_errors,
                cursor.copy(f"COPY {table} ({into}) FROM STDIN") as copy,  # nosemgrep: sql-by-hand
            ):
                for row in rows:
                    copy.write_row(row)
            return
        places = ", ".join(["%s"] * len(names))
        cursor.executemany(f"INSERT INTO {table} ({into}) VALUES ({places})", rows)  # nosemgrep: sql-by-hand


def _batched(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    batch, size = [], 0
    for row in rows:
        batch.append(row)
        size += sum(len(value) for value in row if type(value) is str)
        if len(batch) >= BATCH or size >= BATCH_SIZE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
