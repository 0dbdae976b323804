"""A database of an older version, a hundred servers and a year in it, is brought on (R12)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from tests.faults.table import fault, full
from tests.faults.upgrade import SCHEMAS
from tests.running.conftest import MakeWorld
from tests.running.world import World

pytestmark = [full, pytest.mark.timeout(400)]
Seen = Callable[[str], None]
# What happened: no row and no value of it may change.  States go on living, mails become notices.
HISTORY = {
    "scans_scan", "scans_change", "scans_span", "history_daycount", "accounts_auditevent", "alerts_subscription",
    "instances_instance", "checklist_attestation", "checklist_waiver", "checklist_note",
}  # fmt: skip


def digest(world: World) -> dict[str, tuple[int, str, list[str]]]:
    return {
        name: tuple(found)
        for name, found in json.loads(world.module("tests.faults.upgrade", "digest")).items()
    }


@fault(
    "R12",
    "migration of 100 servers with a year of scans, from each older schema",
    "counts and hashes of the history equal, no mail; below a minute",
)
@pytest.mark.parametrize("schema", SCHEMAS)
def test_upgrade(mode: str, make_world: MakeWorld, schema: str, seen: Seen) -> None:
    world = make_world(mode)
    world.module("tests.faults.upgrade", "fill", schema)
    before = digest(world)
    began = time.monotonic()
    world.manage("migrate", "--verbosity", "0")
    took = time.monotonic() - began
    after = digest(world)
    assert sum(count for count, *_ in before.values()) > 50_000
    for table, (count, mark, columns) in before.items():
        assert after[table][0] == count, table
        if table in HISTORY and after[table][2] == columns:
            assert after[table][1] == mark, table
    same = [table for table in before if after[table][1] == before[table][1]]
    assert {"scans_scan"} <= set(same)
    newest = "SELECT max(id) FROM alerts_delivery"  # the log forgets what is older than 90 days
    known = world.one(newest)
    world.module("tests.faults.upgrade", "tick")
    assert world.one(newest) == known
    assert world.one("SELECT count(*) FROM alerts_delivery WHERE state <> 'sent'") == 0
    assert (
        world.one("SELECT count(*) FROM alerts_notice WHERE delivery_id IS NULL AND dropped_at IS NULL") == 0
    )
    rows = sum(count for count, *_ in before.values())
    where = "SQLite" if mode == "embedded" else "PostgreSQL"
    seen(
        f'{where}, from "{schema}": {rows} rows in {took:.0f} s, {len(same)} tables the same to the byte, 0 mails'
    )
