"""Services for the port scan: real Redis and PostgreSQL, small fakes, and a port that drops packets."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from checks.data import network
from checks.data.network import Port
from checks.facts.ports import AddressPorts, OpenPorts
from checks.probes import gather, ports
from checks.probes.look import Probe
from checks.target import Limits, Target
from tests.checks.ssh.servers import LOOPBACK, VANTAGE, at_address, free_port, speaker
from tests.lab.processes import Server, answers, find_program


@dataclass
class Machine:
    """An address whose ports are chosen by the test: real port numbers of the table are played by free ones."""

    played: dict[int, int] = field(default_factory=dict)  # number in ports.toml -> port of the loopback
    ssh_port: int = 0

    def scan(
        self, *others: Probe, limits: Limits | None = None, domain: str = "instance.example"
    ) -> OpenPorts:
        target = Target(domain, ssh_port=self.ssh_port)
        probes = (at_address(LOOPBACK), *others, ports.PROBES[0])
        gathered = asyncio.run(gather(target, VANTAGE, limits, probes=probes))
        return gathered.facts.get(OpenPorts)

    def address(self, *others: Probe) -> AddressPorts:
        return self.scan(*others).addresses[0]


@contextmanager
def machine(
    monkeypatch: pytest.MonkeyPatch, played: Mapping[int, int], *, canaries: tuple[int, ...] = ()
) -> Iterator[Machine]:
    """Every port of `played` stands for its number in the table; all others of the table are left out."""
    real = network.watched_ports()
    table: dict[int, Port] = {port: replace(real[number], number=port) for number, port in played.items()}
    web = tuple(played.get(number) or free_port() for number in (443, 80))
    monkeypatch.setattr(ports, "watched_ports", lambda: table)
    monkeypatch.setattr(ports, "canary_ports", lambda: canaries or (free_port(),))
    monkeypatch.setattr(ports, "_WEB", web)
    monkeypatch.setattr(ports, "_ANCHOR_WAITS_S", (0.3, 0.3))
    monkeypatch.setattr(ports, "_FIRST_S", 0.1)
    monkeypatch.setattr(ports, "_SECOND_S", 0.2)
    yield Machine(dict(played), free_port())


@contextmanager
def saying(answer: bytes, *, first: bool = False) -> Iterator[int]:
    """Answers every question with the same bytes; `first`: without waiting for one."""

    def behave(connection: socket.socket, ended: threading.Event) -> None:
        if not first:
            connection.recv(4096)
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_WR)

    with speaker(behave) as port:
        yield port


@contextmanager
def silent() -> Iterator[int]:
    with speaker(lambda connection, ended: None if ended.wait(5) else None) as port:
        yield port


@contextmanager
def dropping() -> Iterator[int]:
    """A port whose queue is full: later SYNs get no answer, as behind a firewall that drops."""
    with ExitStack() as stack:
        full = stack.enter_context(socket.create_server((LOOPBACK, 0), backlog=0))
        port = int(full.getsockname()[1])
        stack.enter_context(socket.create_connection((LOOPBACK, port)))
        yield port


@contextmanager
def redis(folder: Path, **settings: str) -> Iterator[int]:
    port = free_port()
    lines = {
        "bind": LOOPBACK,
        "port": str(port),
        "save": "''",
        "dir": str(folder),
        "daemonize": "no",
        **settings,
    }
    config = folder / "redis.conf"
    config.write_text("".join(f"{key.replace('_', '-')} {value}\n" for key, value in lines.items()))
    server = Server(
        "Redis", [find_program("redis-server", "redis-server"), str(config)], folder / "redis.log"
    )
    try:
        server.wait_ready(lambda: answers(LOOPBACK, port))
        yield port
    finally:
        server.stop()


@contextmanager
def postgresql(folder: Path) -> Iterator[int]:
    """A fresh cluster; as the user postgres when we are root, whom PostgreSQL refuses."""
    user = "postgres" if os.geteuid() == 0 else ""
    home, port = Path(tempfile.mkdtemp(prefix="fedisec-postgres-")), free_port()
    if user:
        account = pwd.getpwnam(user)
        os.chown(home, account.pw_uid, account.pw_gid)
    data, programs = str(home / "data"), "usr/lib/postgresql/*/bin/"
    initdb = [
        find_program("initdb", "postgresql", programs + "initdb"),
        "-D",
        data,
        "-E",
        "UTF8",
        "--locale=C",
        "--no-sync",
    ]
    postgres = [find_program("postgres", "postgresql", programs + "postgres"), "-D", data, "-p", str(port)]
    for setting in (f"listen_addresses={LOOPBACK}", "unix_socket_directories=", "fsync=off"):
        postgres += ["-c", setting]
    try:
        assert Server("initdb", initdb, folder / "initdb.log", as_user=user).process.wait(60) == 0
        server = Server("PostgreSQL", postgres, folder / "postgres.log", stop_signal="INT", as_user=user)
        try:
            server.wait_ready(lambda: answers(LOOPBACK, port))
            yield port
        finally:
            server.stop()
    finally:
        shutil.rmtree(home)
