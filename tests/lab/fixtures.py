"""The pytest fixture `lab`: one lab for the whole run, or a skip that says why there is none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab import netns
from tests.lab.lab import Lab
from tests.lab.processes import MissingProgram


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Real servers.  Whoever switches faults off calls `lab.reset_bad()` at the end."""
    if not netns.inside():
        pytest.skip("the lab needs a network namespace: python -m tests.lab.netns pytest …")
    running = Lab(tmp_path_factory.mktemp("lab"))
    try:
        running.start()
    except MissingProgram as error:
        pytest.skip(str(error))
    with running:
        yield running
