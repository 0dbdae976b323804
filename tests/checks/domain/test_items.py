"""The items of the domain, judged from hand-made facts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from checks.data.dns import authority_of, lent_names
from checks.errors import Reason
from checks.facts import Fact, Missing
from checks.facts.dns import (
    Asked,
    CaaClimb,
    Dnssec,
    DomainName,
    Lookup,
    NameServer,
    NameServers,
    ResolverHealth,
    ServerReply,
    SignedName,
)
from checks.facts.tls import KeyKind, ServedCertificates, TrustProblem, WebCertificate, WebCertificates
from tests.checks.dns.made import (
    NOW,
    SERVFAIL,
    SLOW,
    VALIDATING,
    Answer,
    asked,
    found,
    nobody,
    short,
    signed,
    verdict,
)


@pytest.mark.parametrize(
    ("name", "suffix", "registrable", "wanted"),
    [
        ("social.example.jp", "jp", "example.jp", "pass:own"),
        ("me.masto.host", "host", "masto.host", "pass:own"),
        ("notduckdns.org", "org", "notduckdns.org", "pass:own"),
        ("me.duckdns.org", "org", "duckdns.org", "warn:dynamic"),
        ("a.b.no-ip.org", "org", "no-ip.org", "warn:dynamic"),
        ("blue-cat.trycloudflare.com", "com", "trycloudflare.com", "fail:tunnel"),
        ("x.ngrok-free.app", "app", "ngrok-free.app", "fail:tunnel"),
        ("co.jp", "co.jp", None, "unknown:is_suffix"),
    ],
)
def test_permanent(name: str, suffix: str, registrable: str | None, wanted: str) -> None:
    assert short(verdict("domain.permanent", DomainName(name, suffix, registrable))) == wanted


def test_the_tables_of_lent_names_are_host_names_in_lower_case() -> None:
    lent = lent_names()
    assert not lent.tunnels & lent.dynamic
    for suffix in lent.tunnels | lent.dynamic:
        assert suffix == suffix.lower().strip(".") and "." in suffix


def certificate(organisation: str, names: tuple[str, ...] = ("a.test",)) -> WebCertificates:
    leaf = WebCertificate(
        "CN=a.test", names, organisation, "R3", NOW, NOW + timedelta(days=90), KeyKind.EC, 256, "P-256",
        "sha256", "00", (), True, TrustProblem.NONE, "", True, True, False, False, False, 2,
    )  # fmt: skip
    return WebCertificates("a.test", (ServedCertificates("192.0.2.1", (leaf,)),), NOW)


LE = certificate("Let's Encrypt")
UNSEEN = WebCertificates("a.test", (ServedCertificates("192.0.2.1", SLOW),), NOW)
ISSUE = '0 issue "letsencrypt.org"'


def caa(*records: str) -> CaaClimb:
    return CaaClimb((asked("a.test", "CAA", *records), asked("test", "CAA")))


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ((caa(ISSUE), LE), "pass:allows"),
        ((caa(ISSUE, '0 issue "sectigo.com"'), LE), "pass:allows"),
        ((caa('0 issue "LetsEncrypt.org;"'), LE), "pass:allows"),
        ((caa('0 issue "sectigo.com"'), certificate("ZeroSSL")), "pass:allows"),
        ((caa(ISSUE, '0 issuewild ";"'), LE), "pass:allows"),
        ((caa(ISSUE),), "pass:restricted"),
        ((caa(ISSUE), UNSEEN), "pass:restricted"),
        ((caa(ISSUE), certificate("Some Private CA")), "pass:restricted"),
        ((caa(), LE), "warn:none"),
        ((caa('0 iodef "mailto:a@b.test"'), LE), "warn:no_issue"),
        ((caa('0 issuewild "letsencrypt.org"'), LE), "warn:no_issue"),
        ((caa('0 issue "digicert.com"'), LE), "warn:other_authority"),
        (
            (caa(ISSUE, '0 issuewild ";"'), certificate("Let's Encrypt", ("*.a.test",))),
            "warn:other_authority",
        ),
        ((caa(ISSUE, '0 iodef "admin@a.test"'), LE), "warn:bad_iodef"),
        ((caa('0 issue ";"'), LE), "fail:nobody"),
        ((caa('0 issue "no name at all"'), LE), "fail:nobody"),
        ((caa(ISSUE, '128 tbs "x"'), LE), "fail:critical"),
        ((caa(ISSUE, '0 tbs "x"'), LE), "pass:allows"),
        ((caa("nonsense"), LE), "unknown:unreadable"),
        ((CaaClimb((Asked("a.test", "CAA", SLOW), asked("test", "CAA", ISSUE))), LE), "unknown:timeout"),
        ((CaaClimb((asked("a.test", "CAA", ISSUE), Asked("test", "CAA", SLOW))), LE), "pass:allows"),
        ((CaaClimb((asked("w.a.test", "CAA"), asked("a.test", "CAA", ISSUE))), LE), "pass:allows"),
        ((LE,), "unknown:not_asked"),
    ],
)
def test_caa(facts: tuple[Fact, ...], wanted: str) -> None:
    assert short(verdict("domain.caa", *facts)) == wanted


def test_an_authority_is_known_by_its_exact_spelling_first() -> None:
    names = [
        a.name if (a := authority_of(o)) else ""
        for o in ("CLOUDFLARE, INC.", "Cloudflare, Inc.", "let's encrypt", "")
    ]
    assert names == ["SSL.com", "DigiCert", "Let's Encrypt", ""]


def used(name: str, rdtype: str, answer: Answer, broken: bool = False, own: bool = True) -> SignedName:
    return SignedName(name, rdtype, broken, answer, own)


def address(secure: bool = True, *signatures: object) -> Lookup:
    return found("a.test", "A", "192.0.2.1", secure=secure, signatures=signatures)


DS256 = found("a.test", "DS", "1 13 2 ab")
A = used("a.test", "A", address(True, signed(400, 600)))


def zone(*names: SignedName, delegation: Answer = DS256) -> Dnssec:
    return Dnssec(names, delegation, NOW)


@pytest.mark.parametrize(
    ("health", "names", "wanted"),
    [
        (True, (A,), "pass:secure"),
        (True, (A, used("a.test", "AAAA", found("a.test", "AAAA"))), "pass:secure"),
        (True, (A, used("a.test", "MX", found("a.test", "MX", secure=False))), "pass:secure"),
        (True, (A, used("mx.hoster.test", "A", found("mx.hoster.test", "A", "192.0.2.9", secure=False), own=False)), "pass:secure"),
        (True, (used("a.test", "A", address(True, signed(30, 48))),), "pass:secure"),
        (True, (used("a.test", "A", address(False)),), "warn:insecure"),
        (True, (A, used("a.test", "TXT", found("a.test", "TXT", "x", secure=False))), "warn:insecure"),
        (True, (used("a.test", "A", address(True, signed(60, 600))),), "warn:ageing"),
        (True, (used("a.test", "A", address(True, signed(-1, 600))),), "warn:ageing"),
        (True, (used("a.test", "A", address(True, signed(400, 600, 7))),), "warn:weak"),
        (True, (A, used("a.test", "A", SERVFAIL, broken=True)), "fail:bogus"),
        (True, (used("a.test", "A", address(False)), used("w.test", "A", SERVFAIL, broken=True)), "fail:bogus"),
        (True, (A, used("a.test", "TXT", SERVFAIL)), "unknown:resolver_failed"),
        (True, (A, used("a.test", "TXT", SLOW)), "unknown:timeout"),
        (True, (used("a.test", "A", nobody("a.test", "A")),), "unknown:nothing"),
        (False, (A,), "unknown:not_validating"),
        (SLOW, (A,), "unknown:timeout"),
    ],
)  # fmt: skip
def test_dnssec(health: bool | Missing, names: tuple[SignedName, ...], wanted: str) -> None:
    assert short(verdict("domain.dnssec", ResolverHealth("x", health), zone(*names))) == wanted


@pytest.mark.parametrize(
    ("delegation", "wanted"),
    [
        (found("a.test", "DS", "1 13 1 ab"), "warn:weak"),
        (found("a.test", "DS", "1 13 1 ab", "1 13 2 ab"), "pass:secure"),
        (found("a.test", "DS"), "pass:secure"),
        (found("a.test", "DS", "x"), "pass:secure"),
        (SLOW, "pass:secure"),
    ],
)
def test_a_delegation_by_sha1_alone_is_weak(delegation: Answer, wanted: str) -> None:
    assert short(verdict("domain.dnssec", VALIDATING, zone(A, delegation=delegation))) == wanted


def test_dnssec_says_nothing_without_the_self_test() -> None:
    assert short(verdict("domain.dnssec", zone(used("a.test", "A", address(False))))) == "unknown:not_asked"


GOOD = ServerReply("NOERROR", True, 7)
LAME = ServerReply("REFUSED", False, None)


def servers(*rows: tuple[str, ServerReply | Missing], count: int = 0) -> NameServers:
    seen = tuple(NameServer(f"ns{n}.test", (a,), reply) for n, (a, reply) in enumerate(rows))
    return NameServers("a.test", count or len(rows), seen)


ONE, TWO, NEAR = "192.0.2.1", "198.51.100.1", "192.0.2.9"


@pytest.mark.parametrize(
    ("fact", "wanted"),
    [
        (servers((ONE, GOOD), (TWO, GOOD)), "pass:alike"),
        (servers((ONE, GOOD), (TWO, GOOD), (NEAR, SLOW)), "pass:alike"),
        (servers((ONE, GOOD), ("2001:db8::1", GOOD)), "pass:alike"),
        (servers((ONE, GOOD), (NEAR, GOOD)), "warn:one_network"),
        (servers((ONE, GOOD), (TWO, ServerReply("NOERROR", True, 8))), "warn:serials"),
        (servers((ONE, GOOD)), "fail:one_server"),
        (servers((ONE, GOOD), (TWO, LAME)), "fail:lame"),
        (servers((ONE, GOOD), (TWO, ServerReply("NOERROR", False, 7))), "fail:lame"),
        (servers((ONE, GOOD), (TWO, ServerReply("NOERROR", True, None))), "fail:lame"),
        (servers((ONE, SLOW), (TWO, GOOD)), "unknown:timeout"),
        (servers((ONE, SLOW), (TWO, SLOW)), "unknown:timeout"),
        (servers((ONE, Missing(Reason.BUDGET)), (TWO, SLOW)), "unknown:budget"),
    ],
)
def test_nameservers(fact: NameServers, wanted: str) -> None:
    assert short(verdict("domain.nameservers", fact)) == wanted


def with_a_third(reason: Reason) -> NameServers:
    gone = Missing(reason, "ns9.test")
    two = servers((ONE, GOOD), (TWO, GOOD)).servers
    return NameServers("a.test", 3, (*two, NameServer("ns9.test", gone, gone)))


@pytest.mark.parametrize(
    ("reason", "wanted"),
    [
        (Reason.NO_SUCH_NAME, "fail:no_address"),
        (Reason.TIMEOUT, "pass:alike"),
        (Reason.RESOLVER_FAILED, "pass:alike"),
        (Reason.FORBIDDEN_ADDRESS, "pass:alike"),
    ],
)
def test_a_name_server_without_an_address_is_a_way_in(reason: Reason, wanted: str) -> None:
    assert short(verdict("domain.nameservers", with_a_third(reason))) == wanted


@pytest.mark.parametrize("address", [ONE, "2001:db8::1"])
def test_two_names_of_one_address_are_one_server(address: str) -> None:
    assert (
        short(verdict("domain.nameservers", servers((address, GOOD), (address, GOOD)))) == "warn:one_address"
    )
