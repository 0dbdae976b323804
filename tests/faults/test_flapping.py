"""A server that goes to and fro (R15)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.faults.forked import Site
from tests.faults.table import fault
from tests.smtp import Relay

Seen = Callable[[str], None]
LOOKS = 30


@fault("R15", "a target that flaps", "at most three alerts, the third says that it flaps; then silence")
def test_flapping(site: Site, relay: Relay, seen: Seen) -> None:
    (Path(site.data) / "looks.txt").write_text("")
    site.execute("UPDATE instances_instance SET domain = 'flaps1.example'")
    assert site.run(*("ask", "scan", "tick") * LOOKS) == 0
    falls = site.rows("SELECT count(*) FROM scans_change WHERE item_id = 'fake.lock' AND after = 'fail'")[0][
        0
    ]
    told = [kind for (kind,) in site.rows("SELECT kind FROM alerts_notice ORDER BY id")]
    assert falls >= 3
    assert told.count("regression") == 2 and told.count("flapping") == 1
    assert told[-1] == "flapping"
    assert told.count("recovery") <= 2
    looks = site.rows("SELECT count(*) FROM scans_scan WHERE state = 'done'")[0][0]
    seen(
        f"{looks} looks, {falls} falls: {told.count('regression')} alerts, then 1 note that it flaps, then nothing"
    )
