"""How long each parser of foreign text needs for its worst 8 KiB.  Run by `make bench-parsers`; exit code 1
when one needs more than it may."""

from __future__ import annotations

import sys
import time
from contextlib import suppress

from bench.measure import table
from checks.errors import ParseError
from tests.checks.parsers import SIZE, Reader, hostile_bytes, hostile_texts, readers

MOST_MS = 50
RUNS = 3  # the best of them: the machine's own pauses are nobody's fault
SHOWN = 12


def main() -> int:
    worst = sorted(
        ((_worst_ms(takes_bytes, read), name) for name, takes_bytes, read in readers()), reverse=True
    )
    print(f"{len(worst)} parsers, the slowest {SHOWN} on their worst {SIZE // 1024} KiB:\n")
    print(table(("parser", "worst ms"), [[name, f"{ms:.2f}"] for ms, name in worst[:SHOWN]]))
    return int(worst[0][0] > MOST_MS)


def _worst_ms(takes_bytes: bool, read: Reader) -> float:
    shapes = hostile_bytes() if takes_bytes else hostile_texts()
    return max(_best_ms(read, shape) for shape in shapes)


def _best_ms(read: Reader, shape: str | bytes) -> float:
    best = float("inf")
    for _ in range(RUNS):
        begun = time.perf_counter()
        with suppress(ParseError):
            read(shape)
        best = min(best, time.perf_counter() - begun)
    return best * 1000


if __name__ == "__main__":
    sys.exit(main())
