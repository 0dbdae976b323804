"""What the items make of a finished port scan."""

from __future__ import annotations

import pytest

from checks.data.network import app_ports, canary_ports, watched_ports
from checks.errors import Reason
from checks.evaluate import judge
from checks.facts import Facts, Missing
from checks.facts.dns import Lookup, Outcome
from checks.facts.mail import MailHost, MailRoutes
from checks.facts.ports import Access, AddressPorts, OpenPorts, PortSeen, PortState
from checks.facts.software import Software
from checks.facts.ssh import SshEndpoint, SshService
from checks.items import all_items
from checks.model import Status, Verdict

ADDRESS, ADDRESS6 = "93.184.215.14", "2606:2800:21f:cb07::1"
MASTODON = Software("mastodon", "mastodon", "4.4.0", "4.4.0")
BANNED = Missing(Reason.BANNED)


def scan(
    *special: PortSeen, rest: PortState | Missing = PortState.CLOSED, web: bool = True, address: str = ADDRESS
) -> AddressPorts:
    """All watched ports: the special ones, 80, 443 and 22 open, the others as `rest`."""
    given = {port.port: port for port in special}
    ports = []
    for number, entry in watched_ports().items():
        state = PortState.OPEN if web and number in (80, 443) else rest
        if number == 22 and web:
            ports.append(PortSeen(22, PortState.OPEN, "ssh", answer="SSH-2.0-x"))
            continue
        ports.append(given.pop(number, PortSeen(entry.number, state)))
    return AddressPorts(address, (*ports, *given.values()))


def opened(port: int, service: str = "", access: Access = Access.UNKNOWN, answer: str = "") -> PortSeen:
    return PortSeen(port, PortState.OPEN, service, access, answer)


def routes(*v4: str) -> MailRoutes:
    found = Lookup("mail.instance.example", "A", Outcome.FOUND, v4)
    mx = Lookup("instance.example", "MX", Outcome.FOUND, ("10 mail.instance.example.",))
    return MailRoutes("instance.example", mx, (MailHost(10, "mail.instance.example", found),))


def verdict(item_id: str, *scans: AddressPorts, cdn: str = "", more: Facts | None = None) -> Verdict:
    facts = (more or Facts()).with_facts(OpenPorts(scans, cdn))
    return judge(all_items()[item_id], facts)


WITH_MAIL = Facts().with_facts(routes(ADDRESS))
MAIL_ELSEWHERE = Facts().with_facts(routes("93.184.215.99"))
APP = Facts().with_facts(MASTODON)


@pytest.mark.parametrize(
    ("scans", "more", "status", "code"),
    [
        ((scan(),), Facts(), Status.PASS, "only_expected"),
        ((scan(rest=PortState.FILTERED),), Facts(), Status.PASS, "only_expected"),
        ((scan(opened(25), opened(587)),), WITH_MAIL, Status.PASS, "only_expected"),
        ((scan(opened(25)),), MAIL_ELSEWHERE, Status.WARN, "unexpected"),
        ((scan(opened(25)),), Facts(), Status.UNKNOWN, ""),
        ((scan(opened(2222, "ssh")),), Facts(), Status.PASS, "only_expected"),
        ((scan(opened(8080, "http")),), Facts(), Status.WARN, "unexpected"),
        ((scan(opened(8080, "panel")),), Facts(), Status.FAIL, "exposed"),
        ((scan(opened(3000)),), Facts(), Status.WARN, "unexpected"),
        ((scan(opened(3000, "http")),), Facts(), Status.FAIL, "exposed"),
        ((scan(opened(6379)),), Facts(), Status.FAIL, "exposed"),
        ((scan(opened(4369, "epmd")),), Facts(), Status.FAIL, "exposed"),
        ((scan(opened(9394, "http")),), Facts(), Status.FAIL, "exposed"),
        ((scan(opened(23)),), Facts(), Status.FAIL, "exposed"),
        ((scan(), scan(opened(5432), address=ADDRESS6)), Facts(), Status.FAIL, "exposed"),
        ((scan(rest=BANNED),), Facts(), Status.UNKNOWN, ""),
        ((scan(opened(6379), rest=BANNED),), Facts(), Status.FAIL, "exposed"),
        ((scan(), scan(rest=Missing(Reason.TIMEOUT), web=False, address=ADDRESS6)), Facts(), Status.UNKNOWN, ""),
        ((scan(web=False),), Facts(), Status.UNKNOWN, ""),
    ],
)  # fmt: skip
def test_open_ports(scans: tuple[AddressPorts, ...], more: Facts, status: Status, code: str) -> None:
    found = verdict("firewall.open_ports", *scans, more=more)
    assert (found.status, found.code) == (status, code)


def test_an_exposed_port_is_named_with_its_answer() -> None:
    found = verdict(
        "firewall.open_ports", scan(opened(6379, "redis", Access.OPEN, "+PONG"), opened(2222, "ssh"))
    )
    assert found.data["ports"] == "6379 Redis"
    assert found.evidence[0].text == f"{ADDRESS} port 6379 Redis: +PONG"


@pytest.mark.parametrize(
    ("scans", "status", "code"),
    [
        ((scan(),), Status.PASS, "closed"),
        ((scan(opened(3000, "http")),), Status.PASS, "closed"),
        ((scan(opened(6379, "redis", Access.OPEN)),), Status.FAIL, "no_login"),
        ((scan(opened(6379, "redis", Access.LOGIN)),), Status.FAIL, "answers"),
        ((scan(opened(3306, "mysql", Access.TURNED_AWAY)),), Status.FAIL, "answers"),
        ((scan(opened(5432, "postgresql"), opened(6379, "redis", Access.OPEN)),), Status.FAIL, "no_login"),
        ((scan(opened(9200, "http", Access.OPEN)),), Status.WARN, "unrecognised"),
        ((scan(opened(5432)),), Status.WARN, "unrecognised"),
        ((scan(), scan(opened(27017, "mongodb"), address=ADDRESS6)), Status.FAIL, "answers"),
        ((scan(rest=BANNED),), Status.UNKNOWN, ""),
        ((scan(opened(11211, "memcached", Access.OPEN), rest=BANNED),), Status.FAIL, "no_login"),
    ],
)
def test_databases_closed(scans: tuple[AddressPorts, ...], status: Status, code: str) -> None:
    found = verdict("firewall.databases_closed", *scans)
    assert (found.status, found.code) == (status, code)


@pytest.mark.parametrize(
    ("ports", "more", "status", "code"),
    [
        (scan(), APP, Status.PASS, "closed"),
        (scan(opened(3000, "http", answer="HTTP/1.1 301")), APP, Status.FAIL, "answers"),
        (scan(opened(4000)), APP, Status.WARN, "accepts"),
        (scan(opened(4000, "ssh")), APP, Status.PASS, "closed"),
        (scan(opened(8080, "http")), APP, Status.PASS, "closed"),
        (scan(rest=BANNED), APP, Status.UNKNOWN, ""),
        (scan(), Facts(), Status.UNKNOWN, ""),
        (scan(), Facts().with_facts(Software("x", "", "1", "")), Status.UNKNOWN, "port_not_known"),
    ],
)
def test_local_bind(ports: AddressPorts, more: Facts, status: Status, code: str) -> None:
    found = verdict("app.local_bind", ports, more=more)
    assert (found.status, found.code) == (status, code)


@pytest.mark.parametrize("item_id", ["firewall.open_ports", "firewall.databases_closed", "app.local_bind"])
def test_the_ports_of_a_cdn_say_nothing(item_id: str) -> None:
    behind = verdict(item_id, cdn="Cloudflare", more=APP)
    assert (behind.status, behind.code) == (Status.NOT_APPLICABLE, "behind_cdn")
    origin = verdict(item_id, scan(opened(3000, "http"), opened(6379, "redis")), cdn="Cloudflare", more=APP)
    assert origin.status is Status.FAIL


def test_a_provider_firewall_stays_a_question() -> None:
    item = all_items()["firewall.cloud_ssh"]
    answering = SshService("root", 22, (SshEndpoint(ADDRESS, 22, PortState.OPEN, "SSH-2.0-x"),))
    silent = SshService("root", 22, (SshEndpoint(ADDRESS, 22, PortState.FILTERED),))
    found = [judge(item, Facts().with_facts(fact)) for fact in (answering, silent)]
    assert [(v.status, v.code) for v in found] == [(Status.MANUAL, "answers"), (Status.UNKNOWN, "hidden")]


def test_the_table_of_ports_is_sound() -> None:
    ports = watched_ports()
    assert 40 <= len(ports) <= 48, "each costs a connection per try"
    assert not set(canary_ports()) & set(ports)
    families = ("mastodon", "pleroma", "akkoma", "misskey", "gotosocial", "lemmy", "peertube", "pixelfed")
    for family in families:
        assert app_ports(family) and set(app_ports(family)) <= set(ports)
