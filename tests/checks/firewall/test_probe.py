"""The port scan against real services, closed and dropping ports, and a target that bans us."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from checks.data.network import watched_ports
from checks.errors import Reason
from checks.facts import Fact, Missing
from checks.facts.dns import Addresses
from checks.facts.http import FrontPage, Page
from checks.facts.ports import Access, AddressPorts, OpenPorts, PortSeen, PortState
from checks.facts.ssh import SshEndpoint, SshService
from checks.probes import ALL_PROBES, gather, ports
from checks.probes.look import Look, Probe
from checks.target import Limits, Target
from tests.checks.firewall.servers import dropping, machine, postgresql, redis, saying, silent
from tests.checks.ssh.servers import LOOPBACK, VANTAGE, at_address, free_port, speaker

BUSY_PAGE = b"HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n<title>Hello</title>"


def seen(found: AddressPorts, port: int) -> PortSeen:
    return next(p for p in found.ports if p.port == port)


def test_open_closed_and_dropped_ports_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    with saying(BUSY_PAGE) as web, dropping() as dropped, silent() as mute:
        closed = free_port()
        with machine(monkeypatch, {443: web, 6379: mute, 5432: closed, 3306: dropped}) as host:
            found = host.address()
    assert seen(found, web).state is PortState.OPEN
    assert seen(found, mute) == PortSeen(mute, PortState.OPEN)
    assert seen(found, closed).state is PortState.CLOSED
    assert seen(found, dropped).state is PortState.FILTERED


@pytest.mark.parametrize(
    ("settings", "access", "answer"),
    [
        ({"protected_mode": "no"}, Access.OPEN, "+PONG"),
        ({"requirepass": "hunter2"}, Access.LOGIN, "-NOAUTH Authentication required."),
    ],
)
def test_a_real_redis_is_recognised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], access: Access, answer: str
) -> None:
    with (
        saying(BUSY_PAGE) as web,
        redis(tmp_path, **settings) as port,
        machine(monkeypatch, {443: web, 6379: port}) as host,
    ):
        found = seen(host.address(), port)
    assert (found.service, found.access, found.answer) == ("redis", access, answer)


def test_a_real_postgresql_is_recognised_without_a_login(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        saying(BUSY_PAGE) as web,
        postgresql(tmp_path) as port,
        machine(monkeypatch, {443: web, 5432: port}) as host,
    ):
        found = seen(host.address(), port)
        log = (tmp_path / "postgres.log").read_text()
    assert found.service == "postgresql" and found.state is PortState.OPEN
    assert "FATAL" not in log and "role" not in log


MYSQL = b"\x4a\0\0\0\x0a8.0.36\0" + bytes(60)
MARIADB_REFUSES = b"\x45\0\0\0\xff\x6a\x04Host '203.0.113.9' is not allowed to connect to this MariaDB server"
MONGODB = (
    b"\x80\0\0\0\x01\0\0\0\x01\0\0\0"
    + (2013).to_bytes(4, "little")
    + b"\0" * 5
    + b"\x08isWritablePrimary\0\x01"
)
ELASTIC = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{"tagline" : "You Know, for Search"}'
ELASTIC_LOGIN = (
    b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="security" charset="UTF-8"\r\n\r\n{}'
)
DOCKER = b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nServer: Docker/20.10.24 (linux)\r\n\r\nOK"
PANEL = b"HTTP/1.1 200 OK\r\n\r\n<html><head><title>phpMyAdmin</title>"
MEILISEARCH = b'HTTP/1.1 200 OK\r\n\r\n{"status":"Meilisearch is running"}'


def test_silence_that_we_may_have_missed_ourselves_is_no_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checks.probes.net._LATE_S", -1.0)  # every time limit rings "late"
    with (
        saying(BUSY_PAGE) as web,
        dropping() as dropped,
        machine(monkeypatch, {443: web, 3306: dropped}) as host,
    ):
        found = seen(host.address(), dropped)
    assert isinstance(found.state, Missing) and found.state.reason is Reason.BUSY


@pytest.mark.parametrize(
    ("number", "answer", "first", "service", "access"),
    [
        (3306, MYSQL, True, "mysql", Access.LOGIN),
        (3306, MARIADB_REFUSES, True, "mysql", Access.TURNED_AWAY),
        (27017, MONGODB, False, "mongodb", Access.UNKNOWN),
        (11211, b"VERSION 1.6.18\r\n", False, "memcached", Access.OPEN),
        (9200, ELASTIC, False, "elasticsearch", Access.OPEN),
        (9200, ELASTIC_LOGIN, False, "elasticsearch", Access.LOGIN),
        (7700, MEILISEARCH, False, "meilisearch", Access.OPEN),
        (2375, DOCKER, False, "docker", Access.OPEN),
        (4369, b"\0\0\x11\x11name akkoma at port 41234\n", False, "epmd", Access.OPEN),
        (3000, BUSY_PAGE, False, "http", Access.OPEN),
        (4000, b"HTTP/1.1 403 Forbidden\r\n\r\n", False, "http", Access.TURNED_AWAY),
        (8080, PANEL, False, "panel", Access.OPEN),
        (873, b"@RSYNCD: 31.0\n", True, "rsync", Access.UNKNOWN),
        (6379, b"-DENIED Redis is running in protected mode\r\n", False, "redis", Access.TURNED_AWAY),
        (6379, b"HTTP/1.1 400 Bad Request\r\n\r\n", False, "", Access.UNKNOWN),
        (5432, b"HTTP", False, "", Access.UNKNOWN),
        (3306, b"\xff" * 4096, True, "", Access.UNKNOWN),
        (3000, b"\x1b]0;owned\x07" * 999, False, "", Access.UNKNOWN),
    ],
)  # fmt: skip
def test_services_are_known_by_their_answer(
    monkeypatch: pytest.MonkeyPatch, number: int, answer: bytes, first: bool, service: str, access: Access
) -> None:
    with (
        saying(BUSY_PAGE) as web,
        saying(answer, first=first) as port,
        machine(monkeypatch, {443: web, number: port}) as host,
    ):
        found = seen(host.address(), port)
    assert (found.state, found.service, found.access) == (PortState.OPEN, service, access)
    assert found.answer.isprintable()
    assert "akkoma" not in found.answer, "names that a service tells are not kept"


def test_an_endless_answer_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    def flood(connection: socket.socket, ended: threading.Event) -> None:
        while not ended.is_set():
            connection.sendall(b"y" * 65536)

    def drip(connection: socket.socket, ended: threading.Event) -> None:
        while not ended.wait(0.1):
            connection.sendall(b"H")

    begun = time.monotonic()
    with (
        saying(BUSY_PAGE) as web,
        speaker(flood) as flooding,
        speaker(drip) as dripping,
        machine(monkeypatch, {443: web, 3000: flooding, 4000: dripping}) as host,
    ):
        found = host.address()
    assert time.monotonic() - begun < 6
    assert {seen(found, p).state for p in (flooding, dripping)} == {PortState.OPEN}


def test_a_ban_in_mid_scan_leaves_only_what_was_seen_open(monkeypatch: pytest.MonkeyPatch) -> None:
    once = threading.Event()
    listener = socket.create_server((LOOPBACK, 0))

    def ban() -> None:
        connection, _ = listener.accept()
        connection.close()
        listener.close()
        once.set()

    thread = threading.Thread(target=ban)
    thread.start()
    with saying(b"+PONG\r\n") as redis_port, dropping() as dropped:
        closed, web = free_port(), listener.getsockname()[1]
        with machine(monkeypatch, {443: web, 6379: redis_port, 5432: closed, 3306: dropped}) as host:
            found = host.address()
    thread.join()
    assert seen(found, redis_port).service == "redis"
    for port in (closed, dropped):
        state = seen(found, port).state
        assert isinstance(state, Missing) and state.reason is Reason.BANNED


def test_an_address_that_answers_nowhere_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with machine(monkeypatch, {6379: free_port(), 5432: free_port()}) as host:
        found = host.address()
    assert all(isinstance(p.state, Missing) and p.state.reason is Reason.REFUSED for p in found.ports)


def test_where_every_port_accepts_only_answers_count(monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        web, mute = stack.enter_context(saying(BUSY_PAGE)), stack.enter_context(silent())
        talking = stack.enter_context(saying(b"+PONG\r\n"))
        canaries = (stack.enter_context(silent()), stack.enter_context(silent()))
        with machine(monkeypatch, {443: web, 5432: mute, 6379: talking}, canaries=canaries) as host:
            found = host.address()
    state = seen(found, mute).state
    assert isinstance(state, Missing) and state.reason is Reason.MALFORMED
    assert seen(found, talking).state is PortState.OPEN


def test_ports_are_knocked_at_once_and_closed_ones_cost_one_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ExitStack() as stack:
        web = stack.enter_context(saying(BUSY_PAGE))
        dropped = [stack.enter_context(dropping()) for _ in range(12)]
        numbers = list(watched_ports())[-12:]
        with machine(monkeypatch, {443: web, **dict(zip(numbers, dropped, strict=True))}) as host:
            begun = time.monotonic()
            host.address()
    assert time.monotonic() - begun < 2.5


def _given(*facts: Fact, name: str = "given") -> Probe:
    async def run(look: Look) -> tuple[Fact, ...]:
        return facts

    return Probe(name, "web", tuple(type(fact) for fact in facts), run)


def test_what_the_ssh_probe_saw_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()

    def count(connection: socket.socket, ended: threading.Event) -> None:
        asked.set()

    with saying(BUSY_PAGE) as web, speaker(count) as port, machine(monkeypatch, {443: web}) as host:
        host.ssh_port = port
        known = SshEndpoint(LOOPBACK, port, PortState.OPEN, "SSH-2.0-x")
        found = host.address(_given(SshService("root", port, (known,)), name="ssh"))
    assert seen(found, port) == PortSeen(port, PortState.OPEN, "ssh", answer="SSH-2.0-x")
    assert not asked.is_set()


def test_an_address_of_a_cdn_is_left_alone() -> None:
    async def look(*others: Probe, origins: tuple[str, ...] = (), address: str = "104.16.1.1") -> OpenPorts:
        target = Target("instance.example", origins=origins)
        probes = (at_address(address), *others, ports.PROBES[0])
        return (await gather(target, VANTAGE, Limits(), probes=probes)).facts.get(OpenPorts)

    assert asyncio.run(look()) == OpenPorts((), "Cloudflare")
    page = FrontPage(Page("https://instance.example/", 200, (("server", "BunnyCDN-DE1-1"),), ""))
    assert asyncio.run(look(_given(page), address="127.0.0.9")) == OpenPorts((), "Bunny")


def test_a_forbidden_address_is_never_dialled() -> None:
    target = Target("instance.example")
    gathered = asyncio.run(gather(target, probes=(at_address("127.0.0.1"), *ports.PROBES)))
    assert gathered.facts.missing[OpenPorts].reason is Reason.FORBIDDEN_ADDRESS
    assert Addresses in gathered.facts.found and gathered.connections.get("tcp", 0) == 0


def test_a_spent_budget_is_unknown_and_not_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        saying(BUSY_PAGE) as web,
        machine(monkeypatch, {443: web, 6379: free_port(), 5432: free_port()}) as host,
    ):
        found = host.scan(limits=Limits(budget={"tcp": 3}))
    states = [p.state for p in found.addresses[0].ports if p.port != web]
    assert any(isinstance(s, Missing) and s.reason is Reason.BUDGET for s in states)


def test_the_scan_waits_for_everything_that_talks_to_the_target() -> None:
    silent_ones = {
        "addresses",
        "resolver",
        "name",
        "caa",
        "dnssec",
        "nameservers",
        "routes",
        "spf",
        "dmarc",
        "dkim",
        "dkim_message",
        "rdap",
        "ports",
    }
    assert {p.name for p in ALL_PROBES} - silent_ones <= set(ports.BEFORE)
