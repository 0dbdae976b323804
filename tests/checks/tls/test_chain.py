"""Paths to a root: made by hand with faults, damaged at random, and judged fault by fault."""

from __future__ import annotations

import datetime as dt

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.errors import Malformed
from checks.facts.tls import KeyKind, TrustProblem, WebCertificate
from checks.parse.tls import Chain
from checks.probes.tls_chain import load_pem, matches, read_chain, roots_from
from tests.checks.tls.servers import HOST

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)
_Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
ROOT_KEY = ec.generate_private_key(ec.SECP256R1())
CA = x509.BasicConstraints(ca=True, path_length=None)
SIGNS = x509.KeyUsage(
    digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
    key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
    decipher_only=False,
)  # fmt: skip
SAN = x509.SubjectAlternativeName([x509.DNSName(HOST)])
SERVES = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
CLIENT = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
STAPLE = x509.TLSFeature([x509.TLSFeatureType.status_request])


def named(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def made(
    subject: str, key: _Key, *extensions: x509.ExtensionType, issuer: str = "root", signer: _Key = ROOT_KEY
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder(named(issuer), named(subject), key.public_key(), x509.random_serial_number())
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + 80 * DAY)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
    return builder.sign(signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256())


ROOT = made("root", ROOT_KEY, CA, SIGNS)
BARE_ROOT = made("root", ROOT_KEY, CA)


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def read(leaf: x509.Certificate, trust: str = "", behind: tuple[bytes, ...] = ()) -> WebCertificate:
    return read_chain(Chain((leaf.public_bytes(Encoding.DER), *behind)), HOST, NOW, trust)


@pytest.mark.parametrize(
    ("extensions", "root", "problem"),
    [
        ((SAN, SERVES), ROOT, TrustProblem.NONE),
        ((SAN, SERVES), BARE_ROOT, TrustProblem.NONE),
        ((SAN,), BARE_ROOT, TrustProblem.NONE),
        ((SAN, CLIENT), ROOT, TrustProblem.BROKEN),
        ((SERVES,), ROOT, TrustProblem.BROKEN),
        (
            (SAN, SERVES),
            made("root", ec.generate_private_key(ec.SECP256R1()), CA),
            TrustProblem.UNKNOWN_AUTHORITY,
        ),
    ],
)
def test_a_private_authority_is_trusted_by_laxer_rules(
    extensions: tuple[x509.ExtensionType, ...], root: x509.Certificate, problem: TrustProblem
) -> None:
    found = read(made(HOST, ec.generate_private_key(ec.SECP256R1()), *extensions), pem(root))
    assert (found.problem, found.trusted) == (problem, problem is TrustProblem.NONE)
    assert not found.public_root


def test_a_certificate_that_names_itself_as_issuer_is_self_signed_only_if_it_is() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    own = made(HOST, key, SAN, issuer=HOST, signer=key)
    assert read(own).problem is TrustProblem.SELF_SIGNED
    pretended = made(HOST, key, SAN, issuer=HOST, signer=ec.generate_private_key(ec.SECP256R1()))
    assert read(pretended).problem is TrustProblem.UNKNOWN_AUTHORITY


def test_rubbish_behind_the_leaf_is_left_out() -> None:
    leaf = made(HOST, ec.generate_private_key(ec.SECP256R1()), SAN, SERVES)
    found = read(leaf, pem(ROOT), (b"rubbish", ROOT.public_bytes(Encoding.DER)))
    assert found.trusted is True
    assert len(found.chain) == 3


@pytest.mark.parametrize(
    ("key", "kind", "bits", "curve"),
    [
        (rsa.generate_private_key(65537, 2048), KeyKind.RSA, 2048, ""),
        (ec.generate_private_key(ec.SECP384R1()), KeyKind.EC, 384, "secp384r1"),
        (ed25519.Ed25519PrivateKey.generate(), KeyKind.ED25519, 0, ""),
    ],
)
def test_the_key_is_described(key: _Key, kind: KeyKind, bits: int, curve: str) -> None:
    found = read(made(HOST, key, SAN))
    assert (found.key_kind, found.key_bits, found.curve) == (kind, bits, curve)


def test_must_staple_and_the_staple_are_seen() -> None:
    leaf = made(HOST, ec.generate_private_key(ec.SECP256R1()), SAN, STAPLE)
    found = read_chain(Chain((leaf.public_bytes(Encoding.DER),), b"staple", (b"1" * 32,)), HOST, NOW, "")
    assert (found.must_staple, found.stapled, found.sct_count) == (True, True, 1)


@pytest.mark.parametrize(
    ("host", "names", "covered"),
    [
        ("social.test", ("social.test",), True),
        ("social.test", ("*.test",), True),
        ("a.social.test", ("*.social.test",), True),
        ("a.b.social.test", ("*.social.test",), False),
        ("social.test", ("*.social.test",), False),
        ("social.test", ("www.social.test",), False),
        ("social.test", ("*",), False),
        ("social.test", ("so*.test",), False),
        ("test", ("*.",), False),
        ("social.test", (), False),
    ],
)
def test_a_name_covers_one_label(host: str, names: tuple[str, ...], covered: bool) -> None:
    assert matches(host, names) is covered


LEAF = made(HOST, ec.generate_private_key(ec.SECP256R1()), SAN, SERVES, STAPLE).public_bytes(Encoding.DER)


@given(at=st.integers(0, len(LEAF) - 1), value=st.integers(0, 255), cut=st.integers(0, len(LEAF)))
@settings(max_examples=400, deadline=None)
def test_no_damage_to_a_certificate_breaks_the_reader(at: int, value: int, cut: int) -> None:
    damaged = bytearray(LEAF)
    damaged[at] = value
    for der in (bytes(damaged), LEAF[:cut]):
        try:
            found = read_chain(Chain((der,)), HOST, NOW, pem(ROOT))
        except Malformed:
            continue
        assert found.trusted is (found.problem is TrustProblem.NONE)


def test_a_feature_that_nobody_knows_makes_a_certificate_malformed() -> None:
    features = x509.UnrecognizedExtension(ExtensionOID.TLS_FEATURE, bytes.fromhex("3003020100"))
    leaf = made(HOST, ec.generate_private_key(ec.SECP256R1()), SAN, SERVES, features)
    with pytest.raises(Malformed):
        read_chain(Chain((leaf.public_bytes(Encoding.DER),)), HOST, NOW, pem(ROOT))


def test_every_public_root_but_a_few_odd_ones_can_be_read() -> None:
    with open(certifi.where(), encoding="ascii", errors="replace") as file:
        text = file.read()
    assert len(load_pem(text)) > 100
    assert len(load_pem(text)) >= text.count("BEGIN CERTIFICATE") - 2


def test_a_bundle_with_rubbish_gives_what_can_be_read() -> None:
    broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    assert len(load_pem(f"# comment\n{pem(ROOT)}{broken}{pem(BARE_ROOT)}")) == 2
    assert load_pem("nothing") == []


def test_the_list_of_roots_bears_its_date(monkeypatch: pytest.MonkeyPatch) -> None:
    found = roots_from()
    assert found is not None
    assert dt.datetime(2024, 1, 1, tzinfo=dt.UTC) < found < dt.datetime.now(dt.UTC)
    for version, expected in (("2026.10.18.1", (2026, 10, 18)), ("nightly", None)):
        monkeypatch.setattr(certifi, "__version__", version)
        roots_from.cache_clear()
        read = roots_from()
        assert (read and (read.year, read.month, read.day)) == expected
    monkeypatch.undo()
    roots_from.cache_clear()
