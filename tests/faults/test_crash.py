"""The points at which a process under test dies, and that no other process knows them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fedisec.lib.crash import BACKUP, KILLED, POINTS, ROTATION
from tests.running.world import ROOT

ASK = "from fedisec.lib.crash import point; point('claimed'); print('alive')"


def asked(settings: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    env = {"DJANGO_SETTINGS_MODULE": settings, "FEDISEC_CRASH_AT": "claimed", "FEDISEC_DATA": str(tmp_path)}
    return subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_a_production_process_ignores_the_variable(tmp_path: Path) -> None:
    done = asked("fedisec.settings", tmp_path)
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr


def test_a_process_under_test_dies_without_a_word(tmp_path: Path) -> None:
    done = asked("tests.running.settings", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (KILLED, "", "")


@pytest.mark.parametrize("path", ["settings.py", "celery.py", "wsgi.py"])
def test_no_file_that_production_starts_with_speaks_of_it(path: str) -> None:
    assert "CRASH_AT" not in (ROOT / "fedisec" / path).read_text()


def test_every_call_names_a_point_that_exists() -> None:
    calls = [
        name
        for path in (ROOT / "fedisec").rglob("*.py")
        if path.name != "crash.py"
        for line in re.findall(r"crash\.point\((.*)\)", path.read_text())
        for name in re.findall(r'"(\w+)"', line)
        if name != "dns"
    ]
    assert len(calls) == len(set(calls))
    assert set(calls) <= {*POINTS, *ROTATION, *BACKUP}
    assert {"claimed", "resolved", "connected", "before_commit", "after_commit"} <= set(calls)
