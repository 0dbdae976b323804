"""Listening sockets and who holds them."""

from __future__ import annotations

import pytest

from checks.parse.host.sockets import Listener, parse_sockets, public

# Trimmed from a booted Debian 12: `ss -Hlntue`.
SS = """
udp UNCONN 0      0      127.0.0.53%lo:53      0.0.0.0:* uid:101 ino:20 sk:1 cgroup:/system.slice/systemd-resolved.service <->
udp UNCONN 0      0      [fe80::1]%eth0:546       [::]:* uid:101 ino:21 sk:2 cgroup:/system.slice/systemd-networkd.service v6only:1 <->
tcp LISTEN 0      511        127.0.0.1:6379    0.0.0.0:* uid:102 ino:194738 sk:1005 cgroup:/system.slice/redis-server.service <->
tcp LISTEN 0      244        127.0.0.1:5432    0.0.0.0:* uid:103 ino:1 sk:7 cgroup:/system.slice/system-postgresql.slice/postgresql@15-main.service <->
tcp LISTEN 0      4096         0.0.0.0:6380    0.0.0.0:* ino:196434 sk:1009 cgroup:/system.slice/docker.service <->
tcp LISTEN 0      5            0.0.0.0:4000    0.0.0.0:* uid:65534 ino:1 sk:100d cgroup:/system.slice/akkoma.service <->
tcp LISTEN 0      4096               *:9090          *:* ino:1 sk:100e cgroup:/init.scope v6only:0 <->
tcp LISTEN 0      128             [::]:22         [::]:* ino:194627 sk:1011 cgroup:/system.slice/ssh.service v6only:1 <->
tcp LISTEN 0      511             [::1]:6379      [::]:* uid:102 ino:1 sk:100f cgroup:/system.slice/redis-server.service v6only:1 <->
tcp LISTEN 0      4096        10.8.0.1:9100    0.0.0.0:* ino:1 sk:12 cgroup:/system.slice/docker-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope <->
tcp LISTEN 0      4096  [::ffff:127.0.0.1]:8125   *:* ino:1 sk:13
"""
PROC = """== tcp
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:ECB9 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 193503 1 0000000083a64ab9
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 193504 1 0000000083a64ab9
   2: 0100007F:0016 0200007F:1234 01 00000000:00000000 00:00000000 00000000     0        0 193505 1 0000000083a64ab9
== tcp6
  sl  local_address                         remote_address                        st tx_queue rx_queue tr
   0: 00000000000000000000000001000000:18EB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000
"""


def test_each_socket_is_read() -> None:
    found = parse_sockets(tuple(SS.split("\n")))
    assert [one.shown() for one in found] == [
        "127.0.0.53%lo:53 systemd-resolved.service", "[fe80::1]%eth0:546 systemd-networkd.service",
        "127.0.0.1:6379 redis-server.service", "127.0.0.1:5432 postgresql@15-main.service",
        "0.0.0.0:6380 docker.service", "0.0.0.0:4000 akkoma.service", "*:9090", "[::]:22 ssh.service",
        "[::1]:6379 redis-server.service", "10.8.0.1:9100 0123456789ab", "[::ffff:127.0.0.1]:8125",
    ]  # fmt: skip
    assert [one.port for one in found if one.is_loopback] == [53, 6379, 5432, 6379, 8125]
    assert [one.port for one in public(found)] == [6380, 4000, 9090, 22]
    assert [one.protocol for one in found[:3]] == ["udp", "udp", "tcp"]


def test_older_ss_names_no_protocol() -> None:
    line = "LISTEN 0      511        127.0.0.1:6379    0.0.0.0:* uid:102 ino:1 sk:1 cgroup:/system.slice/a.service <->"
    assert parse_sockets((line,)) == (Listener("tcp", "127.0.0.1", 6379, "a.service"),)


def test_the_kernels_own_table() -> None:
    found = parse_sockets(tuple(PROC.split("\n")))
    assert found == (
        Listener("tcp", "127.0.0.1", 60601), Listener("tcp", "0.0.0.0", 22), Listener("tcp", "::1", 6379),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("listener", "database"),
    [
        (Listener("tcp", "0.0.0.0", 6390, "valkey-server.service"), "Valkey"),
        (Listener("tcp", "0.0.0.0", 5432, "postgresql@15-main.service"), "PostgreSQL"),
        (Listener("tcp", "0.0.0.0", 6380, "docker.service"), "Redis"),
        (Listener("tcp", "0.0.0.0", 6379), "Redis"),
        (Listener("tcp", "0.0.0.0", 6379, "", "0123456789ab"), "Redis"),
        (Listener("tcp", "0.0.0.0", 9200, "akkoma.service"), ""),
        (Listener("tcp", "0.0.0.0", 4000, "akkoma.service"), ""),
    ],
)
def test_a_database_is_known_by_its_unit_or_its_port(listener: Listener, database: str) -> None:
    assert listener.database == database


def test_an_app_is_known_by_its_unit() -> None:
    assert Listener("tcp", "0.0.0.0", 4000, "akkoma.service").app == "akkoma.service"
    assert Listener("tcp", "0.0.0.0", 4000, "nginx.service").app == ""
    assert Listener("tcp", "192.168.1.5", 4000).is_private and not Listener("tcp", "8.8.8.8", 4000).is_private
    assert Listener("tcp", "*", 4000, device="wg0").is_private and not Listener("tcp", "*", 4000).is_private
