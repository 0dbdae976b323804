"""OCSP staples and log timestamps: read from real servers, made by hand with faults, and judged."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.errors import Reason
from checks.facts import Missing
from checks.facts.tls import Revocation, Staple, Timestamps, TrustProblem, WebCertificate
from checks.probes import tls
from checks.probes.net import Net
from checks.probes.tls_findings import read_certificates
from checks.probes.tls_prober import AGAIN, Prober
from checks.probes.tls_staple import read_staple, read_timestamps
from checks.target import Limits, Vantage
from tests.checks.tls.made import NOW as THEN
from tests.checks.tls.made import certificate, facts, web
from tests.checks.tls.servers import HOST, TlsLab, ca_key, ocsp_answer, signed_again
from tests.checks.tls.test_items import FAIL, PASS, UNKNOWN, verdict_of
from tests.lab.ca import LabCa

VANTAGE = Vantage(allow_networks=("127.0.0.0/8",))
NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)
GOOD, REVOKED = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED
_EMBEDDED = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")


async def _look(lab: TlsLab, case: str) -> WebCertificate:
    prober = Prober(Net(VANTAGE, Limits()), lab.addresses[case], lab.port)
    await tls._look(prober, HOST, in_full=True)
    assert (AGAIN in prober.answers) is (case == "must_staple")
    shown = read_certificates(prober, HOST, NOW, lab.trust_pem).shown
    assert isinstance(shown, tuple)
    return shown[0]


def look(lab: TlsLab, case: str) -> WebCertificate:
    return asyncio.run(_look(lab, case))


@pytest.mark.parametrize(("case", "status"), [("stapled", Revocation.GOOD), ("revoked", Revocation.REVOKED)])
def test_the_staple_of_a_real_server_is_read_and_its_signature_checked(
    tls_lab: TlsLab, case: str, status: Revocation
) -> None:
    staple = look(tls_lab, case).staple
    assert isinstance(staple, Staple)
    assert (staple.status, staple.verified) == (status, True)
    assert (staple.revoked_at is not None) is (status is Revocation.REVOKED)
    assert staple.next_update is not None
    assert staple.this_update < NOW < staple.next_update


def test_without_a_staple_there_is_none(tls_lab: TlsLab) -> None:
    seen = look(tls_lab, "modern")
    assert (seen.staple, seen.stapled, seen.must_staple) == (None, False, False)
    assert seen.timestamps == Timestamps(0, 0, 0, 0)


def test_a_certificate_that_asks_for_a_staple_is_looked_at_twice(
    tls_lab: TlsLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "_STAPLE_S", 0.0)
    seen = look(tls_lab, "must_staple")
    assert (seen.must_staple, seen.staple) == (True, None)


def test_a_second_look_that_fails_leaves_it_open(tls_lab: TlsLab) -> None:
    async def run() -> WebCertificate:
        prober = Prober(Net(VANTAGE, Limits()), tls_lab.addresses["must_staple"], tls_lab.port)
        await tls.look_in_full(prober, HOST)
        prober.answers[AGAIN] = Missing(Reason.TIMEOUT, "gone")
        shown = read_certificates(prober, HOST, NOW, tls_lab.trust_pem).shown
        assert isinstance(shown, tuple)
        return shown[0]

    staple = asyncio.run(run()).staple
    assert isinstance(staple, Missing)
    assert staple.reason is Reason.TIMEOUT


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> LabCa:
    return LabCa(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def leaf(ca: LabCa) -> x509.Certificate:
    return ca.issue(HOST).certificate


def delegate(
    ca: LabCa, *, uses: bool = True, key: ec.EllipticCurvePrivateKey | None = None, ends: dt.timedelta = DAY
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """A responder that the authority has appointed; `key`: another one signs the appointment."""
    own = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "responder")])
    builder = (
        x509.CertificateBuilder(ca.intermediate.subject, name, own.public_key(), 99)
        .not_valid_before(NOW - 9 * DAY)
        .not_valid_after(NOW + ends)
    )
    if uses:
        signing = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])
        builder = builder.add_extension(signing, critical=False)
    return builder.sign(key or ca_key(ca), hashes.SHA256()), own


@pytest.mark.parametrize("by_name", [False, True])
@pytest.mark.parametrize("delegated", [False, True])
def test_issuer_and_appointed_responder_are_believed(
    ca: LabCa, leaf: x509.Certificate, by_name: bool, delegated: bool
) -> None:
    der = ocsp_answer(ca, leaf, signer=delegate(ca) if delegated else None, by_name=by_name)
    staple, _ = read_staple(der, leaf, [ca.root, ca.intermediate], NOW)
    assert isinstance(staple, Staple)
    assert (staple.status, staple.verified) == (Revocation.GOOD, True)


def test_without_the_issuer_the_signature_stays_unchecked(ca: LabCa, leaf: x509.Certificate) -> None:
    staple, _ = read_staple(ocsp_answer(ca, leaf, REVOKED), leaf, [], NOW)
    assert isinstance(staple, Staple)
    assert isinstance(staple.verified, Missing)


def test_forged_answers_are_malformed(ca: LabCa, leaf: x509.Certificate, tmp_path: Path) -> None:
    stranger = ec.generate_private_key(ec.SECP256R1())
    other, sound = ca.issue("other.test").certificate, ocsp_answer(ca, leaf)
    forged = [
        sound[:-1] + bytes([sound[-1] ^ 1]),
        ocsp_answer(ca, leaf, signer=delegate(ca, uses=False)),
        ocsp_answer(ca, leaf, signer=delegate(ca, key=stranger)),
        ocsp_answer(ca, leaf, signer=delegate(ca, ends=-DAY)),
        ocsp_answer(LabCa(tmp_path), leaf),
        ocsp_answer(ca, other),
    ]
    for der in forged:
        staple, _ = read_staple(der, leaf, [ca.intermediate], NOW)
        assert isinstance(staple, Missing)
        assert staple.reason is Reason.MALFORMED


def test_a_responder_that_will_not_say_is_unknown(ca: LabCa, leaf: x509.Certificate) -> None:
    der = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(
        Encoding.DER
    )
    staple, _ = read_staple(der, leaf, [ca.intermediate], NOW)
    assert isinstance(staple, Missing)
    assert staple.reason is Reason.WITHHELD


@given(at=st.integers(0, 400), value=st.integers(0, 255), cut=st.integers(0, 400))
@settings(max_examples=200, deadline=None)
def test_no_damage_to_a_staple_breaks_the_reader(
    damaged: bytes, made_by: Any, at: int, value: int, cut: int
) -> None:
    ca, leaf = made_by
    broken = bytearray(damaged)
    broken[at % len(broken)] = value
    for der in (bytes(broken), damaged[:cut]):
        staple, _ = read_staple(der, leaf, [ca.intermediate], NOW)
        if der != damaged:
            assert isinstance(staple, Missing) or staple.verified is not False


@pytest.fixture(scope="module")
def made_by(ca: LabCa, leaf: x509.Certificate) -> tuple[LabCa, x509.Certificate]:
    return ca, leaf


@pytest.fixture(scope="module")
def damaged(ca: LabCa, leaf: x509.Certificate) -> bytes:
    return ocsp_answer(ca, leaf)


def timestamp(log: bytes) -> bytes:
    whole = b"\0" + log * 32 + (1).to_bytes(8, "big") + b"\0\0" + b"\4\3" + b"\0\2ab"
    return len(whole).to_bytes(2, "big") + whole


def embedded(*logs: bytes) -> x509.UnrecognizedExtension:
    """The list as it stands in a certificate: in an OCTET STRING."""
    body = b"".join(timestamp(log) for log in logs)
    body = len(body).to_bytes(2, "big") + body
    size = bytes([len(body)]) if len(body) < 128 else b"\x81" + bytes([len(body)])
    return x509.UnrecognizedExtension(_EMBEDDED, b"\x04" + size + body)


def test_timestamps_are_counted_by_log_in_all_three_places(ca: LabCa, leaf: x509.Certificate) -> None:
    with_two = signed_again(ca, leaf, embedded(b"1", b"2"))
    found = read_timestamps(with_two, frozenset({b"1" * 32, b"3" * 32}), frozenset({b"3" * 32}))
    assert found == Timestamps(embedded=2, handshake=2, staple=1, logs=3)
    assert read_timestamps(leaf, frozenset(), frozenset()) == Timestamps(0, 0, 0, 0)
    assert isinstance(read_timestamps(leaf, None, frozenset()), Missing)


def test_timestamps_that_cannot_be_read_are_not_none(ca: LabCa, leaf: x509.Certificate) -> None:
    broken = signed_again(ca, leaf, x509.UnrecognizedExtension(_EMBEDDED, b"\x04\x02\x00\x09"))
    assert isinstance(read_timestamps(broken, frozenset(), frozenset()), Missing)


def staple(status: Revocation, verified: Any = True) -> Staple:
    return Staple(
        status, THEN - DAY, THEN + DAY, THEN - 2 * DAY if status is Revocation.REVOKED else None, verified
    )


SILENT = Missing(Reason.TIMEOUT, "no answer")
CASES: list[tuple[dict[str, Any], Any, str]] = [
    ({"staple": staple(Revocation.GOOD)}, PASS, "valid"),
    ({"staple": staple(Revocation.UNKNOWN)}, PASS, "valid"),
    ({"staple": staple(Revocation.REVOKED)}, FAIL, "revoked"),
    ({"staple": staple(Revocation.REVOKED, SILENT)}, PASS, "valid"),
    ({"staple": None}, PASS, "valid"),
    ({"staple": SILENT}, PASS, "valid"),
    ({"staple": None, "must_staple": True}, FAIL, "no_staple"),
    ({"staple": SILENT, "must_staple": True}, PASS, "valid"),
    ({"must_staple": True}, PASS, "valid"),
    ({"timestamps": Timestamps(2, 0, 0, 2)}, PASS, "valid"),
    ({"timestamps": Timestamps(0, 0, 0, 0)}, FAIL, "no_timestamps"),
    ({"timestamps": Timestamps(0, 0, 0, 0), "public_root": False}, PASS, "valid"),
    ({"timestamps": SILENT}, PASS, "valid"),
]


@pytest.mark.parametrize(("changes", "status", "code"), CASES)
def test_what_comes_beside_a_certificate_is_judged(changes: dict[str, Any], status: Any, code: str) -> None:
    verdict = verdict_of("tls.certificate_valid", facts(web(certificate(**changes))))
    assert (verdict.status, verdict.code) == (status, code)
    assert "OCSP staple: " in verdict.evidence[0].text
    assert "log timestamps: " in verdict.evidence[0].text


@pytest.mark.parametrize(
    ("age", "status", "code"), [(89, FAIL, "unknown_authority"), (91, UNKNOWN, "old_roots")]
)
def test_an_old_list_of_roots_calls_no_authority_unknown(age: int, status: Any, code: str) -> None:
    one = certificate(trusted=False, problem=TrustProblem.UNKNOWN_AUTHORITY)
    found = web(one, roots_from=THEN - age * DAY)
    verdict = verdict_of("tls.certificate_valid", facts(found))
    assert (verdict.status, verdict.code) == (status, code)
    good = web(certificate(), one, roots_from=THEN - 91 * DAY)
    assert verdict_of("tls.certificate_valid", facts(good)).code == "valid_partly"
    selfish = certificate(trusted=False, problem=TrustProblem.SELF_SIGNED)
    assert (
        verdict_of("tls.certificate_valid", facts(web(selfish, roots_from=THEN - 91 * DAY))).code
        == "self_signed"
    )
