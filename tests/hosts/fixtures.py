"""Records what the collector says on booted machines: the reports that tests/checks/inside/fixtures holds.

    sh tools/hosts.sh .venv/bin/python --fixtures     boots, records, judges
    .venv/bin/python -m tests.hosts.fixtures --judge  judges anew what is recorded

Of each release a well-kept machine and one with planted faults, each looked at as root, by a plain account, and by an
account that may run the collector through sudo.  What is this machine's own is replaced.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from checks.probes.collector import collector_script
from tests.checks.inside.fixtures import FIXTURES, RELEASES, WHO, judged, names
from tests.hosts.faults import MACHINES, planted
from tests.hosts.look import good
from tests.hosts.machines import Machine, booted

_RECORDED = {"good": "twin", "bad": "first"}
_AS = {
    "root": (),
    "plain": ("setpriv", "--reuid=plain", "--regid=plain", "--init-groups"),
    "sudo": ("setpriv", "--reuid=fedisec", "--regid=fedisec", "--init-groups"),
}
_KERNEL = "6.1.0-40-amd64"
_INODE = re.compile(r"\b(ino|sk):[0-9a-f]+")
_CGROUP = re.compile(r"cgroup:\S*?(/(?:system|user)\.slice)")


def record(machine: Machine, who: str) -> str:
    """What the collector says to one of them, scrubbed."""
    enter = ("nsenter", "-t", str(machine.init), "-m", "-u", "-i", "-n", "-p")
    command = ("sudo", "-n", "/usr/local/sbin/fedisec-collect") if who == "sudo" else ("sh", "-s")
    said = subprocess.run(
        [*enter, *_AS[who], *command],
        input=collector_script().encode(),
        stdout=subprocess.PIPE,
        env={"PATH": "/usr/bin:/usr/sbin", "HOME": "/"},
        timeout=120,
        check=True,
    ).stdout.decode("utf-8", "replace")
    return scrubbed(said)


def scrubbed(said: str) -> str:
    """Without this machine's kernel and name, numbers of the moment, and times that a run takes."""
    this = os.uname()
    for ours, theirs in ((this.release, _KERNEL), (this.nodename, "server")):
        said = said.replace(ours, theirs)
    said = _INODE.sub(r"\1:1", said)
    said = _CGROUP.sub(r"cgroup:\1", said)
    return re.sub(r"^(@end \S+) ms=\d+$", r"\1 ms=1", said, flags=re.MULTILINE)


def main() -> None:
    if sys.argv[1:] != ["--judge"]:
        FIXTURES.mkdir(exist_ok=True)
        for release in RELEASES:
            for kind, name in _RECORDED.items():
                _record_machine(release, kind, name)
    verdicts = {name: judged(name) for name in names()}
    (FIXTURES / "verdicts.json").write_text(json.dumps(verdicts, indent=1, ensure_ascii=False) + "\n")


def _record_machine(release: str, kind: str, name: str) -> None:
    before, live = planted(release, name)
    number = 1 + len(MACHINES) * RELEASES.index(release) + MACHINES.index(name)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        tree = Path(os.environ["FEDISEC_HOSTS"]) / release
        machine = stack.enter_context(
            booted(tree, f"{release}-{name}", number, f"{good()}\n{before}\n", Path(folder) / name)
        )
        machine.run(live)
        for who in WHO[kind]:
            (FIXTURES / f"{release}-{kind}-{who}.txt").write_text(record(machine, who))


if __name__ == "__main__":
    main()
