"""A root, an intermediate and leaves, made once for the whole run."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from tests.checks.dns.made import NOW


@cache
def private_key(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def certificate(
    name: str,
    issuer: str,
    names: tuple[str, ...] = (),
    *,
    authority: bool = False,
    until: datetime = NOW + timedelta(days=30),
    since: datetime = NOW - timedelta(days=30),
) -> x509.Certificate:
    """A certificate for `name`, signed with the key called `issuer`."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(private_key(name).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False)
    return builder.sign(private_key(issuer), hashes.SHA256())


def der(one: x509.Certificate) -> bytes:
    return one.public_bytes(Encoding.DER)


def spki(one: x509.Certificate) -> bytes:
    return one.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def record(usage: int, selector: int, matching: int, one: x509.Certificate) -> str:
    """The TLSA record that names a certificate."""
    content = spki(one) if selector else der(one)
    if matching:
        content = (hashlib.sha256 if matching == 1 else hashlib.sha512)(content).digest()
    return f"{usage} {selector} {matching} {content.hex()}"


ROOT = certificate("root", "root", authority=True)
MIDDLE = certificate("middle", "root", authority=True)
LEAF = certificate("leaf", "middle", ("mx.a.test",))
OTHER = certificate("other", "other", ("mx.a.test",), authority=True)
