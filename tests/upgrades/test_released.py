"""Whoever has a released version can go on from it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.db.migrations.loader import MigrationLoader

from tests.running.conftest import MakeWorld, make_world, postgres_server, redis_server, templates
from tests.upgrades import released
from tests.upgrades.released import SCHEMAS

__all__ = ["make_world", "postgres_server", "redis_server", "templates"]


def test_each_release_has_its_schema() -> None:
    missing = [version for version in released.releases() if version not in SCHEMAS]
    assert missing == [], "add the last migration of each app to SCHEMAS (tests/faults/upgrade.py)"


def test_a_heading_with_a_date_is_a_release() -> None:
    assert released._RELEASE.findall(
        "## 0.2.0 (unreleased)\n\n## 0.1.0 (2026-12-01)\n### 9.9.9 (2026-12-01)\n"
    ) == ["0.1.0"]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_its_migrations_are_all_there(schema: str) -> None:
    known = MigrationLoader(None).disk_migrations
    assert [step for step in SCHEMAS[schema].items() if step not in known] == []


@pytest.mark.wide
@pytest.mark.timeout(240)
@pytest.mark.parametrize("schema", SCHEMAS)
def test_an_export_of_it_is_read(make_world: MakeWorld, tmp_path: Path, schema: str) -> None:
    """As that version would have written it: its tables, its columns, its migrations."""
    old, new = make_world("embedded", UPGRADE_SERVERS="2", UPGRADE_DAYS="20"), make_world("embedded")
    path = tmp_path / "old.fedisec"
    rows = int(old.module("tests.upgrades.older", schema, str(path)))
    said = json.loads(new.manage("import", str(path)).splitlines()[-1])
    assert said["rows"] == rows > 100
    for query in (
        "SELECT domain FROM instances_instance ORDER BY id",
        "SELECT id, finished_at, checks_version FROM scans_scan ORDER BY id",
        "SELECT item_id, before, after, created_at FROM scans_change ORDER BY id",
        "SELECT item_id, note, valid_until FROM checklist_attestation ORDER BY id",
    ):
        assert new.rows(query) == old.rows(query) != []
    assert new.one("SELECT count(*) FROM alerts_delivery WHERE state <> 'sent'") == 0
    waiting = "SELECT count(*) FROM alerts_notice WHERE delivery_id IS NULL AND dropped_at IS NULL"
    assert new.one(waiting) == 0
