"""A new key for all that is sealed, while everything else goes on.

The file gets a new first line, then each sealed text is read, opened and sealed with it, in transactions of
BATCH rows.  Processes read the file anew each time, so they open both and seal with the new one from then on.
The canary comes last: as long as it is sealed with an older key, a rotation is not over, and the next one
goes on where that one was killed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from fedisec.lib import crash, keyfile
from fedisec.lib.keyfile import NoKeys
from fedisec.lib.models import Canary
from fedisec.lib.sealed import Column, columns
from fedisec.lib.secrets import CannotOpen, is_newest, seal, unseal

BATCH = 500
_ROUNDS = 5  # somebody may write back what he had read before; a round finds it
_LOCK = 0x66656468  # as in fedisec.lib.prepare, another number


@dataclass(slots=True)
class Outcome:
    """`shut`: what no key of the file opens, as "table.column row"."""

    made: bool = False
    sealed: int = 0
    dropped: int = 0
    shut: list[str] = field(default_factory=list)


def rotate(*, new_key: bool, drop_old: bool, note: Callable[[Outcome], None]) -> Outcome:
    """Seals all anew, with a key made now, or (`new_key` False, or a rotation was not over) with the first
    one of the file.  `drop_old`: then takes the older keys out of the file, once nobody can be sealing with
    them any more; not where something is `shut`.  `note` is called in the transaction that ends the rotation,
    and once more after a drop.  NoKeys where the file cannot be read or written, or another is under way."""
    outcome = Outcome()
    with keyfile.alone(), _alone():
        if new_key and not _is_under_way():
            keyfile.replace([keyfile.new_key(), *keyfile.read()])
            outcome.made = True
        crash.point("key_made")
        _seal_all(outcome)
        crash.point("all_sealed")
        if drop_old and not outcome.shut:
            _settle()
            _seal_all(outcome)
        _end(outcome, drop_old, note)
    return outcome


def _is_under_way() -> bool:
    row = Canary.objects.first()
    return row is not None and not is_newest("canary", str(row.pk), row.sealed)


def _end(outcome: Outcome, drop_old: bool, note: Callable[[Outcome], None]) -> None:
    with transaction.atomic():
        outcome.sealed += _seal_canary()
        note(outcome)
    first, *old = keyfile.read()
    if drop_old and old and not outcome.shut:
        crash.point("before_drop")
        keyfile.replace([first])
        outcome.dropped = len(old)
        note(outcome)


def _seal_canary() -> int:
    (column,) = (one for one in columns() if one.model is Canary)
    return _batch(column, None, Outcome())[1]


def _seal_all(outcome: Outcome) -> None:
    """Until a whole round finds nothing that the newest key does not open."""
    for _ in range(_ROUNDS):
        outcome.shut = []
        done = sum(_seal_column(one, outcome) for one in columns() if one.model is not Canary)
        outcome.sealed += done
        if not done:
            return


def _seal_column(column: Column, outcome: Outcome) -> int:
    done, after = 0, None
    while True:
        with transaction.atomic():
            after, sealed = _batch(column, after, outcome)
            crash.point("batch_sealed")
        crash.point("batch_stored")
        done += sealed
        if after is None:
            return done


def _batch(column: Column, after: Any, outcome: Outcome) -> tuple[Any, int]:
    """Seals the rows behind the key `after`; the key of the last one (None at the end), and how many."""
    rows = column.model._default_manager.order_by("pk")
    rows = rows if after is None else rows.filter(pk__gt=after)
    found, done = list(rows.values_list("pk", column.field)[:BATCH]), 0
    for pk, stored in found:
        try:
            done += _seal_row(column, pk, stored)
        except CannotOpen:
            outcome.shut.append(f"{column.name} {pk}")
    return (found[-1][0] if len(found) == BATCH else None), done


def _seal_row(column: Column, pk: Any, stored: Any) -> bool:
    """False where it is sealed so already, or somebody changed it meanwhile: the next round looks again."""
    row = column.row_of(pk)

    def anew(text: str) -> str:
        if is_newest(column.purpose, row, text):
            return text
        return seal(column.purpose, row, unseal(column.purpose, row, text))

    wanted = column.each(stored, anew)
    if wanted == stored:
        return False
    same = column.model._default_manager.filter(pk=pk, **{column.field: stored})
    return same.update(**{column.field: wanted}) == 1


def _settle() -> None:
    """Waits until whoever had read the file before its newest key came has stored what he sealed."""
    age = time.time() - keyfile.path().stat().st_mtime
    time.sleep(min(max(settings.KEYS_SETTLE_S - age, 0), settings.KEYS_SETTLE_S))


@contextmanager
def _alone() -> Iterator[None]:
    """One rotation for a database, from whatever machine.  SQLite has one machine, and its folder is held."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            raise NoKeys("another rotation of the keys of this database is under way")
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
