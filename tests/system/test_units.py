"""The systemd units: systemd finds nothing wrong with them, what they may do is bounded, secrets go where they belong."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.running.world import ROOT

UNITS = ROOT / "deploy" / "systemd"
EXPOSURE_MAX = 2.0  # of 10, by systemd's own reckoning
INSTANCES = (
    "fedisec-web@8000",
    "fedisec-clock",
    "fedisec-worker@outside",
    "fedisec-worker@inside",
    "fedisec-worker@mail",
)
needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The units with their programs where they are on this machine."""
    copy = tmp_path_factory.mktemp("units")
    shutil.copytree(UNITS, copy, dirs_exist_ok=True)
    for unit in copy.glob("*.service"):
        unit.write_text(unit.read_text().replace("/opt/fedisec/.venv/bin/python", str(shutil.which("true"))))
    for instance in INSTANCES:
        template = re.sub(r"@.*", "@", instance)
        if template != instance:
            (copy / f"{instance}.service").symlink_to(copy / f"{template}.service")
    return copy


def analyze(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *words],
        cwd=folder, env={"SYSTEMD_UNIT_PATH": f"{folder}:", "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@needs_systemd
@pytest.mark.parametrize("instance", INSTANCES)
def test_systemd_finds_nothing_wrong(folder: Path, instance: str) -> None:
    done = analyze("verify", "--man=no", "--recursive-errors=no", f"./{instance}.service", folder=folder)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


@needs_systemd
@pytest.mark.parametrize("instance", INSTANCES)
def test_what_they_may_do_is_bounded(folder: Path, instance: str) -> None:
    done = analyze("security", "--offline=true", f"./{instance}.service", folder=folder)
    found = re.search(r"exposure level for \S+ ([\d.]+)", done.stdout)
    assert found is not None, done.stdout + done.stderr
    assert float(found[1]) <= EXPOSURE_MAX, done.stdout


def test_who_looks_at_strangers_holds_no_key() -> None:
    worker = (UNITS / "fedisec-worker@.service").read_text()
    assert "/etc/fedisec/keys" not in worker and "/etc/fedisec/secret_key" not in worker
    assert "/etc/fedisec/database_url" not in worker  # the owner's
    for queue in ("inside", "mail"):
        more = (UNITS / f"fedisec-worker@{queue}.service.d" / "keys.conf").read_text()
        assert "LoadCredential=keys:" in more and "LoadCredential=secret_key:" in more
    assert not (UNITS / "fedisec-worker@outside.service.d").exists()


def test_the_commands_are_those_of_the_containers() -> None:
    """Beside places and the queue: one way to start each kind of process."""
    compose = (ROOT / "docker-compose.yml").read_text()
    for unit, words in (
        ("fedisec-web@.service", ("web", "--prepare")),
        ("fedisec-clock.service", ("ticker",)),
        ("fedisec-worker@.service", ("worker", "--without-gossip", "--without-mingle", "WARNING")),
    ):
        start = re.search(r"^ExecStart=(.*)$", (UNITS / unit).read_text(), re.MULTILINE)
        assert start is not None
        assert set(words) <= set(start[1].split())
        assert all(word in compose for word in words)
