"""Whether this web process can serve pages: asked by load balancers and health checks, again and again.

The database is asked one small question; what does not change while a process lives is looked at until it
was right once.
"""

from __future__ import annotations

import logging
import threading

from django.db import Error, connection

from fedisec.lib import canary, stopping
from fedisec.lib.listen import CannotStart
from fedisec.system import database

log = logging.getLogger(__name__)

_lock = threading.Lock()
_known_good = threading.Event()
_said: list[str] = []


def is_ready() -> bool:
    """The database answers, its tables are of this version, the key file is right, and nobody asked the
    process to stop.  Why it is not stands in the log, once."""
    why = "asked to stop" if stopping.asked() else _problem()
    with _lock:
        if why and _said != [why]:
            log.warning("not ready: %s", why)
        _said[:] = [why] if why else []
    return not why


def _problem() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if _known_good.is_set():
            return ""
        if database.unapplied():
            return "the database lacks migrations of this version"
        canary.look()
    except CannotStart as error:
        return str(error)
    except Error as error:
        return f"the database does not answer ({type(error).__name__})"
    _known_good.set()
    return ""


def forget() -> None:
    """Looks anew at everything; for tests."""
    _known_good.clear()
    _said.clear()
