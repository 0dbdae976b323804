"""Tables for other programs: CSV that a spreadsheet shows and never runs."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator, Sequence

# In the width that Japanese keyboards write, too.
_STARTS_FORMULA = (
    "=",
    "+",
    "-",
    "@",
    "＝",
    "＋",
    "－",
    "＠",
    "\t",
    "\r",
)
_SKIPPED = " \n\u00a0\u3000"  # what a spreadsheet may take away before it looks


class _Echo:
    """A file of one line, which `writer.writerow` gives back."""

    def write(self, line: str) -> str:
        return line


def cell(value: object) -> str:
    """As text; with an apostrophe before what a spreadsheet would take for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(_SKIPPED).startswith(_STARTS_FORMULA) else text


def csv_lines(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Line by line (RFC 4180, CRLF), so that a long table never stands in memory as a whole."""
    writer = csv.writer(_Echo())
    for row in itertools.chain((head,), rows):
        yield writer.writerow([cell(value) for value in row])
