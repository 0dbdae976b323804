"""A database that is away: restarted, out of reach, or (SQLite) on a disk that is full."""

from __future__ import annotations

import logging
import time
from types import TracebackType
from typing import Self

from django.db import InterfaceError, OperationalError, connection

log = logging.getLogger(__name__)

AWAY = (OperationalError, InterfaceError)  # what Django raises then
ASK_AGAIN_S = 1.0
# Once it is back, those who hold a scan write their heartbeat before anybody takes it for dead.
GRACE_S = 5.0


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
        if not isinstance(error, AWAY):
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
        except AWAY:
            continue
        time.sleep(GRACE_S)
        return
