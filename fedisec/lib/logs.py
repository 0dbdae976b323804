"""Log lines that a scanned host cannot write to."""

from __future__ import annotations

import logging

from checks.clean import clean


class CleanFilter(logging.Filter):
    """Makes control characters of foreign text visible before a line is written."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = clean(record.getMessage(), 2000, newlines=False)
        record.args = ()
        return True
