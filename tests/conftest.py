"""Fixtures for every folder of tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.db.backends.sqlite3.operations import DatabaseOperations
from django.utils import translation
from hypothesis import HealthCheck, settings

from checks import codec
from checks.items import all_items
from tests.fakes import ITEMS, Flags

pytest_plugins = ["tests.lab.fixtures"]

WIDE = os.environ.get("FEDISEC_WIDE") == "all"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked `wide` take long and are for `make test-wide`.  Deselected, not skipped: nothing is missing."""
    late = [] if WIDE else [item for item in items if item.get_closest_marker("wide")]
    items[:] = [item for item in items if item not in late]
    if late:
        config.hook.pytest_deselected(items=late)


# A machine that does other things beside the tests is slow, and right.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def language_of_its_own() -> Iterator[None]:
    """A page that a test asks for leaves its language behind in the thread; the next test begins in English."""
    yield
    translation.deactivate()


@pytest.fixture(autouse=True, scope="session")
def trail_is_emptied_between_tests() -> Iterator[None]:
    """Tests that commit empty all tables at their end.  On SQLite that is DELETE, which a trigger refuses for what is
    append-only; TRUNCATE of PostgreSQL asks no trigger."""
    operations = DatabaseWrapper.ops_class
    original = operations.sql_flush

    def sql_flush(self: DatabaseOperations, *args: Any, **options: Any) -> list[str]:
        with self.connection.cursor() as cursor:
            cursor.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%DELETE ON%'"
            )
            triggers = cursor.fetchall()
        drops = [f"DROP TRIGGER {self.quote_name(name)}" for name, _sql in triggers]
        return [*drops, *original(self, *args, **options), *(sql for _name, sql in triggers)]

    operations.sql_flush = sql_flush  # type: ignore[method-assign,assignment]  # for the length of the run
    yield
    operations.sql_flush = original  # type: ignore[method-assign]  # as above


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
