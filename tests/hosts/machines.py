"""Debian machines: a base tree under an overlay, booted by systemd-nspawn in a network namespace of its own.

tools/hosts.sh starts the tests in fresh namespaces of processes and mounts, so what a killed run leaves behind ends
with it.  An address of a machine lies in fd66::/64, which the tests may reach (tests/guard.py).
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_BOOT_S = 60.0
_CLEAN = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C",
    "TZ": "UTC",
    "DEBIAN_FRONTEND": "noninteractive",
}


class BootError(Exception):
    """A machine did not come up, or a script on it failed; the message ends with what it printed."""


@dataclass(frozen=True)
class Machine:
    """A machine that answers on port 22.  `init` is the process that is its pid 1, seen from here."""

    name: str
    address: str
    host_key: str  # "TYPE BASE64"
    init: int
    number: int

    def run(self, script: str, timeout_s: float = 120) -> str:
        """The script's output, run as the machine's root; BootError where it fails."""
        enter = ("nsenter", "-t", str(self.init), "-m", "-u", "-i", "-n", "-p")
        return _run(f"{self.name}, running", (*enter, "sh", "-eu"), script, timeout_s)

    @property
    def peer(self) -> str:
        """Our address on the link to it."""
        return f"fd66::b{self.number:x}"

    def further_peer(self, letter: str) -> str:
        """One more address of ours (c to f), as that of somebody else."""
        address = f"fd66::{letter}{self.number:x}"
        _ip(f"-6 address replace {address}/128 dev host{self.number} nodad")
        return address


@contextmanager
def booted(
    tree: Path, name: str, number: int, prepare: str, folder: Path, above: Path | None = None
) -> Iterator[Machine]:
    """A copy of `tree` on which `prepare` (shell, as root, not yet running) was run, booted.  `number` (1 to 15)
    makes its addresses, `folder` takes what it writes, `above` is a layer of further packages."""
    with ExitStack() as stack:
        root = stack.enter_context(_overlay((*((above,) if above else ()), tree), folder))
        (root / "etc/hostname").write_text(f"{name}\n")
        (root / "etc/hosts").write_text(f"127.0.0.1 localhost\n127.0.1.1 {name}\n::1 localhost\n")
        (root / "etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
        _run(f"{name}, before its start", ("chroot", str(root), "sh", "-eu"), prepare)
        kind, blob, *_ = (root / "etc/ssh/ssh_host_ed25519_key.pub").read_text().split()
        address = f"fd66::a{number:x}"
        holder = stack.enter_context(_network(number, address))
        log = folder / "console.log"
        init = stack.enter_context(_nspawn(root, name, holder, log))
        _await_ssh(address, log)
        yield Machine(name, address, f"{kind} {blob}", init, number)


@contextmanager
def _overlay(trees: tuple[Path, ...], folder: Path) -> Iterator[Path]:
    """`trees`, the upper one first, which stay as they are, below a layer in memory."""
    layer, root = folder / "layer", folder / "root"
    for one in (layer, root):
        one.mkdir(parents=True)
    _run("layer", ("mount", "-t", "tmpfs", "-o", "mode=755", "layer", str(layer)))
    try:
        for name in ("upper", "work"):
            (layer / name).mkdir()
        options = f"lowerdir={':'.join(map(str, trees))},upperdir={layer}/upper,workdir={layer}/work"
        _run("overlay", ("mount", "-t", "overlay", "-o", options, "overlay", str(root)))
        try:
            yield root
        finally:
            _run("overlay", ("umount", "-l", str(root)))
    finally:
        _run("layer", ("umount", "-l", str(layer)))


@contextmanager
def _network(number: int, address: str) -> Iterator[int]:
    """A network namespace, held by the process that is yielded, with a link to ours."""
    with subprocess.Popen(
        ("unshare", "--net", "sh", "-c", "echo; exec sleep 100000"), stdout=subprocess.PIPE
    ) as held:
        assert held.stdout is not None
        held.stdout.readline()  # by then it has a namespace of its own
        try:
            ours, beyond = f"host{number}", f"fd66::b{number:x}"
            _ip(f"link add {ours} type veth peer name eth0 netns {held.pid}")
            _ip(f"link set {ours} up")
            _ip(f"-6 address add {beyond}/128 dev {ours} nodad")
            _ip(f"-6 route add {address}/128 dev {ours}")
            _ip(f"address add 10.66.{number}.1/24 dev {ours}")
            for line in (
                "link set lo up",
                "link set eth0 up",
                f"-6 address add {address}/128 dev eth0 nodad",
                f"-6 route add {beyond}/128 dev eth0",
                f"-6 route add default via {beyond} dev eth0",
                f"address add 10.66.{number}.2/24 dev eth0",
                f"route add default via 10.66.{number}.1",
            ):
                _ip(line, inside=held.pid)
            yield held.pid
        finally:
            held.kill()


@contextmanager
def _nspawn(root: Path, name: str, holder: int, log: Path) -> Iterator[int]:
    """Boots, and yields the process that is the machine's init."""
    command = (
        "systemd-nspawn", "--quiet", "--boot", f"--directory={root}", f"--machine={name}", "--register=no",
        "--keep-unit", "--console=pipe", "--link-journal=no", "--resolv-conf=off", "--timezone=off",
        f"--network-namespace-path=/proc/{holder}/ns/net", "--capability=CAP_NET_ADMIN,CAP_NET_RAW,CAP_SYSLOG",
    )  # fmt: skip
    with (
        log.open("wb") as out,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out) as run,
    ):
        init = 0
        try:
            init = _child(run, log)
            yield init
        finally:
            # Pulling the plug: nothing on it is kept.  nspawn ends by itself once its init has.
            with suppress(ProcessLookupError):
                os.kill(init or run.pid, signal.SIGKILL)
            try:
                run.wait(20)
            except subprocess.TimeoutExpired:
                run.kill()


def _child(run: subprocess.Popen[bytes], log: Path) -> int:
    """nspawn's only child."""
    ends = time.monotonic() + _BOOT_S
    while time.monotonic() < ends and run.poll() is None:
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        for child in children:
            with suppress(OSError):
                if Path(f"/proc/{child}/comm").read_text().strip() in {"systemd", "init"}:
                    return int(child)
        time.sleep(0.05)
    raise BootError(f"systemd-nspawn did not start: {_end_of(log)}")


def _await_ssh(address: str, log: Path) -> None:
    ends = time.monotonic() + _BOOT_S
    while time.monotonic() < ends:
        with suppress(OSError), socket.create_connection((address, 22), timeout=2) as connected:
            if connected.recv(4) == b"SSH-":
                return
        time.sleep(0.1)
    raise BootError(f"no SSH at {address}: {_end_of(log)}")


def _ip(words: str, inside: int = 0) -> None:
    _run(words, (*(("nsenter", "-t", str(inside), "-n") if inside else ()), "ip", *words.split()))


def _run(what: str, command: tuple[str, ...], script: str = "", timeout_s: float = 120) -> str:
    done = subprocess.run(
        command,
        input=script,
        capture_output=True,
        text=True,
        errors="replace",
        env=_CLEAN,
        timeout=timeout_s,
        check=False,
    )
    if done.returncode:
        raise BootError(f"{what}: exit status {done.returncode}: {(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]
