"""A key file for every test of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from tests.dashboard.conftest import alice, as_alice, as_bob, as_charlie, bob, charlie, instance, scanned

__all__ = ["alice", "as_alice", "as_bob", "as_charlie", "bob", "charlie", "instance", "scanned"]


@pytest.fixture(autouse=True)
def key_file(settings: Settings, tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_text("k" * 43)
    settings.KEY_FILE = str(path)
    return path
