"""Containers: their ports and the way to command them."""

from __future__ import annotations

import pytest

from checks.facts import Fact
from checks.facts.inside import Inside
from checks.facts.ports import AddressPorts, OpenPorts, PortSeen, PortState
from checks.model import Status
from checks.parse.host.docker import Published, parse_docker
from tests.checks.inside.reports import filtered, report, verdict

# Trimmed from a booted Debian 12 with Docker 20.10: two containers of Redis.
REDIS = "3e67965055cf\tmastodon-redis-1\tlocalredis:7\t0.0.0.0:6380->6379/tcp, :::6380->6379/tcp\tUp 2 hours"
SAFE = "f9da60f5dd3c\tmastodon-redis-pw\tlocalredis:7\t127.0.0.1:6381->6379/tcp\tUp 2 hours"
WEB = "aaaaaaaaaaaa\tcaddy\tcaddy:2\t0.0.0.0:80->80/tcp, [::]:443->443/tcp, 0.0.0.0:443->443/udp, 2019/tcp\tUp 1 day"
RANGE = (
    "bbbbbbbbbbbb\tturn\tcoturn\t10.0.0.5:3478->3478/udp, 192.0.2.7:50000-50002->50000-50002/udp\tUp 1 day"
)
PROXY = "cccccccccccc\tproxy\ttecnativa/docker-socket-proxy:0.3\t127.0.0.1:2375->2375/tcp\tUp 1 day"
REFUSED = (
    "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: "
    'Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.24/containers/json": dial unix /var/run/docker.sock: connect: permission denied'
)
NONE = "== version absent\n== ps absent\n== daemon\n== socket\n== podman absent"


def docker(
    *rows: str, inspect: str = "", daemon: str = "", socket: str = "660 root docker", podman: str = ""
) -> str:
    ps = "\n".join(rows)
    return (
        f"== version\n20.10.24+dfsg1\n== ps\n{ps}\n== inspect\n{inspect}\n== daemon\n{daemon}\n== socket\n{socket}\n"
        + (f"== podman\n{podman}" if podman else "== podman absent")
    ).replace("\n\n", "\n")


DENIED = f"== version\n{REFUSED}\n== ps\n{REFUSED}\n== inspect\n== daemon\n== socket\n660 root docker\n== podman absent"


def test_published_ports_are_read() -> None:
    found = parse_docker(tuple(docker(REDIS, SAFE, WEB, RANGE).split("\n"))).published
    assert [(one.host, one.port, one.protocol) for one in found] == [
        ("0.0.0.0", 6380, "tcp"), ("::", 6380, "tcp"), ("127.0.0.1", 6381, "tcp"),
        ("0.0.0.0", 80, "tcp"), ("::", 443, "tcp"), ("0.0.0.0", 443, "udp"), ("10.0.0.5", 3478, "udp"),
        ("192.0.2.7", 50000, "udp"), ("192.0.2.7", 50001, "udp"), ("192.0.2.7", 50002, "udp"),
    ]  # fmt: skip
    assert [one.port for one in found if one.is_public and not one.is_web] == [6380, 6380]
    assert Published("a", "b", "203.0.112.9", 4000, "tcp").is_public


def test_what_is_there() -> None:
    assert parse_docker(tuple(NONE.split("\n"))).gone
    assert not parse_docker(tuple(NONE.replace("podman absent", "podman denied").split("\n"))).gone
    stopped = (
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
    )
    assert parse_docker(tuple(NONE.replace("== version absent", f"== version\n{stopped}").split("\n"))).gone
    refused = parse_docker(tuple(DENIED.split("\n")))
    assert not refused.gone and refused.denied and not refused.listed
    whole = parse_docker(
        tuple(docker(SAFE, daemon='{"iptables": false, "hosts": ["tcp://0.0.0.0:2375"]}').split("\n"))
    )
    assert whole.listed and not whole.writes_rules and len(whole.tcp) == 1
    assert parse_docker(tuple(docker(socket="666 root docker").split("\n"))).is_open_to_all
    assert not parse_docker(tuple(docker(socket="664 root docker").split("\n"))).is_open_to_all


def sockets(*ports: int, host: str = "0.0.0.0", unit: str = "docker") -> str:
    return "\n".join(
        f"tcp LISTEN 0 4096 {host}:{port} 0.0.0.0:* ino:1 sk:9 cgroup:/system.slice/{unit}.service <->"
        for port in ports
    )


def outside(port: int, state: PortState, service: str = "") -> OpenPorts:
    return OpenPorts((AddressPorts("192.0.2.7", (PortSeen(port, state, service),)),))


NO_RULES = '"iptables": false'


@pytest.mark.parametrize(
    ("facts", "status", "code"),
    [
        ((report(docker=NONE),), Status.NOT_APPLICABLE, "no_docker"),
        ((report(docker=docker()),), Status.PASS, "none_published"),
        ((report(docker=docker(SAFE, WEB)),), Status.PASS, "none_published"),
        ((report(docker=docker(SAFE, REDIS)),), Status.FAIL, "published"),
        ((report(docker=docker(REDIS), **filtered("ufw")),), Status.FAIL, "published"),
        ((report(docker=docker(REDIS)), outside(6380, PortState.OPEN)), Status.FAIL, "published"),
        ((report(docker=docker(REDIS)), outside(6379, PortState.CLOSED)), Status.FAIL, "published"),
        ((report(docker=docker(REDIS)), outside(6380, PortState.FILTERED)), Status.WARN, "closed_outside"),
        ((report(docker=docker(REDIS, daemon=NO_RULES), **filtered("ufw")),), Status.PASS, "none_published"),
        ((report(docker=docker(REDIS, daemon=NO_RULES), **filtered("nothing")),), Status.FAIL, "published"),
        ((report(docker=NONE.replace("podman absent", f"podman\n{REDIS}")),), Status.FAIL, "published"),
        ((report(docker=DENIED, sockets=sockets(6380)),), Status.FAIL, "published"),
        ((report(docker=DENIED, sockets=sockets(80, 443)),), Status.UNKNOWN, "not_seen"),
        ((report(docker=DENIED, sockets=sockets(6381, host="127.0.0.1")),), Status.UNKNOWN, "not_seen"),
        ((report(docker=DENIED),), Status.UNKNOWN, "not_seen"),
        ((report(),), Status.UNKNOWN, ""),
    ],
)  # fmt: skip
def test_docker_respects(facts: tuple[Fact, ...], status: Status, code: str) -> None:
    found = verdict("firewall.docker_respects", *facts)
    assert (found.status, found.code) == (status, code)


def test_a_published_port_is_named() -> None:
    found = verdict("firewall.docker_respects", report(docker=docker(REDIS)))
    assert found.data["ports"] == "6380"
    assert "0.0.0.0:6380/tcp -> mastodon-redis-1 (localredis:7)" in found.evidence[0].text


HELD = "3e67965055cf\tfalse\tbridge\tdocker.sock\tsha256:1\t<no value>"
BY_PROXY = "cccccccccccc\tfalse\tbridge\tdocker.sock\tsha256:2\t"
ORPHAN = NONE.replace("== socket", "== socket\n{mode} root root")  # of a daemon whose client is not there
NOT_HELD = "f9da60f5dd3c\tfalse\tdefault\t\tsha256:1\t"


@pytest.mark.parametrize(
    ("facts", "status", "code"),
    [
        ((report(docker=NONE),), Status.NOT_APPLICABLE, "no_docker"),
        ((report(docker=ORPHAN.format(mode=666)),), Status.FAIL, "open_to_all"),
        ((report(docker=ORPHAN.format(mode=660)),), Status.UNKNOWN, "not_seen"),
        ((report(docker=docker(SAFE, inspect=NOT_HELD)),), Status.PASS, "closed"),
        ((report(docker=docker(PROXY, inspect=BY_PROXY)),), Status.PASS, "behind_proxy"),
        ((report(docker=docker(REDIS, PROXY, inspect=f"{HELD}\n{BY_PROXY}")),), Status.WARN, "mounted"),
        ((report(docker=docker(), sockets=sockets(2375)),), Status.FAIL, "on_network"),
        ((report(docker=docker(PROXY, inspect=BY_PROXY), sockets=sockets(2375, host="127.0.0.1")),), Status.PASS, "behind_proxy"),
        ((report(docker=docker(daemon='"hosts": ["tcp://0.0.0.0:4243"]'), sockets=sockets(4243)),), Status.FAIL, "on_network"),
        ((report(docker=docker(), sockets=sockets(2376)),), Status.WARN, "over_tls"),
        ((report(docker=docker(), sockets=sockets(2375, host="127.0.0.1")),), Status.WARN, "on_loopback"),
        ((report(docker=docker(socket="666 root docker")),), Status.FAIL, "open_to_all"),
        ((report(docker=DENIED, sockets=sockets(2375)),), Status.FAIL, "on_network"),
        ((report(docker=DENIED, sockets=sockets(80)),), Status.UNKNOWN, "not_seen"),
        ((report(docker=docker()), outside(2375, PortState.OPEN, "docker")), Status.FAIL, "on_network"),
        ((report(docker=docker(), sockets=sockets(2375, unit="other")),), Status.PASS, "closed"),
        ((report(),), Status.UNKNOWN, ""),
    ],
)  # fmt: skip
def test_docker_socket_closed(facts: tuple[Fact, ...], status: Status, code: str) -> None:
    found = verdict("host.docker_socket_closed", *facts)
    assert (found.status, found.code) == (status, code)


def test_an_empty_section_says_nothing_of_docker() -> None:
    empty: Inside = report(docker="")
    assert verdict("firewall.docker_respects", empty).status is Status.UNKNOWN
    assert verdict("host.docker_socket_closed", empty).status is Status.UNKNOWN
