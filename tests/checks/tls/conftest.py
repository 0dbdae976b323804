from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.checks.tls.servers import TlsLab


@pytest.fixture(scope="session")
def tls_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsLab]:
    lab = TlsLab(tmp_path_factory.mktemp("tls"))
    yield lab
    lab.stop()


@pytest.fixture(autouse=True)
def roots_of_today(monkeypatch: pytest.MonkeyPatch) -> None:
    """The installed list of roots grows older than 90 days while the tests stay true."""
    monkeypatch.setattr("checks.probes.tls.roots_from", lambda: datetime.now(UTC))
