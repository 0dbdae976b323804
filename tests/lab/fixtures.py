"""The pytest fixture `lab`: one lab for the whole run, or a skip that says why there is none.

PYTEST_DONT_REWRITE: there is no assertion here, and a conftest may import this before a test names it as a plugin.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab import netns
from tests.lab.lab import Lab
from tests.lab.processes import MissingProgram

_running: list[Lab] = []


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Real servers.  Whoever switches faults off calls `lab.reset_bad()` at the end."""
    if _running:  # imported into several modules this is several fixtures to pytest
        yield _running[0]
        return
    if not netns.inside():
        pytest.skip("the lab needs a network namespace: python -m tests.lab.netns pytest …")
    started = Lab(tmp_path_factory.mktemp("lab"))
    try:
        started.start()
    except MissingProgram as error:
        pytest.skip(str(error))
    with started:
        _running.append(started)
        yield started
        _running.clear()
