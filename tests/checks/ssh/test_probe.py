"""The SSH probe against a real OpenSSH, and against servers that mean it harm."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
import threading
import time
from pathlib import Path

import paramiko
import pytest
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL

from checks.errors import Reason
from checks.facts import Missing, MissingFact
from checks.facts.ports import PortState
from checks.facts.ssh import SshAlgorithms
from checks.probes import ssh
from tests.checks.ssh.servers import endpoint_at, free_port, look_at_ssh, speaker, sshd


@pytest.mark.parametrize(
    ("options", "methods"),
    [
        (("PasswordAuthentication no", "KbdInteractiveAuthentication no"), {"publickey"}),
        (("PasswordAuthentication yes", "KbdInteractiveAuthentication no"), {"publickey", "password"}),
        (
            ("PasswordAuthentication yes", "PubkeyAuthentication no", "KbdInteractiveAuthentication no"),
            {"password"},
        ),
        (
            (
                "PasswordAuthentication yes",
                "KbdInteractiveAuthentication no",
                "Match User root",
                "PasswordAuthentication no",
            ),
            {"publickey"},
        ),
        (("AuthenticationMethods publickey,password", "PasswordAuthentication yes"), {"publickey"}),
    ],
    ids=["keys", "password", "only password", "match block", "chain"],
)
def test_a_real_sshd_tells_its_methods(tmp_path: Path, options: tuple[str, ...], methods: set[str]) -> None:
    with sshd(tmp_path, *options) as port:
        found = asyncio.run(endpoint_at(port))
    assert found.state is PortState.OPEN
    assert found.banner.startswith("SSH-2.0-OpenSSH")
    assert isinstance(found.methods, tuple) and set(found.methods) == methods
    assert not found.lets_in


def test_a_real_sshd_tells_its_algorithms_in_the_same_connection(tmp_path: Path) -> None:
    wanted = (
        "Ciphers aes128-ctr,aes128-cbc",
        "MACs hmac-sha1,hmac-sha2-256",
        "KexAlgorithms curve25519-sha256",
    )
    with sshd(tmp_path, *wanted) as port:
        found = asyncio.run(endpoint_at(port))
        log = (tmp_path / "sshd.log").read_text()
    assert isinstance(found.algorithms, SshAlgorithms) and isinstance(found.methods, tuple)
    assert found.algorithms.ciphers == ("aes128-ctr", "aes128-cbc")
    assert found.algorithms.macs == ("hmac-sha1", "hmac-sha2-256")
    assert found.algorithms.kex[0] == "curve25519-sha256"
    assert found.algorithms.host_keys == ("ssh-ed25519",)
    assert "ailed" not in log, "no login is tried"


def test_algorithms_are_read_where_nothing_can_be_agreed_upon(tmp_path: Path) -> None:
    with sshd(tmp_path, "KexAlgorithms sntrup761x25519-sha512@openssh.com") as port:
        found = asyncio.run(endpoint_at(port))
    assert isinstance(found.algorithms, SshAlgorithms)
    assert isinstance(found.methods, Missing) and found.methods.reason is Reason.NOT_BUILT


def test_a_busy_sshd_withholds_its_answer(tmp_path: Path) -> None:
    with (
        sshd(tmp_path, "MaxStartups 1:100:1") as port,
        socket.create_connection(("127.0.0.1", port)) as other,
        socket.create_connection(("127.0.0.1", port)) as another,
    ):
        assert other.recv(256) and another.recv(256)  # who came first is being served, the other was refused
        found = asyncio.run(endpoint_at(port))
    assert found.state is PortState.OPEN and found.banner == ""
    assert found.methods == found.algorithms == Missing(Reason.WITHHELD, "Exceeded MaxStartups")


def test_closed_and_filtered_ports_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh, "_CONNECT_S", 0.3)
    assert asyncio.run(endpoint_at(free_port())).state is PortState.CLOSED
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):  # the queue is full: later SYNs are dropped
            assert asyncio.run(endpoint_at(port)).state is PortState.FILTERED


def test_port_22_is_looked_at_as_well() -> None:
    port = free_port()
    assert [e.port for e in asyncio.run(look_at_ssh(port)).endpoints] == [port, 22]
    assert [e.port for e in asyncio.run(look_at_ssh(22)).endpoints] == [22]


class _OpenToAll(paramiko.ServerInterface):
    def get_allowed_auths(self, username: str) -> str:
        return "publickey,password"

    def check_auth_none(self, username: str) -> int:
        return AUTH_SUCCESSFUL


def _serve(connection: socket.socket, ended: threading.Event, server: paramiko.ServerInterface) -> None:
    transport = paramiko.Transport(connection)
    transport.add_server_key(paramiko.ECDSAKey.generate())
    transport.start_server(event=threading.Event(), server=server)
    ended.wait(5)
    transport.close()
    transport.join(5)


def test_a_server_that_lets_everybody_in_is_seen() -> None:
    with speaker(lambda connection, ended: _serve(connection, ended, _OpenToAll())) as port:
        found = asyncio.run(endpoint_at(port))
    assert found.lets_in and found.methods == ()


def _silent(connection: socket.socket, ended: threading.Event) -> None:
    ended.wait(10)


def _endless_lines(connection: socket.socket, ended: threading.Event) -> None:
    while not ended.wait(0.05):
        connection.sendall(b"wait for it\r\n")


def _endless_line(connection: socket.socket, ended: threading.Event) -> None:
    while not ended.is_set():
        connection.sendall(b"x" * 4096)


def _garbage(connection: socket.socket, ended: threading.Event) -> None:
    connection.sendall(b"SSH-2.0-x\r\n" + bytes(range(256)) * 16)
    ended.wait(10)


def _tarpit_after_banner(connection: socket.socket, ended: threading.Event) -> None:
    connection.sendall(b"SSH-2.0-slow\r\n")
    while not ended.wait(0.1):
        connection.sendall(b"\0")


def _flood_after_banner(connection: socket.socket, ended: threading.Event) -> None:
    connection.sendall(b"SSH-2.0-flood\r\n")
    ignore = struct.pack(">IB", 12, 6) + b"\x02\0\0\0\0" + b"\0" * 6
    while not ended.is_set():
        connection.sendall(ignore * 512)


def _hang_up(connection: socket.socket, ended: threading.Event) -> None:
    connection.sendall(b"SSH-2.0-bye\r\n")


def _turned_away(connection: socket.socket, ended: threading.Event) -> None:
    connection.sendall(b"Not allowed at this time\r\n")


def _echo(connection: socket.socket, ended: threading.Event) -> None:
    """Says what it is told: by its own words it would offer all that we offer."""
    while data := connection.recv(65536):
        connection.sendall(data)


def _silent_after_kexinit(connection: socket.socket, ended: threading.Event) -> None:
    connection.sendall(b"SSH-2.0-mute\r\n" + _kexinit())
    ended.wait(10)


def _kexinit() -> bytes:
    lists = [
        b"curve25519-sha256",
        b"ssh-ed25519",
        *[b"aes128-ctr"] * 2,
        *[b"hmac-sha2-256"] * 2,
        *[b"none"] * 2,
        b"",
        b"",
    ]
    payload = b"\x14" + bytes(16) + b"".join(struct.pack(">I", len(x)) + x for x in lists) + bytes(5)
    padding = 8 - (5 + len(payload)) % 8 + 8
    return struct.pack(">IB", 1 + len(payload) + padding, padding) + payload + bytes(padding)


@pytest.mark.parametrize(
    ("behave", "reasons", "banner"),
    [
        (_silent, {Reason.TIMEOUT}, ""),
        (_endless_lines, {Reason.MALFORMED}, ""),
        (_endless_line, {Reason.MALFORMED}, ""),
        (_garbage, {Reason.MALFORMED}, "SSH-2.0-x"),
        (_tarpit_after_banner, {Reason.TIMEOUT, Reason.MALFORMED}, "SSH-2.0-slow"),
        (_flood_after_banner, {Reason.TIMEOUT, Reason.MALFORMED, Reason.CONNECTION_LOST}, "SSH-2.0-flood"),
        (_hang_up, {Reason.CONNECTION_LOST}, "SSH-2.0-bye"),
        (_turned_away, {Reason.WITHHELD}, ""),
        (_echo, {Reason.MALFORMED}, ""),
        (_silent_after_kexinit, {Reason.TIMEOUT}, "SSH-2.0-mute"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_hostile_server_ends_as_unknown_within_the_time(
    behave: object,
    reasons: set[Reason],
    banner: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(ssh, "WALL_S", 1.0)
    caplog.set_level(logging.DEBUG)
    begun, before = time.monotonic(), threading.active_count()
    with speaker(behave) as port:  # type: ignore[arg-type]
        found = asyncio.run(endpoint_at(port))
        left = [t for t in threading.enumerate() if isinstance(t, paramiko.Transport)]
    assert time.monotonic() - begun < 4.0
    assert not left, "no thread of ours lives on"
    assert threading.active_count() <= before, threading.enumerate()
    assert found.state is PortState.OPEN and found.banner == banner
    assert isinstance(found.methods, Missing) and found.methods.reason in reasons
    assert not any("paramiko" in r.name or r.name == "checks.ssh.silenced" for r in caplog.records)


def test_our_own_words_are_no_algorithms_of_the_server() -> None:
    with speaker(_echo) as port:
        found = asyncio.run(endpoint_at(port))
    assert found.algorithms == found.methods == Missing(Reason.MALFORMED, "our own words came back")


def test_a_server_that_goes_mute_has_told_its_algorithms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh, "WALL_S", 0.5)
    with speaker(_silent_after_kexinit) as port:
        found = asyncio.run(endpoint_at(port))
    assert found.algorithms == SshAlgorithms(
        ("curve25519-sha256",), ("ssh-ed25519",), ("aes128-ctr",), ("hmac-sha2-256",)
    )


def test_an_address_of_a_cdn_is_not_asked() -> None:
    with pytest.raises(MissingFact) as caught:
        asyncio.run(look_at_ssh(22, address="104.16.1.1"))
    assert caught.value.missing == Missing(Reason.NOT_ASKED, "Cloudflare stands in front, no origin is named")


def test_the_methods_are_asked_for_the_user_of_the_target() -> None:
    asked: list[str] = []

    class Listening(_OpenToAll):
        def check_auth_none(self, username: str) -> int:
            asked.append(username)
            return AUTH_FAILED

    with speaker(lambda connection, ended: _serve(connection, ended, Listening())) as port:
        found = asyncio.run(endpoint_at(port, "admin"))
    assert asked == ["admin"]
    assert found.methods == ("publickey", "password") and not found.lets_in
