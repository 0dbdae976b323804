"""No process starts with the wrong key file.

The database holds one row that was sealed at the first start.  Where it does not open, what matters would not
open either: then a start ends with one sentence, before a scan or a form fails for a reason that nobody sees.
"""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import connection

from fedisec.lib import keyfile
from fedisec.lib.keyfile import NoKeys
from fedisec.lib.listen import CannotStart
from fedisec.lib.models import Canary
from fedisec.lib.sealed import Column, columns, opened, put
from fedisec.lib.secrets import CannotOpen, unseal

log = logging.getLogger(__name__)
_SONG = "the key file is the right one"


def stands() -> bool:
    """Whether this database was sealed with a key file; one before its first start has no table."""
    return _has_table() and Canary.objects.exists()


def look(*, may_lack: bool = False) -> None:
    """CannotStart, with one sentence, unless the key file is the one of this database.  `may_lack`: a process
    that opens nothing may do without a file, but not with a wrong one."""
    if may_lack and not keyfile.path().exists():
        return
    try:
        if mended := keyfile.mind_mode():
            log.warning("%s", mended)
        keyfile.read()
    except NoKeys as error:
        raise CannotStart(_missing() if error.absent and stands() else str(error)) from error
    row = Canary.objects.first() if _has_table() else None
    if row is None:
        return
    try:
        right = opened(row, "sealed") == _SONG
    except CannotOpen:
        right = False
    if not right:
        raise CannotStart(_wrong())


class KeyWatch:
    """For a process that starts while the database may be away: looks once, as soon as it answers."""

    def __init__(self, *, may_lack: bool = False) -> None:
        self._may_lack, self._seen = may_lack, False

    def mind(self) -> None:
        """CannotStart as of `look`; at most one look that comes to an end."""
        if not self._seen:
            look(may_lack=self._may_lack)
            self._seen = True


def lay() -> None:
    """Makes the row where there is none; to be called by one process at a time, with the tables in place.
    CannotStart where the key file is missing, or is not the one of what is sealed already."""
    look()
    if stands():
        return
    for column in columns():
        _try_one(column)
    row = Canary(pk=1)
    put(row, "sealed", _SONG)
    row.save(force_insert=True)


def _try_one(column: Column) -> None:
    """Opens the first row of a database that knew no canary yet."""
    for pk, value in column.model._default_manager.order_by("pk").values_list("pk", column.field)[:1]:
        try:
            column.each(value, lambda text: unseal(column.purpose, column.row_of(pk), text))  # noqa: B023
        except CannotOpen as error:
            raise CannotStart(_wrong()) from error


def _has_table() -> bool:
    return Canary._meta.db_table in connection.introspection.table_names()


def _missing() -> str:
    return (
        f"this database was sealed with a key file, and {settings.KEY_FILE} is not there: put it there from "
        "the machine or the backup that the database came from, or name it with FEDISEC_KEY_FILE"
    )


def _wrong() -> str:
    return (
        f"{settings.KEY_FILE} is not the key file that this database was sealed with: put that one back (of "
        "a restored database, the one of its old machine), or name it with FEDISEC_KEY_FILE"
    )
