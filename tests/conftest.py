"""Fixtures for every folder of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import translation
from hypothesis import HealthCheck, settings

from checks import codec
from checks.items import all_items
from tests.fakes import ITEMS, Flags

pytest_plugins = ["tests.lab.fixtures"]

# A machine that does other things beside the tests is slow, and right.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def language_of_its_own() -> Iterator[None]:
    """A page that a test asks for leaves its language behind in the thread; the next test begins in English."""
    yield
    translation.deactivate()


@pytest.fixture
def kept_catalogue() -> Iterator[None]:
    """The catalogue is afterwards what it was, in its order too: an item put back would stand last."""
    before = dict(all_items())
    yield
    all_items().clear()
    all_items().update(before)


@pytest.fixture
def fake_items(kept_catalogue: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The items of `tests.fakes` are part of the catalogue for the length of a test."""
    for key, item in ITEMS.items():
        monkeypatch.setitem(all_items(), key, item)
    monkeypatch.setitem(codec._classes(), "Flags", Flags)
