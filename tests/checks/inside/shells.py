"""The shells that the collector must run under, and running it there."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

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
_PATIENCE_S = 110


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


def patient_script() -> str:
    """The script with all the time that a machine under load may need: what it finds depends on no clock."""
    text = collector_script()
    for before, after in (
        ("SECONDS_PER_SECTION=8\n", "SECONDS_PER_SECTION=90\n"),
        ("SECONDS_FOR_APT=15\n", "SECONDS_FOR_APT=90\n"),
        ("SECONDS_IN_ALL=44\n", "SECONDS_IN_ALL=90\n"),
        ('    $limit "$@" </dev/null\n', '    shift\n    "$@" </dev/null\n'),
    ):
        assert text.count(before) == 1
        text = text.replace(before, after)
    return text


def run_collector(
    shell: str = "dash",
    *,
    before: tuple[str, ...] = (),
    arguments: tuple[str, ...] = (),
    environment: dict[str, str] | None = None,
    script: str | None = None,
) -> Ran:
    """Sends the script to a shell as its input, as over SSH.  `before` is put in front of the shell (setpriv, chroot,
    unshare); `script` replaces the patient one."""
    program, *options = SHELLS[shell]
    needs(program)
    ended = subprocess.run(
        [*before, shutil.which(program) or program, *options, *arguments],
        input=(script or patient_script()).encode(),
        capture_output=True,
        timeout=_PATIENCE_S,
        env={"PATH": os.environ["PATH"], **(environment or {})},
        check=False,
    )
    return Ran(ended.stdout, ended.stderr, ended.returncode)


@dataclass(frozen=True, slots=True)
class Planted:
    """One file of a machine that is made up on top of this one."""

    content: str
    mode: int = 0o644
    owner: int = 0


@dataclass(frozen=True, slots=True)
class OnMachine:
    """What the collector said there, and the paths that the run made, changed or removed."""

    ran: Ran
    changed: tuple[str, ...]


# The made-up files lie over this machine's own; whatever is written ends in a third layer of its own.
_LAYERS = """set -eu
mount -t tmpfs machine "$1/layers"
cd "$1/layers"
mkdir upper work root
cp -a "$1/planted" planted
mount -t overlay machine -o lowerdir=planted:/,upperdir=upper,workdir=work root
mount --rbind /proc root/proc
mount --rbind /dev root/dev
mount --rbind /sys root/sys
place=$1
shift
status=0
"$@" <"$place/script" >"$place/out" 2>"$place/err" || status=$?
( cd upper && find . -mindepth 1 ! -path ./proc ! -path ./dev ! -path ./sys | cut -c 2- ) >"$place/changed"
exit "$status"
"""


def run_on_machine(
    place: Path, planted: Mapping[str, Planted | Path], command: tuple[str, ...], script: str = ""
) -> OnMachine:
    """Runs `command` with the collector (or `script`) as its input, in a copy of this machine where the planted files lie (a Path is
    a symbolic link to it).  Needs root; `place` is an empty folder."""
    needs_root()
    needs("unshare", "chroot")
    for name in ("layers", "planted"):
        (place / name).mkdir()
    for path, file in planted.items():
        there = place / "planted" / path.lstrip("/")
        there.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(file, Path):
            there.symlink_to(file)
            continue
        there.write_text(file.content)
        there.chmod(file.mode)
        os.chown(there, file.owner, file.owner)
    (place / "planted").chmod(0o755)
    (place / "script").write_text(script or patient_script())
    ended = subprocess.run(
        ["unshare", "-m", "sh", "-c", _LAYERS, "layers", str(place), "chroot", "root", *command],
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    if not (place / "changed").exists():
        pytest.skip(f"no layers of files can be made here: {ended.stderr.strip()[:200]}")
    ran = Ran((place / "out").read_bytes(), (place / "err").read_bytes(), ended.returncode)
    return OnMachine(ran, tuple((place / "changed").read_text().splitlines()))
