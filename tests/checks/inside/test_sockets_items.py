"""What listens, beside what answers from outside."""

from __future__ import annotations

import pytest

from checks.facts import Fact
from checks.facts.inside import Inside
from checks.facts.ports import Access, AddressPorts, OpenPorts, PortSeen, PortState
from checks.facts.software import Software
from checks.model import Status
from tests.checks.firewall.test_items import BANNED, opened, scan
from tests.checks.inside.reports import filtered, no_rules_shown, report, verdict
from tests.checks.inside.test_docker import DENIED, docker

MASTODON = Software("mastodon", "mastodon", "4.4.0", "4.4.0")
DROPS, ACCEPTS = filtered("policy drop"), filtered("nothing")
CLOSED = OpenPorts((scan(),))
GONE = OpenPorts((scan(rest=BANNED),))
AT_CDN = OpenPorts((), "Cloudflare")


def line(where: str, unit: str = "") -> str:
    group = f" cgroup:/system.slice/{unit}" if unit else ""
    return f"tcp LISTEN 0 128 {where} 0.0.0.0:* ino:1 sk:1{group} <->"


BASE = "\n".join(
    [
        line("0.0.0.0:22", "ssh.service"),
        line("0.0.0.0:443", "nginx.service"),
        line("127.0.0.1:6379", "redis-server.service"),
    ]
)


def host(*more: str, containers: str | tuple[str, ...] = "", **rules: tuple[str, ...]) -> Inside:
    said: dict[str, str | tuple[str, ...]] = {"docker": containers} if containers else {}
    return report(sockets="\n".join([BASE, *more]), **said, **(rules or ACCEPTS))


VALKEY, POSTGRES = (
    line("0.0.0.0:6390", "valkey-server.service"),
    line("0.0.0.0:5432", "postgresql@15-main.service"),
)
BY_DOCKER = line("0.0.0.0:15432", "docker.service")
PG = docker("aaaaaaaaaaaa\tdb\tpostgres:15\t0.0.0.0:15432->5432/tcp\tUp 1 day")


@pytest.mark.parametrize(
    ("facts", "status", "code"),
    [
        ((CLOSED, host()), Status.PASS, "closed"),
        ((CLOSED, host(POSTGRES)), Status.PASS, "closed_but_listening"),
        ((CLOSED, host(VALKEY)), Status.WARN, "untried"),
        ((CLOSED, host(VALKEY, **DROPS)), Status.PASS, "closed_but_listening"),
        ((CLOSED, host(VALKEY, **no_rules_shown())), Status.PASS, "closed_but_listening"),
        ((CLOSED, host(BY_DOCKER, containers=PG, **DROPS)), Status.WARN, "untried"),
        ((OpenPorts((scan(opened(6379, "redis", Access.OPEN)),)), host()), Status.FAIL, "no_login"),
        ((OpenPorts((scan(opened(5432, "postgresql")),)), host(POSTGRES)), Status.FAIL, "answers"),
        ((host(),), Status.PASS, "local_only"),
        ((GONE, host()), Status.PASS, "local_only"),
        ((AT_CDN, host()), Status.PASS, "local_only"),
        ((host(POSTGRES),), Status.WARN, "listens"),
        ((host(POSTGRES, **no_rules_shown()),), Status.UNKNOWN, "rules_not_seen"),
        ((host(POSTGRES, **DROPS),), Status.PASS, "filtered_inside"),
        ((host(BY_DOCKER, containers=PG, **DROPS),), Status.WARN, "listens"),
        ((host(containers=PG, **DROPS),), Status.WARN, "listens"),
        ((host(BY_DOCKER, containers=DENIED),), Status.UNKNOWN, "docker_hidden"),
        ((AT_CDN,), Status.NOT_APPLICABLE, "behind_cdn"),
        ((AT_CDN, report(sockets="")), Status.NOT_APPLICABLE, "behind_cdn"),
        ((GONE, report()), Status.UNKNOWN, ""),
        ((report(),), Status.UNKNOWN, ""),
    ],
)  # fmt: skip
def test_databases_closed(facts: tuple[Fact, ...], status: Status, code: str) -> None:
    found = verdict("firewall.databases_closed", *facts)
    assert (found.status, found.code) == (status, code)


def test_what_answers_is_named_by_who_listens() -> None:
    found = verdict(
        "firewall.databases_closed", OpenPorts((scan(opened(5432, "postgresql")),)), host(POSTGRES)
    )
    assert [one.label for one in found.evidence] == ["TCP connect", "inside: ss"]
    assert found.evidence[1].text.startswith("0.0.0.0:5432 postgresql@15-main.service")


ODD = line("0.0.0.0:7777", "game.service")


@pytest.mark.parametrize(
    ("facts", "status", "code"),
    [
        ((CLOSED, host()), Status.PASS, "only_expected"),
        ((CLOSED, host(ODD)), Status.WARN, "untried"),
        ((CLOSED, host(ODD, **DROPS)), Status.PASS, "only_expected"),
        ((CLOSED, host(ODD, **no_rules_shown())), Status.PASS, "only_expected"),
        ((OpenPorts((scan(opened(6379)),)), host()), Status.FAIL, "exposed"),
        ((host(),), Status.PASS, "filtered_inside"),
        ((host(ODD),), Status.WARN, "listening"),
        ((host(ODD, **DROPS),), Status.PASS, "filtered_inside"),
        ((host(ODD, **no_rules_shown()),), Status.UNKNOWN, "rules_not_seen"),
        ((AT_CDN, host(ODD)), Status.WARN, "listening"),
        ((GONE, host(line("10.0.0.5:7777", "game.service"))), Status.PASS, "filtered_inside"),
        ((GONE,), Status.UNKNOWN, ""),
        ((AT_CDN,), Status.NOT_APPLICABLE, "behind_cdn"),
    ],
)
def test_open_ports(facts: tuple[Fact, ...], status: Status, code: str) -> None:
    found = verdict("firewall.open_ports", *facts)
    assert (found.status, found.code) == (status, code)


def test_each_open_port_shows_its_unit() -> None:
    found = verdict("firewall.open_ports", CLOSED, host())
    assert "0.0.0.0:443 nginx.service" in found.evidence[1].text


WIDE, LOCAL = line("0.0.0.0:3000", "mastodon-web.service"), line("127.0.0.1:3000", "mastodon-web.service")
BY_PORT = line("0.0.0.0:3000", "docker.service")


@pytest.mark.parametrize(
    ("facts", "status", "code"),
    [
        ((CLOSED, MASTODON, host(LOCAL)), Status.PASS, "closed"),
        ((CLOSED, MASTODON, host()), Status.PASS, "closed"),
        ((CLOSED, MASTODON, host(WIDE)), Status.WARN, "closed_but_listening"),
        ((OpenPorts((scan(opened(3000, "http")),)), MASTODON, host(WIDE)), Status.FAIL, "answers"),
        ((OpenPorts((scan(opened(3000)),)), MASTODON, host(WIDE)), Status.WARN, "accepts"),
        ((MASTODON, host(LOCAL)), Status.PASS, "loopback"),
        ((host(LOCAL),), Status.PASS, "loopback"),
        ((CLOSED, host(LOCAL)), Status.PASS, "loopback"),
        ((GONE, MASTODON, host(LOCAL)), Status.PASS, "loopback"),
        ((AT_CDN, MASTODON, host(LOCAL)), Status.PASS, "loopback"),
        ((MASTODON, host(WIDE)), Status.FAIL, "listens_open"),
        ((MASTODON, host(BY_PORT, **DROPS)), Status.FAIL, "listens_open"),
        ((MASTODON, host(WIDE, **DROPS)), Status.WARN, "closed_but_listening"),
        ((MASTODON, host(WIDE, **no_rules_shown())), Status.WARN, "listens_wide"),
        ((MASTODON, host(line("0.0.0.0:3000", "nginx.service"))), Status.UNKNOWN, "no_listener"),
        ((host(),), Status.UNKNOWN, "no_listener"),
        ((CLOSED, Software("x", "", "1", "")), Status.UNKNOWN, "port_not_known"),
        ((CLOSED, Software("x", "", "1", ""), host(LOCAL)), Status.PASS, "loopback"),
        ((AT_CDN, MASTODON), Status.NOT_APPLICABLE, "behind_cdn"),
        ((MASTODON,), Status.UNKNOWN, ""),
        ((GONE, MASTODON), Status.UNKNOWN, ""),
    ],
)
def test_local_bind(facts: tuple[Fact, ...], status: Status, code: str) -> None:
    found = verdict("app.local_bind", *facts)
    assert (found.status, found.code) == (status, code)


def test_a_port_of_one_family_meets_the_rules_of_that_family() -> None:
    six = report(sockets=BASE + "\n" + line("[::]:7777", "game.service"), **filtered("nft for IPv4 alone"))
    four = report(
        sockets=BASE + "\n" + line("0.0.0.0:7777", "game.service"), **filtered("nft for IPv4 alone")
    )
    assert verdict("firewall.open_ports", six).code == "listening"
    assert verdict("firewall.open_ports", four).code == "filtered_inside"
    one = OpenPorts((AddressPorts("192.0.2.7", (PortSeen(443, PortState.OPEN),)),))
    assert verdict("firewall.open_ports", one, six).code == "untried"
