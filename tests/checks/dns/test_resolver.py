"""The resolver against a real local name server that answers, lies, stays silent and cuts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

import dns.exception
import dns.message
import dns.rrset
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.errors import (
    BudgetSpent,
    ForbiddenAddress,
    Malformed,
    NoSuchName,
    ProbeError,
    Reason,
    ResolverFailed,
    TimedOut,
    TooLarge,
)
from checks.facts import Missing
from checks.facts.dns import Addresses, Lookup, Outcome, ResolverHealth
from checks.probes import dns as dns_probe
from checks.probes import dns_wire, gather
from checks.target import Limits, Target
from tests.checks.dns.server import (
    NOBODY,
    SERVFAIL,
    SILENT,
    NameServer,
    Say,
    Table,
    name_server,
    resolver,
    vantage,
)

T = TypeVar("T")
PUBLIC = ("93.184.215.14",)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_probe, "_TRIES_S", (0.1, 0.1))


def ask(table: Table, use: Callable[[dns_probe.Resolver], Awaitable[T]], **options: object) -> T:
    async def run() -> T:
        async with name_server(table) as server:
            return await use(resolver(server, **options))  # type: ignore[arg-type]

    return asyncio.run(run())


def test_a_record_is_found_with_its_ttl_and_the_ad_bit() -> None:
    found = ask({("a.test", "A"): Say(PUBLIC, ad=True)}, lambda r: r.query("A.test", "A"))
    assert found == Lookup("a.test", "A", Outcome.FOUND, PUBLIC, True, (), 300)


def test_strings_of_a_txt_record_are_joined_and_bytes_kept() -> None:
    table = {("a.test", "TXT"): ('"v=spf1 " "-all"', '"caf\\233"', '"a\\000b"')}
    found = ask(table, lambda r: r.query("a.test", "TXT"))
    assert found.records == ("a\ufffdb", "caf\xe9", "v=spf1 -all")


def test_names_in_records_lose_case_and_final_dot() -> None:
    found = ask({("a.test", "MX"): ("10 MX.Example.TEST.", "0 .")}, lambda r: r.query("a.test", "MX"))
    assert found.records == ("0 .", "10 mx.example.test")


def test_an_alias_is_followed() -> None:
    table = {("a.test", "A"): Say(PUBLIC, chain=("b.test.", "c.test."))}
    found = ask(table, lambda r: r.query("a.test", "A"))
    assert (found.aliases, found.records, found.ttl_s) == (("b.test", "c.test"), PUBLIC, 60)


@pytest.mark.parametrize(
    ("say", "outcome"),
    [
        (Say(), Outcome.NO_DATA),
        (Say(soa=False), Outcome.NO_DATA),
        (NOBODY, Outcome.NO_NAME),
        (Say(rcode="NXDOMAIN", chain=("gone.test.",)), Outcome.NO_NAME),
        (Say(chain=("b.test.",)), Outcome.NO_DATA),
    ],
    ids=["empty", "empty without soa", "no name", "alias to no name", "alias and the soa that denies"],
)
def test_absence_is_a_positive_answer(say: Say, outcome: Outcome) -> None:
    found = ask({("a.test", "TXT"): say}, lambda r: r.query("a.test", "TXT"))
    assert (found.outcome, found.records) == (outcome, ())


@pytest.mark.parametrize(
    ("say", "error", "detail"),
    [
        (SERVFAIL, ResolverFailed, "SERVFAIL"),
        (Say(rcode="SERVFAIL", ede=6), ResolverFailed, "EDE 6"),
        (Say(rcode="REFUSED"), ResolverFailed, "REFUSED"),
        (Say(rcode="NOTIMP"), ResolverFailed, "NOTIMP"),
        (Say(referral=True), ResolverFailed, "referral"),
        (SILENT, TimedOut, "TXT a.test"),
        (Say(garbage=b"\x00"), Malformed, "TXT a.test"),
        (Say(garbage=b"\xff" * 600), Malformed, "TXT a.test"),
        (Say(chain=("b.test.",), soa=False), Malformed, "alias"),
        (Say(chain=("b.test.", "a.test.")), Malformed, "alias chain"),
        (Say(chain=tuple(f"n{n}.test." for n in range(17))), Malformed, "alias chain"),
        (Say(cut_udp=True, cut_tcp=True), Malformed, "cut"),
        (Say(tuple(f'"{n}"' for n in range(101)), cut_udp=True), TooLarge, "101"),
    ],
)
def test_what_says_nothing_is_an_error_and_never_absence(
    say: Say, error: type[ProbeError], detail: str
) -> None:
    with pytest.raises(error, match=detail):
        ask({("a.test", "TXT"): say}, lambda r: r.query("a.test", "TXT"))


def test_a_cut_answer_is_fetched_over_tcp() -> None:
    big = tuple(f'"{n:0200}"' for n in range(60))
    found = ask({("a.test", "TXT"): Say(big, cut_udp=True)}, lambda r: r.query("a.test", "TXT"))
    assert len(found.records) == 60


def test_a_lost_question_is_asked_once_more() -> None:
    found = ask({("a.test", "A"): Say(PUBLIC, silent=1)}, lambda r: r.query("a.test", "A"))
    assert found.records == PUBLIC


def test_nothing_listening_is_the_resolvers_failure() -> None:
    async def run() -> None:
        async with name_server({}) as server:
            pass
        await resolver(server).query("a.test", "A")

    with pytest.raises(ResolverFailed):
        asyncio.run(run())


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".test", "a." * 130 + "test", "\\999.test"])
def test_a_name_that_cannot_be_asked_is_malformed(name: str) -> None:
    with pytest.raises(Malformed):
        ask({}, lambda r: r.query(name, "A"))


def test_equal_questions_are_asked_once_even_at_the_same_time() -> None:
    async def run() -> NameServer:
        async with name_server(
            {("a.test", "A"): Say(PUBLIC, delay_s=0.02), ("b.test", "A"): SERVFAIL}
        ) as server:
            r = resolver(server)
            await asyncio.gather(*(r.query(n, "A") for n in ("a.test", "A.TEST", "a.test.")))
            await asyncio.gather(*(r.ask("b.test", "A") for _ in range(3)))
            await r.query("a.test", "A")
            return server

    assert dict(asyncio.run(run()).asked) == {("a.test", "A"): 1, ("b.test", "A"): 1}


def test_a_cancelled_asker_does_not_take_the_answer_from_the_others() -> None:
    async def run() -> Lookup:
        async with name_server({("a.test", "A"): Say(PUBLIC, delay_s=0.05)}) as server:
            r = resolver(server)
            first = asyncio.ensure_future(r.query("a.test", "A"))
            second = asyncio.ensure_future(r.query("a.test", "A"))
            await asyncio.sleep(0.01)
            first.cancel()
            return await second

    assert asyncio.run(run()).records == PUBLIC


def test_questions_are_counted_and_end_with_the_budget() -> None:
    async def run() -> None:
        async with name_server({}) as server:
            limits = replace(Limits(), budget={"dns": 3})
            r = resolver(server, limits)
            for n in range(3):
                await r.query(f"n{n}.test", "A")
            with pytest.raises(BudgetSpent):
                await r.query("n3.test", "A")
            assert sum(server.asked.values()) == 3

    asyncio.run(run())


def test_a_silent_resolver_is_left_alone_after_three_time_outs() -> None:
    async def run() -> None:
        async with name_server({}, SILENT) as server:
            r = resolver(server)
            for n in range(6):
                with pytest.raises(TimedOut):
                    await r.query(f"n{n}.test", "A")
            assert sum(server.asked.values()) == 6  # three questions, each tried twice

    asyncio.run(run())


def test_the_time_for_the_dns_is_bounded() -> None:
    async def run() -> None:
        async with name_server({}, Say(rcode="NXDOMAIN", delay_s=0.06)) as server:
            r = resolver(server, replace(Limits(), dns_s=0.1))
            await r.query("n1.test", "A")
            with pytest.raises((BudgetSpent, TimedOut)):
                await r.query("n2.test", "A")
            with pytest.raises(BudgetSpent):
                await r.query("n3.test", "A")

    asyncio.run(run())


ADDRESSES = [
    ({("a.test", "A"): PUBLIC}, PUBLIC),
    ({("a.test", "A"): PUBLIC, ("a.test", "AAAA"): ("2606:4700::1",)}, (*PUBLIC, "2606:4700::1")),
    ({("a.test", "A"): PUBLIC, ("a.test", "AAAA"): SERVFAIL}, PUBLIC),
    ({("a.test", "A"): ("10.0.0.1",)}, ForbiddenAddress),
    ({("a.test", "A"): (*PUBLIC, "127.0.0.1")}, ForbiddenAddress),
    ({("a.test", "A"): PUBLIC, ("a.test", "AAAA"): ("64:ff9b::7f00:1",)}, ForbiddenAddress),
    ({}, NoSuchName),
    ({("a.test", "TXT"): ('"x"',)}, NoSuchName),
    ({("a.test", "A"): SERVFAIL}, ProbeError),
]


@pytest.mark.parametrize(("table", "wanted"), ADDRESSES)
def test_addresses_are_vetted_all_or_none(table: Table, wanted: tuple[str, ...] | type[ProbeError]) -> None:
    if isinstance(wanted, tuple):
        assert ask(table, lambda r: r.addresses_of("a.test")) == wanted
        return
    with pytest.raises(wanted):
        ask(table, lambda r: r.addresses_of("a.test"))


def test_an_address_literal_stands_for_itself_and_is_vetted() -> None:
    assert ask({}, lambda r: r.addresses_of("[2606:4700::1]")) == ("2606:4700::1",)
    with pytest.raises(ForbiddenAddress):
        ask({}, lambda r: r.addresses_of("169.254.169.254"))


def facts_of(table: Table, domain: str = "a.test") -> tuple[Addresses | Missing, ResolverHealth]:
    async def run() -> tuple[Addresses | Missing, ResolverHealth]:
        async with name_server(table) as server:
            found = await gather(
                Target(domain), vantage(server, bogus_name="bogus.test"), probes=dns_probe.PROBES
            )
            return found.facts.maybe(Addresses) or found.facts.missing[Addresses], found.facts.get(
                ResolverHealth
            )

    return asyncio.run(run())


def test_the_addresses_fact_names_aliases_and_families() -> None:
    addresses, _ = facts_of({("a.test", "A"): Say(PUBLIC, chain=("cdn.test.",))})
    assert isinstance(addresses, Addresses)
    assert (addresses.v4, addresses.v6, addresses.aliases) == (PUBLIC, (), ("cdn.test",))


def test_a_name_that_is_not_there_is_missing_with_that_reason() -> None:
    assert facts_of({})[0] == Missing(Reason.NO_SUCH_NAME, "a.test")


ROOT = Say(("a.root-servers.net. nstld.verisign-grs.com. 1 1800 900 604800 86400",), ad=True)
GOOD: Table = {(".", "SOA"): ROOT, ("bogus.test", "A"): SERVFAIL, ("bogus.test", "A+cd"): PUBLIC}


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({}, True),
        ({(".", "SOA"): replace(ROOT, ad=False)}, False),
        ({("bogus.test", "A"): PUBLIC}, False),
        ({(".", "SOA"): SERVFAIL}, Reason.RESOLVER_FAILED),
        ({("bogus.test", "A+cd"): SERVFAIL}, Reason.RESOLVER_FAILED),
        ({("bogus.test", "A"): NOBODY, ("bogus.test", "A+cd"): NOBODY}, Reason.NO_SUCH_NAME),
        ({(".", "SOA"): SILENT}, Reason.TIMEOUT),
        ({("bogus.test", "A"): SILENT}, Reason.TIMEOUT),
    ],
)
def test_the_self_test_trusts_only_a_resolver_that_vouches_and_refuses(
    change: Table, wanted: bool | Reason
) -> None:
    _, health = facts_of({**GOOD, **change})
    verdict = health.validates.reason if isinstance(health.validates, Missing) else health.validates
    assert verdict == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("127.0.0.53", ("127.0.0.53", 53)),
        ("127.0.0.53:5353", ("127.0.0.53", 5353)),
        ("::1", ("::1", 53)),
        ("[::1]:54", ("::1", 54)),
    ],
)
def test_a_resolver_is_written_as_address_and_port(text: str, wanted: tuple[str, int]) -> None:
    assert dns_probe.parse_server(text) == dns_wire.Server(*wanted)


@pytest.mark.parametrize("text", ["ns.example", "1.2.3.4:0", "1.2.3.4:x", "1.2.3.4:70000"])
def test_a_resolver_by_name_or_with_a_bad_port_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        dns_probe.parse_server(text)


def wires() -> list[bytes]:
    """Good answers of many types, to be broken."""
    made = []
    for rdtype, text in (
        ("TXT", '"v=spf1 -all" "more"'), ("MX", "10 mx.test."), ("CAA", '0 issue "letsencrypt.org"'),
        ("TLSA", "3 1 1 " + "ab" * 32), ("NS", "ns.test."), ("AAAA", "2001:db8::1"), ("DS", "1 13 2 " + "ab" * 32),
        ("SOA", "ns.test. root.test. 1 2 3 4 5"),
        ("RRSIG", "A 13 2 300 20261219105928 20261121095928 1 a.test. " + "QUJD" * 16),
    ):  # fmt: skip
        query = dns.message.make_query("a.test.", rdtype, want_dnssec=True)
        response = dns.message.make_response(query)
        response.answer.append(dns.rrset.from_text("a.test.", 60, "IN", "CNAME", "b.test."))
        response.answer.append(dns.rrset.from_text("b.test.", 60, "IN", rdtype, text))
        made.append(response.to_wire())
    return made


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_damaged_answer_raises_probe_errors_only(data: st.DataObject) -> None:
    wire = bytearray(data.draw(st.sampled_from(wires())))
    for _ in range(data.draw(st.integers(1, 6))):
        wire[data.draw(st.integers(2, len(wire) - 1))] = data.draw(st.integers(0, 255))
    name = dns_wire.parse_name("a.test")
    for rdtype in ("TXT", "MX", "A", "CNAME"):
        try:
            answer = dns.message.from_wire(bytes(wire))
        except (dns.exception.DNSException, ValueError):
            continue  # what `exchange` turns into Malformed
        try:
            dns_wire.read_answer(name, rdtype, answer)
        except ProbeError:
            continue
