"""Fixtures for every folder of tests."""

from __future__ import annotations

import pytest

from checks import codec
from checks.items import all_items
from tests.fakes import ITEMS, Flags

pytest_plugins = ["tests.lab.fixtures"]


@pytest.fixture
def fake_items(monkeypatch: pytest.MonkeyPatch) -> None:
    """The items of `tests.fakes` are part of the catalogue for the length of a test."""
    for key, item in ITEMS.items():
        monkeypatch.setitem(all_items(), key, item)
    monkeypatch.setitem(codec._classes(), "Flags", Flags)
