"""All looks, one after the other.  None of them ends the others, and none takes long: what needs a network
was done before by who works there, and is read."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import cast

from django.db import Error
from django.utils import timezone

from fedisec.lib.away import in_a_word
from fedisec.system import database, jobs, machine, outside, safety, words
from fedisec.system.line import Line, State

log = logging.getLogger(__name__)

Look = Callable[[datetime], Line | None]

# In the order of the page.  A look that does not apply here gives None.
LOOKS: tuple[tuple[str, Look], ...] = (
    ("clock", jobs.clock),
    ("jobs", jobs.workers),
    ("waiting", jobs.waiting),
    ("broker", jobs.broker),
    ("database", database.answers),
    ("migrations", database.migrations),
    ("disk", machine.disk),
    ("time", machine.time_of_day),
    ("network", outside.network),
    ("resolver", outside.resolver),
    ("ipv6", outside.ipv6),
    ("port_25", outside.port_25),
    ("mail", outside.mail),
    ("keys", safety.keys),
    ("backup", safety.backup),
    ("feeds", outside.feeds),
    ("version", safety.version),
    ("settings", safety.secure_settings),
)
_OF_DATABASE = "database"


def examine(now: datetime | None = None) -> list[Line]:
    """Every look.  Without a database, what needs it is unknown, and that is what is broken."""
    now = now or timezone.now()
    return [line for name, look in LOOKS if (line := _looked(name, look, now)) is not None]


def _looked(name: str, look: Look, now: datetime) -> Line | None:
    try:
        return look(now)
    except Error as error:
        said = {"why": in_a_word(error)}
        if name == _OF_DATABASE:
            return Line(name, State.BROKEN, "away", said)
        return Line(name, State.UNKNOWN, "no_database", said)
    except OSError as error:
        return Line(name, State.UNKNOWN, "not_looked", {"why": error.strerror or type(error).__name__})


def as_json(lines: list[Line]) -> list[dict[str, object]]:
    """For programs: stable names and codes, and the sentences of the active language."""
    return [
        {
            "name": line.name,
            "state": line.state.value,
            "code": line.code,
            "title": str(words.TITLES[line.name]),
            "cause": words.cause(line),
            "cure": words.cure(line),
            "data": {key: cast(object, value) for key, value in line.data.items()},
            "at": line.at.isoformat() if line.at else None,
        }
        for line in lines
    ]
