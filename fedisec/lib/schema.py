"""A database that a newer version of fedisec has brought on, while this one is still running.

Old code on new tables would break on the first column it does not know, again and again.  So whoever works
for long asks now and then, and stops in good order; the new version takes its place.
"""

from __future__ import annotations

import logging
import sys
import time
from functools import cache

from django.apps import apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

log = logging.getLogger(__name__)

EVERY_S = 10.0
# How a process ends that gave way to a newer version; `manage.py up` then ends as well.
GAVE_WAY = 3


@cache
def known() -> frozenset[tuple[str, str]]:
    """The migrations of this version, as they were when the process (or the one it is a copy of) first asked:
    an upgrade in place puts the new ones on the disk beneath it."""
    return frozenset(MigrationLoader(None).disk_migrations)


class SchemaWatch:
    """Looks now and then."""

    def __init__(self) -> None:
        self._known = known()
        self._ours = {config.label for config in apps.get_app_configs() if config.name.startswith("fedisec.")}
        self._asked_at = float("-inf")

    def newer(self) -> str:
        """A migration in the database that this version does not have, "" where there is none; one query."""
        found = MigrationRecorder(connection).applied_migrations()
        unknown = (key for key in found if key[0] in self._ours and key not in self._known)
        return ".".join(max(unknown, default=()))

    def give_way(self) -> None:
        """SystemExit where the database is newer; asks at most every EVERY_S."""
        if time.monotonic() - self._asked_at < EVERY_S:
            return
        self._asked_at = time.monotonic()
        if step := self.newer():
            say(step)
            sys.exit(GAVE_WAY)


def say(step: str) -> None:
    """The one line about it."""
    log.warning("the database belongs to a newer version of fedisec (%s): this process stops", step)
