"""/readyz: 200 only where pages can be made, a word and no more for strangers, one small query."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.test.utils import CaptureQueriesContext

from fedisec.lib import canary, stopping
from fedisec.lib.keyfile import path
from fedisec.system import ready

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    ready.forget()
    yield
    ready.forget()
    stopping._asked.clear()


def asked() -> tuple[int, str]:
    answer = Client().get("/readyz")
    return answer.status_code, answer.content.decode()


def test_it_is_ready_and_then_asks_one_small_question() -> None:
    assert asked() == (200, "ready")
    with CaptureQueriesContext(connection) as queries:
        assert asked() == (200, "ready")
    assert [one["sql"] for one in queries] == ["SELECT 1"]


def test_an_older_database_is_not_ready() -> None:
    MigrationRecorder(connection).record_unapplied("lib", "0001_sessions_by_name")
    assert asked() == (503, "not ready")


def test_another_key_file_is_not_ready(tmp_path: Any, settings: Any) -> None:
    canary.lay()
    other = tmp_path / "keys"
    other.write_text("o" * 64)
    other.chmod(0o400)
    assert path() != other
    settings.KEY_FILE = str(other)
    assert asked() == (503, "not ready")


def test_no_database_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked()[0] == 200

    def away() -> Any:
        raise OperationalError("password authentication failed for user fedisec")

    monkeypatch.setattr(connection, "cursor", away)
    assert asked() == (503, "not ready")


def test_who_is_asked_to_stop_is_not_ready_and_still_answers() -> None:
    assert asked()[0] == 200
    stopping._asked.set()
    assert asked()[0] == 503
    assert Client().get("/healthz").status_code == 200


def test_a_stop_waits_as_long_as_it_was_told_to() -> None:
    code = (
        "import os, signal, time\nfrom fedisec.lib import stopping\nstopping.stop_after(0.05)\n"
        "os.kill(os.getpid(), signal.SIGTERM)\nprint(stopping.asked(), flush=True)\ntime.sleep(30)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "True\n")


def test_asked_twice_it_ends_at_once() -> None:
    code = (
        "import os, signal, time\nfrom fedisec.lib import stopping\nstopping.stop_after(3600)\n"
        "os.kill(os.getpid(), signal.SIGTERM)\nos.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(30)"
    )
    done = subprocess.run([sys.executable, "-c", code], timeout=60, check=False)
    assert done.returncode == 0
