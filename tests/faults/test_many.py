"""Many scans are due at once (R14); ten thousand of them: `make bench-due`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bench.due import measure
from tests.faults.table import fault, full

INSTANCES, WORKERS, LOOK_S = 300, 4, 0.05


@full
@fault(
    "R14", "many due at once (10,000: make bench-due)", "all done at worker speed, oldest first, memory flat"
)
@pytest.mark.timeout(500)
def test_many(seen: Callable[[str], None]) -> None:
    rows = measure(INSTANCES, WORKERS, LOOK_S)
    assert [row for row in rows if not row.good and not row.timed] == []
    seen("; ".join(f"{row.name}: {row.figure}" for row in rows))
