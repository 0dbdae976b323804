"""The tests of scans, alerts and the trail that run on SQLite, once more on PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid

import pytest

from tests.running.servers import Postgres
from tests.running.world import ROOT


@pytest.mark.timeout(200)
def test_scans_and_alerts_pass_on_postgresql(postgres_server: Postgres) -> None:
    env = {**os.environ, "DATABASE_URL": postgres_server.url(f"fedisec_{uuid.uuid4().hex[:8]}")}
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
            "tests/scans", "tests/history", "tests/alerts", "tests/accounts/test_audit.py",
        ],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:]
