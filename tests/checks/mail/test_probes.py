"""The mail probes against a local name server and real listeners."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiosmtpd.smtp import SMTP

from checks.errors import Reason
from checks.facts import Facts, Missing
from checks.facts.mail import (
    DkimAnswers,
    DmarcAnswers,
    MailRoutes,
    MtaSts,
    Origin,
    SmtpHosts,
    SmtpSession,
    SpfAnswers,
)
from checks.probes import dns as dns_probe
from checks.probes import gather, mail, mail_smtp
from checks.probes.mail_dkim import PROBES as DKIM_PROBES
from checks.probes.mail_smtp import PROBES as SMTP_PROBES
from checks.target import Limits, Target
from tests.checks.dns.server import SERVFAIL, SILENT, NameServer, Table, name_server, vantage

DNS_ONLY = tuple(p for p in mail.PROBES if p not in SMTP_PROBES and p.name != "mta_sts")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_probe, "_TRIES_S", (0.1, 0.1))


def look(table: Table, limits: Limits | None = None, **target: object) -> tuple[Facts, NameServer]:
    async def run() -> tuple[Facts, NameServer]:
        async with name_server(table) as server:
            view = vantage(server)
            found = await gather(Target("a.test", **target), view, limits, probes=DNS_ONLY)  # type: ignore[arg-type]
            return found.facts, server

    return asyncio.run(run())


def test_routes_are_in_order_of_preference_and_four_at_most() -> None:
    records = tuple(f"{n}0 mx{n}.a.test." for n in range(1, 7))
    table: Table = {("a.test", "MX"): records, ("mx1.a.test", "A"): ("192.0.2.1",)}
    routes = look(table)[0].get(MailRoutes)
    assert [host.name for host in routes.hosts] == [f"mx{n}.a.test" for n in range(1, 5)]
    assert routes.hosts[0].v6 is None
    assert routes.hosts[1].v6 is not None


def test_without_an_mx_the_address_of_the_domain_is_asked() -> None:
    routes = look({("a.test", "A"): ("192.0.2.1",)})[0].get(MailRoutes)
    assert routes.fallback is not None
    assert not isinstance(routes.fallback, Missing)
    assert routes.fallback.records == ("192.0.2.1",)


def test_the_mail_domain_is_the_one_that_the_admin_names() -> None:
    facts, _ = look({("m.test", "TXT"): ('"v=spf1 -all"',)}, mail_from="m.test")
    assert facts.get(SpfAnswers).domain == facts.get(DmarcAnswers).domain == "m.test"


def test_the_spf_tree_is_asked_level_by_level_and_each_name_once() -> None:
    table: Table = {
        ("a.test", "TXT"): ('"v=spf1 include:b.test include:c.test -all"',),
        ("b.test", "TXT"): ('"v=spf1 include:d.test -all"',),
        ("c.test", "TXT"): ('"v=spf1 include:d.test a:h.test -all"',),
        ("d.test", "TXT"): ('"v=spf1 ip4:192.0.2.1 -all"',),
        ("h.test", "A"): ("192.0.2.2",),
    }
    facts, server = look(table)
    asked = {(a.name, a.rdtype) for a in facts.get(SpfAnswers).asked}
    assert asked == {(n, "TXT") for n in ("a.test", "b.test", "c.test", "d.test")} | {("h.test", "A")}
    assert server.asked["d.test", "TXT"] == 1


def test_a_failed_include_is_kept_as_missing() -> None:
    table: Table = {("a.test", "TXT"): ('"v=spf1 include:b.test -all"',), ("b.test", "TXT"): SERVFAIL}
    answers = {a.name: a.answer for a in look(table)[0].get(SpfAnswers).asked}
    assert isinstance(answers["b.test"], Missing)


def test_a_hostile_tree_costs_no_more_than_its_share() -> None:
    table: dict[tuple[str, str], tuple[str, ...]] = {}
    for n in range(200):
        names = " ".join(f"include:n{m}.test" for m in range(6 * n + 1, 6 * n + 7))
        table[f"n{n}.test" if n else "a.test", "TXT"] = (f'"v=spf1 {names} -all"',)
    _, server = look(table)
    assert sum(count for (name, _), count in server.asked.items() if name.startswith("n")) <= 32


def test_report_addresses_elsewhere_are_asked_for_their_consent() -> None:
    rua = "rua=mailto:x@a.test,mailto:y@s.a.test,mailto:z@r.example"
    facts, _ = look({("_dmarc.a.test", "TXT"): (f'"v=DMARC1; p=reject; {rua}"',)})
    assert [a.name for a in facts.get(DmarcAnswers).reports] == ["a.test._report._dmarc.r.example"]


def test_named_selectors_are_asked_and_no_others() -> None:
    facts, server = look({("s._domainkey.a.test", "TXT"): ('"v=DKIM1; p="',)}, dkim_selectors=("s", "t"))
    found = facts.get(DkimAnswers)
    assert [(k.selector, k.origin) for k in found.keys] == [("s", Origin.NAMED), ("t", Origin.NAMED)]
    assert sum("_domainkey" in name for name, _ in server.asked) == 3  # and the one that cannot exist


def test_the_selectors_of_a_recognised_provider_come_first() -> None:
    facts, _ = look({("a.test", "MX"): ("10 mxa.mailgun.org.",)})
    origins = [k.origin for k in facts.get(DkimAnswers).keys]
    assert origins[0] is Origin.PROVIDER
    assert Origin.GUESSED in origins
    assert len(origins) <= 20


def test_guesses_end_where_the_budget_of_others_begins() -> None:
    facts, _ = look({}, replace(Limits(), budget={"dns": 16}))
    assert facts.get(DkimAnswers).keys == ()


def test_the_whole_of_mail_stays_within_its_questions() -> None:
    _, server = look({("a.test", "TXT"): ('"v=spf1 mx a -all"',), ("a.test", "MX"): ("10 mx.a.test.",)})
    assert sum(server.asked.values()) <= 40


def test_a_dead_resolver_makes_everything_unknown_and_nothing_absent() -> None:
    async def run() -> Facts:
        async with name_server({}, SILENT) as server:
            return (await gather(Target("a.test"), vantage(server), probes=DNS_ONLY)).facts

    facts = asyncio.run(run())
    assert isinstance(facts.get(MailRoutes).mx, Missing)
    assert all(isinstance(a.answer, Missing) for a in facts.get(SpfAnswers).asked)
    assert isinstance(facts.get(DkimAnswers).wildcard, Missing)


def test_no_policy_is_fetched_where_no_record_asks_for_one() -> None:
    async def run() -> MtaSts:
        async with name_server({("_mta-sts.a.test", "TXT"): ('"v=spf1 -all"',)}) as server:
            probes = tuple(p for p in mail.PROBES if p.name == "mta_sts")
            return (await gather(Target("a.test"), vantage(server), probes=probes)).facts.get(MtaSts)

    assert asyncio.run(run()).policy is None


# Port 25


@asynccontextmanager
async def listener(script: bytes | None) -> AsyncIterator[int]:
    """A server that greets with `script`, then echoes nothing; None: a real SMTP server without STARTTLS."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if script:
            writer.write(script)
        await reader.read(100)
        writer.close()

    if script is None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: SMTP(object(), hostname="mx.a.test", loop=loop), "127.0.0.1", 0
        )
    else:
        server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def session_with(script: bytes | None, monkeypatch: pytest.MonkeyPatch) -> SmtpSession | Missing:
    monkeypatch.setattr(mail_smtp, "_REPLY_S", 0.2)
    table: Table = {("a.test", "MX"): ("10 mx.a.test.",), ("mx.a.test", "A"): ("127.0.0.1",)}
    probes = tuple(p for p in mail.PROBES if p.name in ("routes", "smtp"))

    async def run() -> SmtpHosts:
        async with name_server(table) as server, listener(script) as port:
            monkeypatch.setattr(mail_smtp, "_PORT", port)
            view = vantage(server, allow_networks=("127.0.0.0/8",))
            return (await gather(Target("a.test"), view, probes=probes)).facts.get(SmtpHosts)

    return asyncio.run(run()).hosts[0].session


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (b"421 too busy\r\n", Reason.WITHHELD),
        (b"554 no\r\n", Reason.WITHHELD),
        (b"SSH-2.0-OpenSSH_9.9\r\n", Reason.MALFORMED),
        (b"220-more\r\n" * 200, Reason.TOO_LARGE),
        (b"2" * 40000, Reason.TOO_LARGE),
        (b"\xff" * 40000, Reason.TOO_LARGE),
        (b"", Reason.TIMEOUT),
        (b"220 hello\r\n", Reason.MALFORMED),
    ],
    ids=["busy", "refused", "ssh", "endless lines", "no line", "bytes", "silent", "hangs up"],
)
def test_a_host_that_does_not_talk_smtp_is_unknown(
    script: bytes, reason: Reason, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = session_with(script, monkeypatch)
    assert isinstance(found, Missing)
    assert found.reason is reason


def test_a_host_that_does_not_offer_starttls_is_seen_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    assert session_with(None, monkeypatch) == SmtpSession(False)


def test_a_hosted_mail_host_is_not_visited() -> None:
    table: Table = {("a.test", "MX"): ("10 aspmx.l.google.com.",)}
    probes = tuple(p for p in mail.PROBES if p.name in ("routes", "smtp"))

    async def run() -> tuple[SmtpHosts, dict[str, int]]:
        async with name_server(table) as server:
            found = await gather(Target("a.test"), vantage(server), probes=probes)
            return found.facts.get(SmtpHosts), found.connections

    hosts, used = asyncio.run(run())
    assert hosts.hosts[0].hosted
    assert "smtp" not in used


def test_the_probes_of_dkim_and_smtp_are_among_those_of_mail() -> None:
    assert {p.name for p in (*DKIM_PROBES, *SMTP_PROBES)} < {p.name for p in mail.PROBES}
