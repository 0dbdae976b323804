"""The shells that the collector must run under, and running it there."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from checks.facts.inside import Inside
from checks.parse.collector import parse_report
from checks.probes.collector import collector_script

NOW = datetime(2026, 11, 21, tzinfo=UTC)
SHELLS = {
    "dash": ("dash", "-s"),
    "bash": ("bash", "-s"),
    "mksh": ("mksh", "-s"),
    "busybox": ("busybox", "ash", "-s"),
}
AS_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
_PATIENCE_S = 100  # the script ends itself long before; a machine under load is given time


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of the collector."""

    raw: bytes
    errors: bytes
    code: int

    @property
    def text(self) -> str:
        return self.raw.decode("utf-8", "replace")

    @property
    def report(self) -> Inside:
        return parse_report(self.raw, NOW)


def needs(*programs: str) -> None:
    """Skips the test where one of them is missing; tools/servers.sh installs them."""
    for program in programs:
        if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None:
            pytest.skip(f"{program} is missing: see tools/servers.sh")


def needs_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")


def run_collector(
    shell: str = "dash",
    *,
    before: tuple[str, ...] = (),
    arguments: tuple[str, ...] = (),
    environment: dict[str, str] | None = None,
    script: str | None = None,
) -> Ran:
    """Sends the script to a shell as its input, as over SSH.  `before` is put in front of the shell (setpriv, chroot,
    unshare); `script` replaces the text of the script."""
    program, *options = SHELLS[shell]
    needs(program)
    ended = subprocess.run(
        [*before, shutil.which(program) or program, *options, *arguments],
        input=(script or collector_script()).encode(),
        capture_output=True,
        timeout=_PATIENCE_S,
        env={"PATH": os.environ["PATH"], **(environment or {})},
        check=False,
    )
    return Ran(ended.stdout, ended.stderr, ended.returncode)
