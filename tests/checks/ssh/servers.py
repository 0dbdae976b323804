"""SSH servers for the tests: a real sshd with chosen options, and some that misbehave."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from checks.facts import Fact
from checks.facts.dns import Addresses
from checks.facts.ssh import SshEndpoint, SshService
from checks.probes import gather, ssh
from checks.probes.look import Look, Probe
from checks.target import Limits, Target, Vantage
from tests.lab.processes import Server, answers, find_program, run

LOOPBACK = "127.0.0.1"
VANTAGE = Vantage(resolver="127.0.0.1:9", allow_networks=("127.0.0.0/8",))


def free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as server:
        return int(server.getsockname()[1])


def at_address(*v4: str, v6: tuple[str, ...] = ()) -> Probe:
    """A stand-in for the look-up of the name."""

    async def run(look: Look) -> list[Fact]:
        return [Addresses(look.target.domain, v4, v6, ipv6_usable=bool(v6))]

    return Probe("addresses", "dns", (Addresses,), run)


async def look_at_ssh(port: int, user: str = "root", address: str = LOOPBACK) -> SshService:
    """What the probe finds on a port of the loopback; port 22 of this machine is looked at as well."""
    target = Target("instance.example", ssh_port=port, ssh_user=user)
    gathered = await gather(target, VANTAGE, Limits(), probes=(at_address(address), *ssh.PROBES))
    return gathered.facts.get(SshService)


async def endpoint_at(port: int, user: str = "root") -> SshEndpoint:
    found = (await look_at_ssh(port, user)).on_port(port)
    assert found is not None
    return found


@contextmanager
def sshd(folder: Path, *options: str) -> Iterator[int]:
    """OpenSSH on a free port with the lines of its configuration; nobody can log in."""
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where sshd's unprivileged half is locked in
    key, port = folder / "host_key", free_port()
    run([find_program("ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", "", "-f", str(key)])
    config = folder / "sshd.conf"
    lines = [
        f"ListenAddress {LOOPBACK}:{port}",
        f"HostKey {key}",
        f"PidFile {folder}/pid",
        "UsePAM no",
        *options,
    ]
    config.write_text("\n".join(lines) + "\n")
    program = find_program("sshd", "openssh-server")
    server = Server("sshd", [program, "-D", "-e", "-f", str(config)], folder / "sshd.log")
    try:
        server.wait_ready(lambda: answers(LOOPBACK, port))
        yield port
    finally:
        server.stop()


@contextmanager
def speaker(
    behave: Callable[[socket.socket, threading.Event], None], where: tuple[str, int] = (LOOPBACK, 0)
) -> Iterator[int]:
    """A listener that does to every connection what `behave` says, until the event is set."""
    ended, connections = threading.Event(), []
    listener = socket.create_server(where)
    listener.settimeout(0.05)

    def one(connection: socket.socket) -> None:
        with connection:
            try:
                behave(connection, ended)
            except OSError:
                return

    def serve() -> None:
        while not ended.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            connection.settimeout(5)
            thread = threading.Thread(target=one, args=(connection,))
            thread.start()
            connections.append(thread)

    server = threading.Thread(target=serve)
    server.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        ended.set()
        server.join()
        for thread in connections:
            thread.join()
        listener.close()
