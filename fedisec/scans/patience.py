"""A look that is over waits for a database that is away, so that a restart of the database costs no scan."""

from __future__ import annotations

import logging
import time
from datetime import datetime

from django.db import InterfaceError, OperationalError, connection

from checks.probes import Gathered
from fedisec.lib.away import in_a_word, is_away
from fedisec.scans.heartbeat import Heartbeat
from fedisec.scans.models import Scan
from fedisec.scans.record import record

log = logging.getLogger(__name__)

PAUSES_S = (2, 8, 20, 30, 60)  # two minutes in all; then the lease ends, and somebody looks again


def record_with_patience(scan: Scan, token: str, gathered: Gathered, now: datetime) -> bool:
    """`record`, tried five times more while the database is away; raises the last error.  A commit whose
    answer got lost counts as False: the token is no longer valid."""
    for pause in PAUSES_S:
        try:
            return record(scan, token, gathered, now)
        except (OperationalError, InterfaceError) as error:
            if not is_away(error):
                raise
            log.warning("scan %s is over and waits for the database: %s", scan.pk, in_a_word(error))
        connection.close()
        # Its thread writes as soon as the database is back, so nobody takes the scan for dead.
        with Heartbeat(scan.pk, token) as heartbeat:
            time.sleep(pause)
        if heartbeat.lost:
            return False
    return record(scan, token, gathered, now)
