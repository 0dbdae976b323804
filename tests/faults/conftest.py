"""Worlds as in tests/running; the rows of the table; and which tests are for `make test-faults` alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.table import BROKEN, LEFT_OUT, OK, Row
from tests.running.conftest import make_world, mode, postgres_server, redis_server

__all__ = ["make_world", "mode", "postgres_server", "redis_server"]

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
