"""A database that is away: restarted, out of reach, or without room to write."""

from __future__ import annotations

import logging
import sqlite3
import time
from types import TracebackType
from typing import Self

from django.db import InterfaceError, OperationalError, connection

log = logging.getLogger(__name__)

ASK_AGAIN_S = 1.0
# Once it is back, those who hold a scan write their heartbeat before anybody takes it for dead.
GRACE_S = 5.0

# Classes of SQLSTATE (PostgreSQL, appendix A): connection, shutdown or start, resources (disk, memory,
# connections), files, and transactions that were ended in favour of another one.
_AWAY_STATES = ("08", "57P", "53", "58", "40")
_AWAY_CODES = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    }
)


def is_away(error: BaseException | None) -> bool:
    """True for an error that the same statement need not meet again later; a fault in our SQL is none."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    said = error.__cause__
    if isinstance(said, sqlite3.Error):
        # The low byte is the code, the rest says more about it.
        return getattr(said, "sqlite_errorcode", 0) & 0xFF in _AWAY_CODES
    state = getattr(said, "sqlstate", None)
    return state is None or state.startswith(_AWAY_STATES)


def in_a_word(error: BaseException) -> str:
    """The first line of what the driver said."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__


class Outlasting:
    """One round of a loop that is to outlast the database: `with outlasting: …`.

    An error that says "away" is swallowed, said once, and waited for; every other error passes."""

    def __init__(self) -> None:
        self._away = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None or not is_away(error):
            if error is None and self._away:
                self._away = False
                log.warning("the database is back")
            return False
        if not self._away:
            self._away = True
            log.warning("the database is away, waiting for it: %s", in_a_word(error))
        _wait()
        return True


def _wait() -> None:
    while True:
        connection.close()
        time.sleep(ASK_AGAIN_S)
        try:
            connection.ensure_connection()
        except OperationalError as error:
            if not is_away(error):
                raise
        else:
            time.sleep(GRACE_S)
            return
