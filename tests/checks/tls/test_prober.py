"""The prober against a real nginx: the truth is written down from its configuration."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from checks.facts import Missing
from checks.facts.tls import (
    KeyKind,
    Negotiated,
    SuiteFamily,
    TlsEndpoint,
    TlsOffer12,
    TlsVersion,
    TrustProblem,
    UnseenEndpoint,
    WebCertificate,
)
from checks.probes.net import Net
from checks.probes.tls import look_briefly, look_in_full
from checks.probes.tls_findings import read_certificates, read_endpoint
from checks.probes.tls_prober import Prober
from checks.target import Limits, Vantage
from tests.checks.tls.servers import HOST, SUITES_13, TlsLab

VANTAGE = Vantage(allow_networks=("127.0.0.0/8",))
OLD = {TlsVersion.TLS10, TlsVersion.TLS11, TlsVersion.TLS12}
V12, V13 = {TlsVersion.TLS12}, {TlsVersion.TLS13}
F = SuiteFamily


@dataclass(frozen=True, slots=True)
class Truth:
    versions: set[TlsVersion]
    families: set[SuiteFamily]
    more: tuple[tuple[str, object], ...] = ()


TRUTH = {
    "modern": Truth(V12 | V13, {F.AEAD}, (("http2", True), ("group13", "x25519"), ("post_quantum", False))),
    "tls12_only": Truth(V12, {F.AEAD}, (("post_quantum", None), ("suite13", None))),
    "tls13_only": Truth(V13, set(), (("older", None), ("http2", True), ("dh_bits", None))),
    "old": Truth(OLD, {F.AEAD, F.CBC, F.ANONYMOUS}),
    "tls10_only": Truth({TlsVersion.TLS10}, {F.CBC, F.RSA, F.ANONYMOUS}),
    "rsa_kx": Truth(V12, {F.RSA, F.CBC}, (("curve_bits", None),)),
    "cbc": Truth(V12, {F.CBC}, (("curve_bits", 256),)),
    "dhe_1024": Truth(V12, {F.DHE, F.AEAD}, (("dh_bits", 1024),)),
    "dhe_2048": Truth(V12, {F.DHE, F.AEAD}, (("dh_bits", 2048),)),
    "null_anon": Truth(V12, {F.NULL, F.ANONYMOUS}),
    "no_h2": Truth(V12 | V13, {F.AEAD}, (("http2", False),)),
    "p384": Truth(V12 | V13, {F.AEAD}, (("group13", "secp384r1"), ("curve_bits", 384))),
    "p521": Truth(V13, set(), (("group13", "secp521r1"),)),
    "dual": Truth(V12 | V13, {F.AEAD}),
    "client_certificate": Truth(V12 | V13, {F.AEAD}),
}


async def _look(lab: TlsLab, case: str, full: bool) -> Prober:
    net = Net(VANTAGE, Limits())
    prober = Prober(net, lab.addresses[case], lab.port)
    await (look_in_full if full else look_briefly)(prober, HOST)
    assert net.used["tls"] <= 22
    return prober


def look(lab: TlsLab, case: str, *, full: bool = True) -> Prober:
    return asyncio.run(_look(lab, case, full))


def endpoint(lab: TlsLab, case: str) -> TlsEndpoint:
    found = read_endpoint(look(lab, case))
    assert isinstance(found, TlsEndpoint)
    return found


def certificates(lab: TlsLab, case: str, trust_pem: str | None = None) -> tuple[WebCertificate, ...]:
    trust = lab.trust_pem if trust_pem is None else trust_pem
    found = read_certificates(look(lab, case), HOST, datetime.now(UTC), trust).shown
    assert not isinstance(found, Missing), found
    return found


@pytest.mark.parametrize("case", TRUTH)
def test_versions_and_suites_are_those_of_the_configuration(tls_lab: TlsLab, case: str) -> None:
    seen, truth = endpoint(tls_lab, case), TRUTH[case]
    assert {a.version: a.offered for a in seen.versions} == {v: v in truth.versions for v in TlsVersion}
    taken = {kind for kind in SuiteFamily if isinstance(seen.chosen_from(kind), Negotiated)}
    if case in {"old", "tls10_only"}:
        # What stands behind OpenSSL's ALL is its own affair; what must be seen is named.
        assert truth.families <= taken
    else:
        assert taken == truth.families
    assert not [a for a in seen.suites if isinstance(a.chosen, Missing)]
    assert {name: getattr(seen, name) for name, _ in truth.more} == dict(truth.more)


@pytest.mark.parametrize(
    ("case", "preferred", "last_resort"),
    [
        ("cbc_first", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
        ("cbc_last", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        ("rsa_kx", "TLS_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_256_CBC_SHA"),
    ],
)
def test_the_order_that_decides_is_seen(tls_lab: TlsLab, case: str, preferred: str, last_resort: str) -> None:
    older = endpoint(tls_lab, case).older
    assert isinstance(older, TlsOffer12)
    assert (older.preferred, older.last_resort) == (preferred, last_resort)
    assert older.server_decides is (preferred == last_resort)
    assert older.secure_renegotiation and older.extended_master_secret and not older.compression


@pytest.mark.parametrize(
    ("case", "problem", "name_matches"),
    [
        ("modern", TrustProblem.NONE, True),
        ("expired", TrustProblem.NONE, True),
        ("wrong_host", TrustProblem.NONE, False),
        ("self_signed", TrustProblem.SELF_SIGNED, True),
        ("no_intermediate", TrustProblem.UNKNOWN_AUTHORITY, True),
        ("p384", TrustProblem.NONE, True),
        ("client_certificate", TrustProblem.NONE, True),
    ],
)
def test_the_certificate_is_judged_fault_by_fault(
    tls_lab: TlsLab, case: str, problem: TrustProblem, name_matches: bool
) -> None:
    (shown,) = certificates(tls_lab, case)
    assert (shown.problem, shown.name_matches) == (problem, name_matches)
    assert shown.trusted is (problem is TrustProblem.NONE)
    assert (shown.not_after < datetime.now(UTC)) is (case == "expired")


@pytest.mark.parametrize(("case", "suite"), SUITES_13.items())
def test_the_certificate_of_tls_13_is_read_under_every_suite(tls_lab: TlsLab, case: str, suite: str) -> None:
    assert endpoint(tls_lab, case).suite13 == suite
    (shown,) = certificates(tls_lab, case)
    assert shown.trusted is True


def test_without_the_operators_root_the_authority_is_unknown(tls_lab: TlsLab) -> None:
    (shown,) = certificates(tls_lab, "modern", trust_pem="")
    assert shown.problem is TrustProblem.UNKNOWN_AUTHORITY
    assert not shown.public_root


@pytest.mark.parametrize("case", ["dual", "dual_own_order"])
def test_both_certificates_of_a_server_with_two_are_seen(tls_lab: TlsLab, case: str) -> None:
    shown = certificates(tls_lab, case)
    assert {one.key_kind for one in shown} == {KeyKind.EC, KeyKind.RSA}
    assert all(one.trusted is True for one in shown)


def test_a_short_key_is_seen_as_short(tls_lab: TlsLab) -> None:
    (shown,) = certificates(tls_lab, "rsa_1024")
    assert (shown.key_kind, shown.key_bits) == (KeyKind.RSA, 1024)


def test_the_facts_of_a_certificate_are_those_of_the_file(tls_lab: TlsLab) -> None:
    (shown,) = certificates(tls_lab, "modern")
    assert shown.names == (HOST, f"www.{HOST}")
    assert (shown.issuer_organisation, shown.issuer_name) == ("Let's Encrypt", "Lab E1")
    assert (shown.key_kind, shown.key_bits, shown.curve) == (KeyKind.EC, 256, "secp256r1")
    assert shown.signature_hash == "sha256"
    assert len(shown.chain) == 2
    assert (shown.stapled, shown.sct_count, shown.self_signed) == (False, 0, False)


def test_a_server_that_knows_no_such_name_tells_nothing(tls_lab: TlsLab) -> None:
    prober = look(tls_lab, "refuses")
    found = read_endpoint(prober)
    assert isinstance(found, UnseenEndpoint)
    assert found.gap.reason == "withheld"
    assert isinstance(read_certificates(prober, HOST, datetime.now(UTC), "").shown, Missing)


def test_the_brief_look_takes_four_connections_and_finds_what_is_broken(tls_lab: TlsLab) -> None:
    async def run() -> tuple[int, TlsEndpoint | UnseenEndpoint]:
        net = Net(VANTAGE, Limits())
        prober = Prober(net, tls_lab.addresses["old"], tls_lab.port)
        await look_briefly(prober, HOST)
        return net.used["tls"], read_endpoint(prober)

    used, seen = asyncio.run(run())
    assert used == 4
    assert isinstance(seen, TlsEndpoint)
    assert [(a.version, a.offered) for a in seen.versions] == [
        (TlsVersion.TLS11, True), (TlsVersion.TLS12, True), (TlsVersion.TLS13, False),
    ]  # fmt: skip
    assert isinstance(seen.chosen_from(SuiteFamily.ANONYMOUS), Negotiated)
    assert not seen.gaps(*TlsVersion)


def test_the_full_look_is_modest(tls_lab: TlsLab) -> None:
    async def run() -> int:
        net = Net(VANTAGE, Limits())
        await look_in_full(Prober(net, tls_lab.addresses["modern"], tls_lab.port), HOST)
        return net.used["tls"]

    assert asyncio.run(run()) == 12
