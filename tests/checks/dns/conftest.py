"""The world of the zone table, started once for the tests that use it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.checks.dns.zones import World
from tests.lab import netns
from tests.lab.processes import MissingProgram


@pytest.fixture(scope="session")
def zones(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    if not netns.inside():
        pytest.skip("real name servers need a network namespace: python -m tests.lab.netns pytest …")
    world = World(tmp_path_factory.mktemp("zones"))
    try:
        world.start()
        yield world
    except MissingProgram as error:
        pytest.skip(str(error))
    finally:
        world.stop()
