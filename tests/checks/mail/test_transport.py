"""TLS between mail servers: DANE, STARTTLS, MTA-STS and TLS reports, in tables."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from checks.errors import ParseError, Reason
from checks.facts import Missing
from checks.facts.dns import Lookup, ResolverHealth
from checks.facts.mail import MailRoutes, MtaSts, SmtpHost, SmtpHosts, SmtpSession
from checks.parse.mta_sts import parse_sts_policy, parse_sts_record
from checks.parse.tlsa import authority_fault, parse_tlsa
from checks.parse.tlsrpt import parse_tlsrpt
from checks.probes import gather, mail, mail_smtp
from checks.target import Limits, Target, Vantage
from tests.checks.dns.made import NOW, SLOW, Answer, found, nobody, short, verdict
from tests.checks.dns.server import Table, name_server, vantage
from tests.checks.mail.certificates import LEAF, MIDDLE, OTHER, ROOT, certificate, der, record, spki
from tests.checks.mail.test_items import MX, host, page, routes, sts
from tests.checks.mail.test_parsers import POLICY
from tests.lab.fixtures import lab
from tests.lab.lab import Lab

__all__ = ["lab"]


def session(leaf: x509.Certificate = LEAF, *behind: x509.Certificate, **more: object) -> SmtpSession:
    made = SmtpSession(
        True, "TLSv1.3", "", ("mx.a.test",), leaf.not_valid_after_utc, False, der(leaf), spki(leaf),
        tuple(der(one) for one in behind),
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


FULL = session(LEAF, MIDDLE)


def tlsa(*records: str, secure: bool = True) -> Lookup:
    return found("_25._tcp.mx.a.test", "TLSA", *records, secure=secure)


def judged(*hosts: tuple[SmtpSession | Missing, Answer], validates: bool | Missing = True) -> str:
    made = tuple(SmtpHost("mx.a.test", False, talk, answer) for talk, answer in hosts)
    health = ResolverHealth("127.0.0.1", validates)
    return short(verdict("mail.dane", SmtpHosts("a.test", made, NOW), health))


EXPIRED = certificate("leaf", "middle", ("mx.a.test",), until=NOW - timedelta(days=1))
EARLY = certificate("leaf", "middle", ("mx.a.test",), since=NOW + timedelta(days=1))
NAMELESS = certificate("leaf", "middle")
WILD = certificate("leaf", "middle", ("*.a.test",))
DEEP_WILD = certificate("leaf", "middle", ("*.test",))
DOMAIN = certificate("leaf", "middle", ("a.test",))
STRANGER = certificate("leaf", "middle", ("mx.b.test",))
NO_CA = certificate("middle", "root")
OLD_MIDDLE = certificate("middle", "root", authority=True, until=NOW - timedelta(days=1))
SPARE = record(3, 1, 1, OTHER)

DANE: list[tuple[str, SmtpSession | Missing, Answer, str]] = [
    # usage 3: this very certificate or key, whatever its name and dates
    ("3 1 1 and the next key", FULL, tlsa(record(3, 1, 1, LEAF), SPARE), "pass:matches"),
    ("3 1 2", FULL, tlsa(record(3, 1, 2, LEAF), SPARE), "pass:matches"),
    ("3 1 0", FULL, tlsa(record(3, 1, 0, LEAF), SPARE), "pass:matches"),
    ("3 0 1", FULL, tlsa(record(3, 0, 1, LEAF), SPARE), "pass:matches"),
    ("3 0 2", FULL, tlsa(record(3, 0, 2, LEAF), SPARE), "pass:matches"),
    ("3 0 0", FULL, tlsa(record(3, 0, 0, LEAF), SPARE), "pass:matches"),
    ("3 with an expired certificate", session(EXPIRED), tlsa(record(3, 1, 1, EXPIRED), SPARE), "pass:matches"),
    ("3 with another name", session(STRANGER), tlsa(record(3, 1, 1, STRANGER), SPARE), "pass:matches"),
    ("3 alone", FULL, tlsa(record(3, 1, 1, LEAF)), "warn:no_spare"),
    ("3 twice for one key", FULL, tlsa(record(3, 1, 1, LEAF), record(3, 0, 2, LEAF)), "warn:no_spare"),
    ("3 and its authority", FULL, tlsa(record(3, 1, 1, LEAF), record(2, 1, 1, MIDDLE)), "pass:matches"),
    ("3 for the intermediate", FULL, tlsa(record(3, 1, 1, MIDDLE)), "fail:mismatch"),
    ("3 for the key before", FULL, tlsa(SPARE), "fail:mismatch"),
    ("3 with a digest of the wrong part", FULL, tlsa("3 1 1" + record(3, 0, 1, LEAF)[5:]), "fail:mismatch"),
    # usage 2: an authority that the server sends, dates and name right
    ("2 1 1 of the intermediate", FULL, tlsa(record(2, 1, 1, MIDDLE)), "pass:matches"),
    ("2 0 1 of the intermediate", FULL, tlsa(record(2, 0, 1, MIDDLE)), "pass:matches"),
    ("2 0 2 of the intermediate", FULL, tlsa(record(2, 0, 2, MIDDLE)), "pass:matches"),
    ("2 1 1 of a root that is sent", session(LEAF, MIDDLE, ROOT), tlsa(record(2, 1, 1, ROOT)), "pass:matches"),
    ("2 1 1 of a root sent out of order", session(LEAF, ROOT, MIDDLE), tlsa(record(2, 1, 1, ROOT)), "pass:matches"),
    ("2 1 1 of a root that is not sent", FULL, tlsa(record(2, 1, 1, ROOT)), "fail:mismatch"),
    ("2 0 0 of a root that is not sent", FULL, tlsa(record(2, 0, 0, ROOT)), "pass:matches"),
    ("2 1 1, the intermediate not sent", session(LEAF), tlsa(record(2, 1, 1, MIDDLE)), "fail:mismatch"),
    ("2 of an authority sent beside", session(LEAF, MIDDLE, OTHER), tlsa(record(2, 1, 1, OTHER)), "fail:mismatch"),
    ("2 of the leaf itself", FULL, tlsa(record(2, 1, 1, LEAF)), "fail:mismatch"),
    ("2 over an expired leaf", session(EXPIRED, MIDDLE), tlsa(record(2, 1, 1, MIDDLE)), "fail:authority_broken"),
    ("2 over a leaf of tomorrow", session(EARLY, MIDDLE), tlsa(record(2, 1, 1, MIDDLE)), "fail:authority_broken"),
    ("2 over an expired intermediate", session(LEAF, OLD_MIDDLE), tlsa(record(2, 1, 1, OLD_MIDDLE)), "fail:authority_broken"),
    ("2 over an intermediate that may not issue", session(LEAF, NO_CA), tlsa(record(2, 1, 1, NO_CA)), "fail:authority_broken"),
    ("2 over a leaf without a name", session(NAMELESS, MIDDLE), tlsa(record(2, 1, 1, MIDDLE)), "fail:authority_broken"),
    ("2 over another name", session(STRANGER, MIDDLE), tlsa(record(2, 1, 1, MIDDLE)), "fail:authority_broken"),
    ("2 over a wildcard", session(WILD, MIDDLE), tlsa(record(2, 1, 1, MIDDLE)), "pass:matches"),
    ("2 over a wildcard two labels up", session(DEEP_WILD, MIDDLE), tlsa(record(2, 1, 1, MIDDLE)), "pass:matches"),
    ("2 over the mail domain's name", session(DOMAIN, MIDDLE), tlsa(record(2, 1, 1, MIDDLE)), "pass:matches"),
    ("2 broken, 3 right", session(EXPIRED, MIDDLE), tlsa(record(2, 1, 1, MIDDLE), record(3, 1, 1, EXPIRED)), "pass:matches"),
    ("2 where the chain cannot be seen", session(LEAF, behind=None), tlsa(record(2, 1, 1, MIDDLE)), "unknown:authority_only"),
    ("2 with rubbish in the chain", session(LEAF, behind=(b"x", der(MIDDLE))), tlsa(record(2, 1, 1, MIDDLE)), "pass:matches"),
    # records that mean nothing for mail
    ("usage 0", FULL, tlsa(record(0, 1, 1, MIDDLE)), "warn:unusable"),
    ("usage 1", FULL, tlsa(record(1, 1, 1, LEAF)), "warn:unusable"),
    ("usage 1 beside 3", FULL, tlsa(record(1, 1, 1, LEAF), record(3, 1, 1, LEAF), SPARE), "pass:matches"),
    ("usage 255", FULL, tlsa("255" + record(3, 1, 1, LEAF)[1:]), "warn:unusable"),
    ("selector 2", FULL, tlsa("3 2 1" + record(3, 1, 1, LEAF)[5:]), "warn:unusable"),
    ("matching 3", FULL, tlsa("3 1 3" + record(3, 1, 1, LEAF)[5:]), "warn:unusable"),
    ("a digest cut short", FULL, tlsa(record(3, 1, 1, LEAF)[:-2]), "warn:unusable"),
    ("none", FULL, tlsa(), "warn:absent"),
    # what was not seen, and where it does not apply
    ("no STARTTLS", SmtpSession(False), tlsa(SPARE), "fail:no_tls"),
    ("no handshake", SmtpSession(True, tls_error="no handshake"), tlsa(SPARE), "unknown:authority_only"),
    ("no connection", Missing(Reason.PORT_BLOCKED), tlsa(SPARE), "unknown:port_blocked"),
    ("no answer", FULL, SLOW, "unknown:timeout"),
    ("an unsigned zone", FULL, tlsa(SPARE, secure=False), "not_applicable:not_signed"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("talk", "answer", "wanted"), [row[1:] for row in DANE], ids=[row[0] for row in DANE]
)
def test_dane(talk: SmtpSession | Missing, answer: Answer, wanted: str) -> None:
    assert judged((talk, answer)) == wanted


GOOD_HOST = (FULL, tlsa(record(3, 1, 1, LEAF), SPARE))
HOSTS = [
    ((GOOD_HOST, GOOD_HOST), "pass:matches"),
    ((GOOD_HOST, (FULL, tlsa(SPARE))), "fail:mismatch"),
    (((FULL, SLOW), (FULL, tlsa(SPARE))), "fail:mismatch"),
    (((SLOW, tlsa(SPARE)), (FULL, tlsa(SPARE))), "fail:mismatch"),
    ((GOOD_HOST, (FULL, SLOW)), "unknown:timeout"),
    ((GOOD_HOST, (FULL, tlsa(secure=False))), "not_applicable:not_signed"),
    ((GOOD_HOST, (FULL, tlsa())), "warn:absent"),
]


@pytest.mark.parametrize(("hosts", "wanted"), HOSTS)
def test_dane_over_several_hosts(
    hosts: tuple[tuple[SmtpSession | Missing, Answer], ...], wanted: str
) -> None:
    assert judged(*hosts) == wanted


SIGNED, UNSIGNED = (found("a.test", "MX", "10 mx.a.test.", secure=secure) for secure in (True, False))


@pytest.mark.parametrize(
    ("mx", "answer", "wanted"),
    [
        (SIGNED, GOOD_HOST[1], "pass:matches"),
        (UNSIGNED, GOOD_HOST[1], "not_applicable:not_signed"),
        (UNSIGNED, tlsa(), "not_applicable:not_signed"),
        (UNSIGNED, tlsa(SPARE), "fail:mismatch"),
        (SLOW, GOOD_HOST[1], "unknown:timeout"),
        (SLOW, tlsa(SPARE), "fail:mismatch"),
    ],
)
def test_dane_wins_nothing_behind_an_unsigned_mx_but_can_lose(
    mx: Answer, answer: Answer, wanted: str
) -> None:
    hosts = SmtpHosts("a.test", (SmtpHost("mx.a.test", False, FULL, answer),), NOW)
    facts = (hosts, MailRoutes("a.test", mx), ResolverHealth("127.0.0.1", True))
    assert short(verdict("mail.dane", *facts)) == wanted


def test_dane_means_nothing_to_a_resolver_that_does_not_validate() -> None:
    assert judged(GOOD_HOST, validates=False) == "unknown:not_validating"
    assert judged(GOOD_HOST, validates=SLOW) == "unknown:timeout"


@given(st.binary(max_size=200), st.lists(st.binary(max_size=200), max_size=4), st.binary(max_size=80))
def test_any_bytes_in_place_of_certificates_are_no_match(
    leaf: bytes, behind: list[bytes], data: bytes
) -> None:
    for start in ("2 0 0 ", "2 1 1 "):
        try:
            made = parse_tlsa(start + data.hex())
        except ParseError:
            continue
        assert authority_fault(made, leaf, behind, ("mx.a.test",), NOW) is None
        assert authority_fault(made, der(LEAF), behind, ("mx.a.test",), NOW) is None


@pytest.mark.lab
def test_the_lab_shows_the_chain_behind_its_mail_host(lab: Lab) -> None:  # noqa: F811
    def look(trust_pem: str) -> SmtpSession:
        view = Vantage(resolver=lab.resolver, trust_pem=trust_pem, allow_networks=lab.networks)
        probes = tuple(p for p in mail.PROBES if p.name in ("routes", "smtp"))
        facts = asyncio.run(gather(Target(lab.good), view, Limits(), probes=probes)).facts
        talk = facts.get(SmtpHosts).hosts[0].session
        assert isinstance(talk, SmtpSession)
        return talk

    talk = look(lab.ca_file.read_text())
    assert talk.behind is not None and len(talk.behind) == 1 and talk.trust == ""
    middle = x509.load_der_x509_certificate(talk.behind[0])
    made = parse_tlsa(record(2, 1, 1, middle))
    assert authority_fault(made, talk.certificate, talk.behind, talk.names, talk.ends or NOW) == ""
    assert look("").trust == "unknown_authority"


# STARTTLS

STARTTLS = [
    (FULL, "pass:offered"),
    (replace(FULL, trust="unknown_authority"), "warn:untrusted"),
    (replace(FULL, trust="incomplete"), "warn:untrusted"),
    (replace(FULL, names=("*.a.test",)), "pass:offered"),
    (replace(FULL, names=("*.mx.a.test",)), "warn:untrusted"),
    (replace(FULL, names=()), "warn:untrusted"),
    (replace(FULL, tls_version="TLSv1"), "warn:old_version"),
    (SmtpSession(True, tls_error="STARTTLS 554"), "warn:broken"),
    (Missing(Reason.WITHHELD, "STARTTLS 454"), "unknown:withheld"),
    (Missing(Reason.NO_SUCH_NAME), "unknown:no_such_name"),
    (Missing(Reason.FORBIDDEN_ADDRESS), "unknown:forbidden_address"),
]


@pytest.mark.parametrize(("talk", "wanted"), STARTTLS)
def test_starttls(talk: SmtpSession | Missing, wanted: str) -> None:
    fact = SmtpHosts("a.test", (SmtpHost("mx.a.test", False, talk, SLOW),), NOW)
    assert short(verdict("mail.starttls", fact)) == wanted


def test_a_host_that_was_not_seen_is_said_beside_the_pass() -> None:
    hosts = (SmtpHost("mx.a.test", False, FULL, SLOW), SmtpHost("mx2.a.test", False, SLOW, SLOW))
    made = verdict("mail.starttls", SmtpHosts("a.test", hosts, NOW))
    assert short(made) == "pass:offered"
    assert [e.text for e in made.evidence if e.label == "mx2.a.test port 25"] == ["not seen: timeout"]


TALKS: list[tuple[str, tuple[bytes, ...], SmtpSession | Reason]] = [
    ("greylisted", (b"450 4.7.1 try again later",), Reason.WITHHELD),
    ("postscreen", (b"220-wait\r\n450 4.3.2 Service currently unavailable",), Reason.WITHHELD),
    ("too many connections", (b"421 4.7.0 too many",), Reason.WITHHELD),
    ("EHLO later", (b"220 hi", b"421 4.3.2 shutting down"), Reason.WITHHELD),
    ("EHLO refused", (b"220 hi", b"550 5.7.1 not you"), Reason.WITHHELD),
    ("EHLO unknown", (b"220 hi", b"502 5.5.1 not implemented"), SmtpSession(False)),
    ("EHLO not recognised", (b"220 hi", b"500 what?"), SmtpSession(False)),
    ("not offered", (b"220 hi", b"250-mx\r\n250 SIZE"), SmtpSession(False)),
    ("named like it", (b"220 hi", b"250 STARTTLS"), SmtpSession(False)),
    ("a longer word", (b"220 hi", b"250-mx\r\n250 STARTTLSX"), SmtpSession(False)),
    ("hangs up after EHLO", (b"220 hi", b""), Reason.MALFORMED),
    ("not now", (b"220 hi", b"250-mx\r\n250 STARTTLS", b"454 4.7.0 not now"), Reason.WITHHELD),
    ("never", (b"220 hi", b"250-mx\r\n250 starttls", b"554 no"), SmtpSession(True, tls_error="STARTTLS 554")),
]  # fmt: skip


def heard(replies: tuple[bytes, ...], monkeypatch: pytest.MonkeyPatch) -> SmtpSession | Missing:
    """What the probe makes of a host that says these in turn, and then hangs up."""
    monkeypatch.setattr(mail_smtp, "_REPLY_S", 5.0)
    table: Table = {("a.test", "MX"): ("10 mx.a.test.",), ("mx.a.test", "A"): ("127.0.0.1",)}

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in replies:
            writer.write(reply + b"\r\n" if reply else b"")
            if not reply or not await reader.readline():
                break
        writer.close()

    async def run() -> SmtpHosts:
        listener = await asyncio.start_server(talk, "127.0.0.1", 0)
        async with name_server(table) as server, listener:
            monkeypatch.setattr(mail_smtp, "_PORT", listener.sockets[0].getsockname()[1])
            view = vantage(server, allow_networks=("127.0.0.0/8",))
            probes = tuple(p for p in mail.PROBES if p.name in ("routes", "smtp"))
            return (await gather(Target("a.test"), view, probes=probes)).facts.get(SmtpHosts)

    return asyncio.run(run()).hosts[0].session


@pytest.mark.parametrize(("replies", "wanted"), [row[1:] for row in TALKS], ids=[row[0] for row in TALKS])
def test_what_a_mail_host_says(
    replies: tuple[bytes, ...], wanted: SmtpSession | Reason, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = heard(replies, monkeypatch)
    assert (seen.reason if isinstance(seen, Missing) else seen) == wanted


# MTA-STS and TLS reports


def reports(*records: str) -> Lookup:
    return found("_smtp._tls.a.test", "TXT", *records)


REPORTS = [
    (("v=TLSRPTv1; rua=mailto:a@a.test",), "pass:enforced"),
    (("v=TLSRPTv1;rua=https://r.example/v1",), "pass:enforced"),
    (("v=TLSRPTv1; rua=mailto:a@a.test, https://r.example/v1;",), "pass:enforced"),
    (("v=TLSRPTv1; rua=ftp://r.example, mailto:a@a.test",), "pass:enforced"),
    (("v=spf1 -all", "v=TLSRPTv1; rua=mailto:a@a.test"), "pass:enforced"),
    ((), "warn:no_tls_reports"),
    (("v=spf1 -all",), "warn:no_tls_reports"),
    (("v=TLSRPTv10; rua=mailto:a@a.test",), "warn:no_tls_reports"),
    (("v=TLSRPTv1",), "warn:bad_tls_reports"),
    (("v=TLSRPTv1; rua=",), "warn:bad_tls_reports"),
    (("v=TLSRPTv1; rua=a@a.test",), "warn:bad_tls_reports"),
    (("v=TLSRPTv1; rua=mailto:a@a.test", "v=TLSRPTv1; rua=mailto:b@a.test"), "warn:bad_tls_reports"),
]


@pytest.mark.parametrize(("records", "wanted"), REPORTS)
def test_tls_reports(records: tuple[str, ...], wanted: str) -> None:
    fact = sts(page(), reports=reports(*records))
    assert short(verdict("mail.mta_sts", fact, routes(MX))) == wanted


@given(st.text(max_size=60))
def test_any_text_is_a_report_record_or_an_error(text: str) -> None:
    for tried in (text, f"v=TLSRPTv1; rua={text}"):
        try:
            assert parse_tlsrpt(tried)
        except ParseError:
            continue


STS = [
    # the record
    ("v=STSv1; id=20260101T000000;", "pass:enforced"),
    ("v=STSv1;id=1", "pass:enforced"),
    ("v=STSv1; id=1; x=y", "pass:enforced"),
    ("v=STSv1; id=" + "1" * 33, "fail:bad_record"),
    ("v=STSv1; id=1; id=2", "fail:bad_record"),
    ("v=STSv1 id=1", "warn:absent"),
    ("v=STSv10; id=1", "warn:absent"),
    ("V=stsv1; id=1", "warn:absent"),
    (" v=STSv1; id=1", "warn:absent"),
]


@pytest.mark.parametrize(("text", "wanted"), STS)
def test_the_sts_record(text: str, wanted: str) -> None:
    fact = MtaSts(
        "a.test", found("_mta-sts.a.test", "TXT", text), page(), reports("v=TLSRPTv1; rua=mailto:a@a.test")
    )
    assert short(verdict("mail.mta_sts", fact, routes(MX))) == wanted


POLICIES = [
    # (policy, its media type, the mail host, verdict)
    (POLICY, "text/plain", "mx.a.test", "pass:enforced"),
    (POLICY.replace("\r\n", "\n"), "text/plain;charset=us-ascii", "mx.a.test", "pass:enforced"),
    (POLICY.rstrip(), "TEXT/PLAIN", "mx.a.test", "pass:enforced"),
    (POLICY + "future: value\r\n", "text/plain", "mx.a.test", "pass:enforced"),
    (POLICY.replace(": ", ":"), "text/plain", "mx.a.test", "pass:enforced"),
    (POLICY.replace("604800", "31557600"), "text/plain", "mx.a.test", "pass:enforced"),
    (POLICY.replace("604800", "31557601"), "text/plain", "mx.a.test", "fail:bad_policy"),
    (POLICY.replace("604800", "86399"), "text/plain", "mx.a.test", "warn:short_life"),
    (POLICY.replace("604800", "0"), "text/plain", "mx.a.test", "warn:short_life"),
    (POLICY, "text/html", "mx.a.test", "fail:no_policy"),
    (POLICY, "application/octet-stream", "mx.a.test", "fail:no_policy"),
    (POLICY, "text/plain", "one.b.test", "pass:enforced"),
    (POLICY, "text/plain", "b.test", "fail:not_covered"),
    (POLICY, "text/plain", "two.one.b.test", "fail:not_covered"),
    (POLICY, "text/plain", "xmx.a.test", "fail:not_covered"),
    (POLICY.replace("mx.a.test", "MX.A.Test."), "text/plain", "mx.a.test", "pass:enforced"),
    (POLICY.replace("*.b.test", "*"), "text/plain", "mx.a.test", "fail:bad_policy"),
    (POLICY.replace("*.b.test", "m*.b.test"), "text/plain", "mx.a.test", "fail:bad_policy"),
    ("mode: enforce\n" + POLICY.replace("mode: enforce\r\n", "mode: testing\r\n"), "text/plain", "mx.a.test", "pass:enforced"),
    ("version: STSv1\nmode: none\nmax_age: 86400", "text/plain", "mx.a.test", "warn:testing"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "media", "mx", "wanted"), POLICIES)
def test_the_sts_policy(text: str, media: str, mx: str, wanted: str) -> None:
    assert short(verdict("mail.mta_sts", sts(page(text, media=media)), routes(host(mx)))) == wanted


def test_a_policy_that_could_not_be_fetched_is_not_missing() -> None:
    for gap in (SLOW, Missing(Reason.REFUSED), Missing(Reason.FORBIDDEN_ADDRESS), Missing(Reason.TOO_LARGE)):
        assert short(verdict("mail.mta_sts", sts(gap), routes(MX))).startswith("unknown:")
    gone = nobody("_mta-sts.a.test", "TXT")
    assert short(verdict("mail.mta_sts", sts(None, gone), routes(MX))) == "warn:absent"


@given(st.text(max_size=120))
def test_any_text_is_a_policy_or_an_error(text: str) -> None:
    for tried in (text, POLICY + text, f"v=STSv1; id={text}"):
        for parse in (parse_sts_policy, parse_sts_record):
            try:
                parse(tried)
            except ParseError:
                continue
