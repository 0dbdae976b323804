"""Log lines that a scanned host cannot write to."""

from __future__ import annotations

import logging

from checks.clean import clean

TRACE_MAX = 20_000  # characters
_PLAIN = logging.Formatter()


class CleanFilter(logging.Filter):
    """Makes control characters of foreign text visible before a line is written."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = clean(record.getMessage(), 2000, newlines=False)
        record.args = ()
        if record.exc_info and record.exc_info[0] is not None:
            # An exception quotes what it stumbled over; its lines are our own, and stay.
            record.exc_text = clean(_PLAIN.formatException(record.exc_info), TRACE_MAX)
        return True
