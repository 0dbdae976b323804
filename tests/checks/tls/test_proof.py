"""Signatures of the first flight: those of real servers hold, and a server without the key shows nothing."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
from dataclasses import dataclass

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.errors import Reason
from checks.facts import Missing
from checks.facts.tls import TlsEndpoint, TlsVersion, UnseenEndpoint, WebCertificate
from checks.parse.tls import Signed
from checks.probes.net import Net
from checks.probes.tls import look_in_full
from checks.probes.tls_findings import read_certificates, read_endpoint
from checks.probes.tls_keys import ServerKeys
from checks.probes.tls_prober import Prober
from checks.probes.tls_proof import proves_12, proves_13
from checks.target import Limits, Vantage
from tests.checks.tls.servers import (
    HOST,
    Asked,
    Behaviour,
    TlsLab,
    alert,
    answering,
    extension,
    fake,
    handshake,
    read_hello,
    server_hello,
)

VANTAGE = Vantage(allow_networks=("127.0.0.0/8",))
TLS10, TLS12 = 0x0301, 0x0303
RANDOM = b"s" * 32
NOW = dt.datetime.now(dt.UTC)
AnyKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | dsa.DSAPrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey  # fmt: skip
RSA, EC = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())
EC384, DSA = ec.generate_private_key(ec.SECP384R1()), dsa.generate_private_key(1024)
ED25519, ED448 = ed25519.Ed25519PrivateKey.generate(), ed448.Ed448PrivateKey.generate()


def certificate(key: AnyKey) -> bytes:
    """Self-signed where that is possible; a DSA key is signed by the RSA one."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    builder = (
        x509.CertificateBuilder(name, name, key.public_key(), 7)
        .not_valid_before(NOW - dt.timedelta(days=1))
        .not_valid_after(NOW + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
    )
    plain = isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    return builder.sign(key, None if plain else hashes.SHA256()).public_bytes(Encoding.DER)


CERTIFICATES = {key: certificate(key) for key in (RSA, EC, EC384, DSA, ED25519, ED448)}
_PSS = {0x0804: hashes.SHA256(), 0x0805: hashes.SHA384(), 0x0806: hashes.SHA512()}
_HASHES: dict[int, hashes.HashAlgorithm] = {
    1: hashes.MD5(), 2: hashes.SHA1(), 3: hashes.SHA224(), 4: hashes.SHA256(), 5: hashes.SHA384(), 6: hashes.SHA512()
}  # fmt: skip


def md5_and_sha1(data: bytes) -> bytes:
    """RSA without a DigestInfo, by hand: nobody offers it any more."""
    digest = hashlib.md5(data).digest() + hashlib.sha1(data).digest()
    numbers = RSA.private_numbers()
    padded = b"\0\1" + b"\xff" * (256 - 3 - len(digest)) + b"\0" + digest
    return pow(int.from_bytes(padded, "big"), numbers.d, numbers.public_numbers.n).to_bytes(256, "big")


def sign(key: AnyKey, scheme: int, data: bytes) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
        return key.sign(data)
    if isinstance(key, rsa.RSAPrivateKey) and not scheme:
        return md5_and_sha1(data)
    if isinstance(key, rsa.RSAPrivateKey) and scheme in _PSS:
        pss = _PSS[scheme]
        return key.sign(data, padding.PSS(padding.MGF1(pss), pss.digest_size), pss)
    algorithm = _HASHES[scheme >> 8] if scheme else hashes.SHA1()
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), algorithm)
    return (
        key.sign(data, ec.ECDSA(algorithm))
        if isinstance(key, ec.EllipticCurvePrivateKey)
        else key.sign(data, algorithm)
    )


SOUND_12: list[tuple[AnyKey, int, int]] = [
    (RSA, 0x0300, 0), (RSA, TLS10, 0), (RSA, 0x0302, 0), (EC, TLS10, 0), (DSA, TLS10, 0),
    *((RSA, TLS12, number << 8 | 1) for number in _HASHES), *((RSA, TLS12, scheme) for scheme in _PSS),
    (EC, TLS12, 0x0403), (EC, TLS12, 0x0503), (EC384, TLS12, 0x0403), (EC, TLS12, 0x0203), (DSA, TLS12, 0x0202),
    (DSA, TLS12, 0x0402), (ED25519, TLS12, 0x0807), (ED448, TLS12, 0x0808),
]  # fmt: skip


@pytest.mark.parametrize(("key", "version", "scheme"), SOUND_12)
def test_a_signature_holds_for_its_key_and_its_bytes_alone(key: AnyKey, version: int, scheme: int) -> None:
    leaf, randoms = CERTIFICATES[key], b"c" * 32 + RANDOM
    signature = sign(key, scheme, randoms + b"parameters")
    assert proves_12(leaf, version, randoms, Signed(b"parameters", scheme, signature)) is True
    assert proves_12(leaf, version, randoms, Signed(b"Parameters", scheme, signature)) is False
    assert proves_12(leaf, version, randoms[::-1], Signed(b"parameters", scheme, signature)) is False
    assert proves_12(leaf, version, randoms, Signed(b"parameters", scheme, b"")) is False
    other = CERTIFICATES[EC if key is not EC else RSA]
    assert proves_12(other, version, randoms, Signed(b"parameters", scheme, signature)) is False


def test_what_cannot_be_checked_is_neither_proof_nor_forgery() -> None:
    assert proves_12(b"no certificate", TLS12, b"", Signed(b"", 0x0403, b"x")) is None
    assert proves_13(b"no certificate", b"", 0x0403, b"x") is None


@pytest.mark.parametrize(
    ("key", "scheme", "holds"),
    [
        (RSA, 0x0804, True), (RSA, 0x0806, True), (EC, 0x0403, True), (EC384, 0x0503, True),
        (ED25519, 0x0807, True), (ED448, 0x0808, True),
        (RSA, 0x0401, False), (RSA, 0x0201, False), (EC, 0x0203, False), (EC, 0x0503, False),
        (EC384, 0x0403, False), (DSA, 0x0202, False),
    ],
)  # fmt: skip
def test_tls_13_takes_fewer_schemes(key: AnyKey, scheme: int, holds: bool) -> None:
    digest = b"d" * 32
    signed = b" " * 64 + b"TLS 1.3, server CertificateVerify\0" + digest
    assert proves_13(CERTIFICATES[key], digest, scheme, sign(key, scheme, signed)) is holds
    assert proves_13(CERTIFICATES[key], digest[::-1] + b"x", scheme, sign(key, scheme, signed)) is False


@given(
    signature=st.binary(max_size=600), scheme=st.integers(0, 0xFFFF), key=st.sampled_from([*CERTIFICATES]),
    version=st.sampled_from([0x0300, TLS10, TLS12]),
)  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_no_bytes_are_proof_and_none_break_the_check(
    signature: bytes, scheme: int, key: AnyKey, version: int
) -> None:
    leaf = CERTIFICATES[key]
    assert proves_12(leaf, version, b"r" * 64, Signed(b"p", scheme, signature)) in (False, None)
    assert proves_13(leaf, b"d" * 32, scheme, signature) in (False, None)


# Servers that show a certificate whose key they have, or have not.


def _vector(data: bytes, size: int) -> bytes:
    return len(data).to_bytes(size, "big") + data


def _entry(leaf: bytes, tail: bytes = b"") -> bytes:
    return _vector(_vector(leaf, 3) + tail, 3)


@dataclass(frozen=True)
class Owner:
    """TLS up to 1.2 with one suite; signs with `key` for the certificate of `shown`."""

    key: AnyKey
    shown: AnyKey
    suite: int = 0xC02F
    version: int = TLS12
    scheme: int = 0x0401
    tail: bytes = b""

    def behave(self) -> Behaviour:
        async def serve(record: bytes, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked = read_hello(record)
            if asked.highest < self.version or asked.highest > TLS12 or self.suite not in asked.suites:
                writer.write(alert(70))
                return
            parameters = b"\x03\x00\x1d" + _vector(b"k" * 32, 1)
            scheme = self.scheme.to_bytes(2, "big") if self.version >= TLS12 else b""
            signature = sign(self.key, self.scheme if scheme else 0, record[11:43] + RANDOM + parameters)
            writer.write(
                handshake(
                    server_hello(self.version, self.suite, extension(0xFF01, b"\0"), random=RANDOM),
                    (11, _entry(CERTIFICATES[self.shown])),
                    (12, parameters + scheme + _vector(signature, 2) + self.tail),
                    (14, b""),
                    version=self.version,
                )
            )

        return serve


async def _look(behave: Behaviour) -> Prober:
    async with fake(behave) as port:
        prober = Prober(Net(VANTAGE, Limits()), "127.0.0.1", port, probe_s=2, slow_s=2)
        await look_in_full(prober, HOST)
    return prober


def shown(prober: Prober) -> tuple[WebCertificate, ...] | Missing:
    return read_certificates(prober, HOST, NOW, "").shown


@pytest.mark.parametrize(
    ("key", "suite", "version", "scheme"),
    [
        (RSA, 0xC02F, TLS12, 0x0401),
        (RSA, 0xC02F, TLS12, 0x0804),
        (RSA, 0xC013, TLS10, 0),
        (EC, 0xC02B, TLS12, 0x0403),
        (ED25519, 0xC02B, TLS12, 0x0807),
    ],
)
def test_whoever_has_the_key_is_believed(key: AnyKey, suite: int, version: int, scheme: int) -> None:
    seen = shown(asyncio.run(_look(Owner(key, key, suite, version, scheme).behave())))
    assert isinstance(seen, tuple)
    assert [one.proven for one in seen] == [True]


@pytest.mark.parametrize("version", [TLS10, TLS12])
def test_whoever_has_another_key_shows_nothing(version: int) -> None:
    other = rsa.generate_private_key(65537, 2048) if version == TLS12 else EC
    suite = 0xC02F if version == TLS12 else 0xC013
    prober = asyncio.run(_look(Owner(other, RSA, suite, version).behave()))
    found = read_endpoint(prober)
    assert isinstance(found, UnseenEndpoint)
    assert found.gap.reason is Reason.MALFORMED
    assert "does not hold" in found.gap.detail
    assert isinstance(shown(prober), Missing)


def test_a_signature_that_is_not_the_end_leaves_the_version_and_no_certificate() -> None:
    prober = asyncio.run(_look(Owner(RSA, RSA, tail=b"more").behave()))
    found = read_endpoint(prober)
    assert isinstance(found, TlsEndpoint)
    assert found.offers(TlsVersion.TLS12) is True
    assert isinstance(shown(prober), Missing)


def test_a_certificate_without_any_proof_is_not_taken() -> None:
    def reply(asked: Asked) -> bytes:
        if asked.highest != TLS12 or 0xC02F not in asked.suites:
            return alert(70)
        return handshake(server_hello(TLS12, 0xC02F), (11, _entry(CERTIFICATES[RSA])), (14, b""))

    prober = asyncio.run(_look(answering(reply)))
    seen = shown(prober)
    assert isinstance(seen, Missing)
    assert seen.detail == "no ServerKeyExchange"


@dataclass(frozen=True)
class Owner13:
    """TLS 1.3 as far as CertificateVerify, or less."""

    key: AnyKey
    shown: AnyKey
    scheme: int = 0x0403
    verifies: bool = True
    suite: int = 0x1301

    def behave(self) -> Behaviour:
        async def serve(record: bytes, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked = read_hello(record)
            if asked.highest < 0x0304 or 51 not in asked.extensions or len(asked.extensions[51]) < 36:
                writer.write(alert(70))
                return
            ours = x25519.X25519PrivateKey.generate()
            secret = ours.exchange(x25519.X25519PublicKey.from_public_bytes(asked.extensions[51][6:38]))
            share = b"\x00\x1d" + _vector(ours.public_key().public_bytes_raw(), 2)
            answer = extension(43, b"\x03\x04") + extension(51, share)
            hello = handshake(server_hello(TLS12, self.suite, answer, session=asked.session))
            transcript = record[5:] + hello[5:]
            keys = ServerKeys(self.suite, secret, transcript)
            messages = handshake((8, b"\0\0"), (11, b"\0" + _entry(CERTIFICATES[self.shown], b"\0\0")))[5:]
            digest = hashlib.sha256(transcript + messages).digest()
            signed = b" " * 64 + b"TLS 1.3, server CertificateVerify\0" + digest
            if self.verifies:
                proof = self.scheme.to_bytes(2, "big") + _vector(sign(self.key, self.scheme, signed), 2)
                messages += handshake((15, proof))[5:]
            inner = messages + b"\x16"
            header = b"\x17\x03\x03" + (len(inner) + 16).to_bytes(2, "big")
            sealed = keys._aead.encrypt(keys._iv, inner, header)  # type: ignore[attr-defined]
            writer.write(hello + header + sealed)

        return serve


@pytest.mark.parametrize(("key", "scheme"), [(EC, 0x0403), (RSA, 0x0804), (ED25519, 0x0807), (ED448, 0x0808)])
def test_certificate_verify_is_believed_from_the_owner_of_the_key(key: AnyKey, scheme: int) -> None:
    prober = asyncio.run(_look(Owner13(key, key, scheme).behave()))
    seen = shown(prober)
    assert isinstance(seen, tuple), seen
    assert [one.proven for one in seen] == [True]
    found = read_endpoint(prober)
    assert isinstance(found, TlsEndpoint)
    assert found.offers(TlsVersion.TLS13) is True


def test_a_wrong_certificate_verify_shows_nothing_of_tls_13() -> None:
    prober = asyncio.run(_look(Owner13(ec.generate_private_key(ec.SECP256R1()), EC).behave()))
    found = read_endpoint(prober)
    assert isinstance(found, UnseenEndpoint)
    assert found.gap.reason is Reason.MALFORMED
    assert isinstance(shown(prober), Missing)


def test_without_certificate_verify_the_version_is_seen_and_the_certificate_is_not() -> None:
    prober = asyncio.run(_look(Owner13(EC, EC, verifies=False).behave()))
    found = read_endpoint(prober)
    assert isinstance(found, TlsEndpoint)
    assert found.offers(TlsVersion.TLS13) is True
    assert isinstance(shown(prober), Missing)


@pytest.mark.parametrize(
    ("case", "proven"),
    [
        ("modern", {True}), ("tls12_only", {True}), ("tls13_only", {True}), ("tls10_only", {True}), ("old", {True}),
        ("dhe_2048", {True}), ("dual", {True}), ("p521", {True}), ("cbc", {True}), ("rsa_1024", {True}),
        ("rsa_kx", {False}),
    ],
)  # fmt: skip
def test_real_servers_prove_their_keys_where_the_key_exchange_does(
    tls_lab: TlsLab, case: str, proven: set[bool]
) -> None:
    async def run() -> Prober:
        prober = Prober(Net(VANTAGE, Limits()), tls_lab.addresses[case], tls_lab.port)
        await look_in_full(prober, HOST)
        return prober

    seen = read_certificates(asyncio.run(run()), HOST, NOW, tls_lab.trust_pem).shown
    assert isinstance(seen, tuple)
    assert {one.proven for one in seen} == proven
