from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.checks.tls.servers import TlsLab


@pytest.fixture(scope="session")
def tls_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsLab]:
    lab = TlsLab(tmp_path_factory.mktemp("tls"))
    yield lab
    lab.stop()
