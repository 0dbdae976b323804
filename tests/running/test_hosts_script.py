"""tools/hosts.sh, the tests on booted machines: where this machine cannot boot any, it says why and ends well."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools" / "hosts.sh"
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
WITHOUT_RIGHTS = ("setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin")


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (NOBODY, "need root"),
        (WITHOUT_RIGHTS, "need namespaces"),
        ((), "need the tree of bookworm"),
    ],
)
def test_what_is_missing_is_named(before: tuple[str, ...], words: str, tmp_path: Path) -> None:
    needed = ("setpriv", "debootstrap", "systemd-nspawn", "ip", "unshare")
    if os.geteuid() or not all(map(shutil.which, needed)):
        pytest.skip("needs root, and what tools/hosts.sh installs")
    tmp_path.chmod(0o755)
    (tmp_path / "tests").mkdir()
    ran = subprocess.run(
        [*before, "sh", "-s", "false"],
        cwd=tmp_path,
        input=SCRIPT.read_bytes(),
        env={**os.environ, "FEDISEC_DEBIAN_MIRROR": "http://127.0.0.1:9/debian"},
        capture_output=True,
        timeout=100,
        check=False,
    )
    said = ran.stdout.decode()
    assert ran.returncode == 0 and f"skipped: the tests on booted Debian machines {words}" in said, ran
