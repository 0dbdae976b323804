"""The probes of the zone against a local name server that plays resolver and authority."""

from __future__ import annotations

import asyncio

import pytest

from checks.errors import Reason
from checks.facts import Facts, Missing
from checks.facts.dns import Asked, CaaClimb, Dnssec, DomainName, NameServers, ServerReply
from checks.probes import dns as dns_probe
from checks.probes import dns_zone, gather
from checks.probes.dns_zone import climb
from checks.probes.mail import PROBES as MAIL_PROBES
from checks.target import Target
from tests.checks.dns.server import NOBODY, SERVFAIL, SILENT, Say, Table, name_server, vantage

LOOPBACK = ("127.0.0.0/8",)
SOA = Say(("ns.a.test. root.a.test. 7 1 1 1 1",), aa=True)
PROBES = (*dns_probe.PROBES, *(p for p in MAIL_PROBES if p.name == "routes"))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_probe, "_TRIES_S", (0.1, 0.1))
    monkeypatch.setattr(dns_zone, "_SERVER_S", (0.1, 0.1))


def facts_of(table: Table, monkeypatch: pytest.MonkeyPatch, domain: str = "a.test") -> Facts:
    async def run() -> Facts:
        async with name_server(table) as server:
            monkeypatch.setattr(dns_zone, "_SERVER_PORT", server.port)
            view = vantage(server, allow_networks=LOOPBACK)
            return (await gather(Target(domain), view, probes=PROBES)).facts

    return asyncio.run(run())


def servers_of(
    table: Table, monkeypatch: pytest.MonkeyPatch, domain: str = "a.test"
) -> NameServers | Missing:
    facts = facts_of(table, monkeypatch, domain)
    return facts.maybe(NameServers) or facts.missing[NameServers]


BASE: Table = {
    ("a.test", "A"): ("127.0.0.1",),
    ("a.test", "NS"): ("ns1.a.test.", "ns2.a.test."),
    ("ns1.a.test", "A"): ("127.0.0.1",),
    ("ns2.a.test", "A"): ("127.0.0.1",),
    ("a.test", "SOA"): SOA,
}


def test_the_climb_ends_at_the_top_level_domain() -> None:
    assert climb("x.a.co.test") == ("x.a.co.test", "a.co.test", "co.test", "test")
    assert len(climb(".".join("abcdefghijkl"))) == 8


def test_every_server_is_asked_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    found = servers_of(BASE, monkeypatch)
    assert isinstance(found, NameServers)
    assert (found.zone, found.count) == ("a.test", 2)
    assert {s.reply for s in found.servers} == {ServerReply("NOERROR", True, 7)}


def test_a_sub_domain_is_served_by_the_zone_above(monkeypatch: pytest.MonkeyPatch) -> None:
    found = servers_of({**BASE, ("x.a.test", "A"): ("127.0.0.1",)}, monkeypatch, "x.a.test")
    assert isinstance(found, NameServers)
    assert found.zone == "a.test"


def test_name_servers_behind_an_alias_belong_to_another_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    alias = Say(("ns.hoster.test.",), chain=("hoster.test.",))
    found = servers_of({**BASE, ("x.a.test", "NS"): alias}, monkeypatch, "x.a.test")
    assert isinstance(found, NameServers)
    assert found.zone == "a.test"


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({("ns2.a.test", "A"): ("10.0.0.1",)}, Reason.FORBIDDEN_ADDRESS),
        ({("ns2.a.test", "A"): NOBODY}, Reason.NO_SUCH_NAME),
        ({("ns2.a.test", "A"): SERVFAIL}, Reason.RESOLVER_FAILED),
        ({("ns2.a.test", "A"): ("127.0.0.2",)}, Reason.RESOLVER_FAILED),
    ],
    ids=["forbidden", "no name", "servfail", "nothing listens"],
)
def test_a_server_that_cannot_be_seen_says_why(
    change: Table, wanted: Reason, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = servers_of({**BASE, **change}, monkeypatch)
    assert isinstance(found, NameServers)
    assert [s.reply.reason for s in found.servers if isinstance(s.reply, Missing)] == [wanted]


def test_a_silent_server_is_a_time_out_and_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    found = servers_of({**BASE, ("a.test", "SOA"): SILENT}, monkeypatch)
    assert isinstance(found, NameServers)
    assert {s.reply.reason for s in found.servers if isinstance(s.reply, Missing)} == {Reason.TIMEOUT}


def test_a_lame_server_is_told_by_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    found = servers_of({**BASE, ("a.test", "SOA"): Say(rcode="REFUSED")}, monkeypatch)
    assert isinstance(found, NameServers)
    assert {s.reply for s in found.servers} == {ServerReply("REFUSED", False, None)}


def test_no_name_servers_seen_is_missing_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    assert servers_of({**BASE, ("a.test", "NS"): SERVFAIL}, monkeypatch) == Missing(
        Reason.RESOLVER_FAILED, "NS a.test: SERVFAIL"
    )


def test_caa_is_asked_at_every_label(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {**BASE, ("a.test", "CAA"): ('0 issue "letsencrypt.org"',)}
    steps = facts_of(table, monkeypatch, "x.a.test").get(CaaClimb).steps
    assert [step.name for step in steps] == ["x.a.test", "a.test", "test"]


def test_a_climb_that_is_cut_short_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands above the eighth name is not known to be absent."""
    steps = facts_of(BASE, monkeypatch, "1.2.3.4.5.6.7.8.a.test").get(CaaClimb).steps
    assert len(steps) == 9
    assert steps[-1] == Asked("a.test", "CAA", Missing(Reason.BUDGET, "8 names"))


def test_bogus_is_refused_with_checking_and_answered_without(monkeypatch: pytest.MonkeyPatch) -> None:
    table: Table = {
        **BASE,
        ("a.test", "A"): SERVFAIL,
        ("a.test", "A+cd"): ("127.0.0.1",),
        ("a.test", "TXT"): SERVFAIL,
        ("a.test", "TXT+cd"): SERVFAIL,
        ("a.test", "MX"): ("10 mx.other.test.",),
        ("mx.other.test", "A"): ("127.0.0.1",),
    }
    names = {(n.name, n.rdtype): n for n in facts_of(table, monkeypatch).get(Dnssec).names}
    assert names["a.test", "A"].broken
    assert not names["a.test", "TXT"].broken
    assert (names["mx.other.test", "A"].own, names["a.test", "A"].own) == (False, True)


def test_a_refusing_resolver_is_never_taken_for_bogus(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {**BASE, ("a.test", "TXT"): Say(rcode="REFUSED"), ("a.test", "TXT+cd"): ('"x"',)}
    assert not any(n.broken for n in facts_of(table, monkeypatch).get(Dnssec).names)


def test_the_name_is_placed_in_the_public_suffix_list(monkeypatch: pytest.MonkeyPatch) -> None:
    assert facts_of(BASE, monkeypatch, "x.a.co.jp").get(DomainName) == DomainName(
        "x.a.co.jp", "co.jp", "a.co.jp"
    )
