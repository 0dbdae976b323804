"""Worlds as in tests/running; the rows of the table; and which tests are for `make test-faults` alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.forked import Forker, Site, a_forker
from tests.faults.table import BROKEN, LEFT_OUT, OK, Row
from tests.running.conftest import make_world, mode, postgres_server, redis_server, templates
from tests.running.looks import FALLS, LOOKS_BEFORE
from tests.running.world import World
from tests.smtp import Relay, a_relay

__all__ = ["make_world", "mode", "postgres_server", "redis_server", "templates"]

ALL = os.environ.get("FEDISEC_FAULTS") == "all"
_SEEN = "seen of the fault"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault: a row of the table of faults")
    config.addinivalue_line("markers", "full: takes long; only in `make test-faults`")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that take long are run when asked for.  They are deselected, not skipped: nothing is missing."""
    late = [] if ALL else [item for item in items if item.get_closest_marker("full")]
    items[:] = [item for item in items if item not in late]
    if late:
        config.hook.pytest_deselected(items=late)


@pytest.fixture
def seen(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """`seen("…")`: what came of the fault, for the table."""
    return lambda words: request.node.user_properties.append((_SEEN, words))


@pytest.fixture(scope="session")
def relay_and_port() -> Iterator[tuple[Relay, int]]:
    with a_relay() as found:
        yield found


@pytest.fixture
def relay(relay_and_port: tuple[Relay, int]) -> Relay:
    """The one relay, as new."""
    relay = relay_and_port[0]
    relay.answers, relay.taken, relay.recipients, relay.refused, relay.seen = [], [], [], set(), []
    return relay


@pytest.fixture(scope="session")
def forker(relay_and_port: tuple[Relay, int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forker]:
    """Before the second look at an instance that fell."""
    env = {"EMAIL_URL": f"smtp://127.0.0.1:{relay_and_port[1]}", "FEDISEC_CONFIRM_AFTER": "0"}
    world = World("embedded", tmp_path_factory.mktemp("forker"), {}, **env)
    world.manage("prepare")
    world.tool("add", "86400", FALLS)
    world.tool("look", FALLS, str(LOOKS_BEFORE))
    with a_forker(world) as found:
        yield found


@pytest.fixture
def site(forker: Forker, tmp_path: Path) -> Site:
    """An installation on SQLite: an instance fell once, the second look is due."""
    return forker.site(tmp_path / "data")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    mark, table = item.get_closest_marker("fault"), os.environ.get("FEDISEC_FAULTS_TABLE")
    ended = report.when == "call" or report.outcome != "passed"
    if mark is not None and table and ended:
        outcome = {"passed": OK, "skipped": LEFT_OUT}.get(report.outcome, BROKEN)
        words = [str(said) for key, said in item.user_properties if key == _SEEN]
        if outcome == LEFT_OUT and isinstance(report.longrepr, tuple):
            words = [report.longrepr[2].removeprefix("Skipped: ")]
        if outcome == BROKEN and call.excinfo is not None:
            words.append(call.excinfo.exconly().splitlines()[0][:200])
        Row(**mark.kwargs, seen="; ".join(words), outcome=outcome).save(Path(table))
    return report
