"""The tests of scans, alerts and the trail that run on SQLite, once more on PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid

import pytest

from tests.running.servers import Postgres
from tests.running.world import ROOT

# Pure, or about the other side of a connection: they would say the same once more.
WITHOUT_DATABASE = (
    "tests/scans/test_settle.py",
    "tests/scans/test_settle_laws.py",
    "tests/scans/test_reach.py",
    "tests/scans/test_certificates.py",
    "tests/alerts/channels",
    "tests/alerts/letters",
    "tests/alerts/test_packing.py",
    "tests/watch/test_fetch.py",
    "tests/watch/test_parsing.py",
)


@pytest.mark.timeout(400)
def test_scans_and_alerts_pass_on_postgresql(postgres_server: Postgres) -> None:
    env = {**os.environ, "DATABASE_URL": postgres_server.url(f"fedisec_{uuid.uuid4().hex[:8]}")}
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
            "tests/scans", "tests/history", "tests/alerts", "tests/watch", "tests/accounts/test_audit.py",
            *(f"--ignore={path}" for path in WITHOUT_DATABASE),
        ],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=380, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:]
