"""The certificates of the matrix: one authority that is trusted, one that is not, and leaves with one fault each."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from tests.checks.tls.servers import HOST
from tests.lab.processes import find_program, run

Signer = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Key = Signer | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a leaf differs from a good one."""

    key: str = "P-256"
    names: tuple[str, ...] = (HOST, f"www.{HOST}")
    age_days: float = 10
    left_days: float = 80.5  # half a day, so that the count of whole days stands still during a test
    issuer: str = "known"  # "known", "stranger" or "self"
    sent: str = "leaf intermediate"
    sha1: bool = False
    must_staple: bool = False
    logs: int = 0  # timestamps of as many logs are embedded; nobody's signature stands under them


RECIPES = {
    "good": Recipe(),
    "rsa": Recipe(key="RSA 2048"),
    "rsa_1024": Recipe(key="RSA 1024"),
    "rsa_512": Recipe(key="RSA 512"),  # EXPORT suites want it: OpenSSL has no shorter key at hand
    "p384": Recipe(key="P-384"),
    "ed25519": Recipe(key="Ed25519"),
    "ed448": Recipe(key="Ed448"),
    "no_san": Recipe(names=()),
    # More than a record holds, most of it for nothing.
    "bulk": Recipe(names=tuple(f"{'a' * 50}{number}.other.test" for number in range(90)), issuer="stranger"),
    "long_chain": Recipe(sent="leaf intermediate bulk bulk bulk bulk bulk"),
    "expired": Recipe(age_days=90, left_days=-1.5),
    "seven_days": Recipe(left_days=7.5),
    "wrong_host": Recipe(names=("other.test",)),
    "wildcard": Recipe(names=(f"*.{HOST.partition('.')[2]}",)),
    "self_signed": Recipe(issuer="self", sent="leaf"),
    "unknown_ca": Recipe(issuer="stranger"),
    "no_intermediate": Recipe(sent="leaf"),
    "wrong_order": Recipe(sent="leaf root intermediate"),
    "sha1": Recipe(key="RSA 2048", sha1=True),
    "must_staple": Recipe(must_staple=True),
    "revoked": Recipe(),
    "logged": Recipe(logs=2),
}


@dataclass(frozen=True, slots=True)
class Leaf:
    """Files in PEM; `chain` is what the server sends."""

    chain: Path
    key: Path
    certificate: x509.Certificate


class Authority:
    """A root and an intermediate; `root_file` and `issuer_file` hold both, `key_file` the intermediate's key."""

    def __init__(self, folder: Path, name: str) -> None:
        root_key, self.key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        self.name = _name(f"{name} intermediate")
        root_name = _name(f"{name} root")
        self.root = _authority(root_name, root_key, root_name, root_key)
        self.intermediate = _authority(self.name, self.key, root_name, root_key)
        self.root_file, self.issuer_file = folder / f"{name}-root.pem", folder / f"{name}-issuer.pem"
        self.key_file = folder / f"{name}-issuer.key"
        self.root_file.write_bytes(_pem(self.root))
        self.issuer_file.write_bytes(_pem(self.intermediate))
        _write_key(self.key_file, self.key)


class Certificates:
    """Every leaf of RECIPES, as files in `folder`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self.known, self._stranger = Authority(folder, "known"), Authority(folder, "stranger")
        self.leaves: dict[str, Leaf] = {}
        for name, recipe in RECIPES.items():
            self.leaves[name] = self._leaf(name, recipe)

    def _leaf(self, name: str, recipe: Recipe) -> Leaf:
        key = _make_key(recipe.key)
        authority = self._stranger if recipe.issuer == "stranger" else self.known
        signer: Signer = authority.key
        issuer = authority.name
        if recipe.issuer == "self":
            assert isinstance(key, Signer)
            signer, issuer = key, _name(HOST)
        chain, key_file = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        _write_key(key_file, key)
        certificate = _builder(recipe, key, issuer, signer).sign(signer, hashes.SHA256())
        if recipe.sha1:
            certificate = _again_with_sha1(certificate, key, authority, chain)
        parts = {"leaf": certificate, "intermediate": authority.intermediate, "root": authority.root}
        if "bulk" in recipe.sent:
            parts["bulk"] = self.leaves["bulk"].certificate
        chain.write_bytes(b"".join(_pem(parts[part]) for part in recipe.sent.split()))
        return Leaf(chain, key_file, certificate)


def _make_key(kind: str) -> Key:
    if kind == "Ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind == "Ed448":
        return ed448.Ed448PrivateKey.generate()
    if kind == "RSA 512":
        # The library refuses to make one.
        made = run([find_program("openssl", "openssl"), "genrsa", "512"])
        key = load_pem_private_key(made.encode(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        return key
    if kind.startswith("RSA"):
        return rsa.generate_private_key(65537, int(kind.split()[1]))
    return ec.generate_private_key({"P-256": ec.SECP256R1, "P-384": ec.SECP384R1}[kind]())


def _builder(recipe: Recipe, key: Key, issuer: x509.Name, signer: Signer) -> x509.CertificateBuilder:
    names = x509.SubjectAlternativeName([x509.DNSName(name) for name in recipe.names])
    subject = _name(recipe.names[0] if recipe.names and recipe.issuer != "self" else HOST)
    usage = _usage(digital_signature=True, key_encipherment=isinstance(key, rsa.RSAPrivateKey))
    made = (
        _dated(subject, key, issuer, recipe.age_days, recipe.left_days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if recipe.names:
        made = made.add_extension(names, critical=False)
    if recipe.must_staple:
        made = made.add_extension(x509.TLSFeature([x509.TLSFeatureType.status_request]), critical=False)
    if recipe.logs:
        made = made.add_extension(_timestamps(recipe.logs), critical=False)
    return made


def _again_with_sha1(made: x509.Certificate, key: Key, authority: Authority, file: Path) -> x509.Certificate:
    """The same certificate from now on: the library no longer signs with SHA-1, but a tool does."""
    request = x509.CertificateSigningRequestBuilder(made.subject)
    for one in made.extensions:
        request = request.add_extension(one.value, one.critical)
    assert isinstance(key, Signer)
    file.write_bytes(request.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    left = made.not_valid_after_utc - dt.datetime.now(dt.UTC)
    signed = run(
        [find_program("openssl", "openssl"), "x509", "-req", "-in", str(file), "-sha1", "-copy_extensions", "copyall",
         "-days", str(left.days + 1), "-CA", str(authority.issuer_file), "-CAkey", str(authority.key_file),
         "-set_serial", str(made.serial_number)]
    )  # fmt: skip
    return x509.load_pem_x509_certificate(signed.encode())


def _authority(
    name: x509.Name, key: ec.EllipticCurvePrivateKey, issuer: x509.Name, signer: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    signer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    return (
        _dated(name, key, issuer, age_days=400, left_days=1400)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True, digital_signature=True), critical=True)
        .add_extension(signer_id, critical=False)
        .sign(signer, hashes.SHA256())
    )


def _dated(
    subject: x509.Name, key: Key, issuer: x509.Name, age_days: float, left_days: float
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    return (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=age_days))
        .not_valid_after(now + dt.timedelta(days=left_days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _timestamps(logs: int) -> x509.UnrecognizedExtension:
    """RFC 6962 3.2, 3.3: version 1, the log, a moment, no extensions, a signature of ECDSA with SHA-256."""
    moment = int(dt.datetime.now(dt.UTC).timestamp() * 1000).to_bytes(8, "big")
    ones = (
        b"\0" + bytes([n]) * 32 + moment + b"\0\0" + b"\x04\x03" + _sized(b"nobody")
        for n in range(1, logs + 1)
    )
    body = _sized(b"".join(_sized(one) for one in ones))
    assert len(body) < 256
    octets = b"\x04" + (b"\x81" if len(body) > 127 else b"") + bytes([len(body)]) + body
    return x509.UnrecognizedExtension(ExtensionOID.PRECERT_SIGNED_CERTIFICATE_TIMESTAMPS, octets)


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


def _usage(**wanted: bool) -> x509.KeyUsage:
    every = (
        "digital_signature", "key_encipherment", "key_cert_sign", "crl_sign", "content_commitment",
        "data_encipherment", "key_agreement", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: wanted.get(name, False) for name in every})


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def _write_key(file: Path, key: Key) -> None:
    # Old OpenSSL reads RSA keys in their traditional form alone.
    form = PrivateFormat.TraditionalOpenSSL if isinstance(key, rsa.RSAPrivateKey) else PrivateFormat.PKCS8
    file.touch(mode=0o600)
    file.write_bytes(key.private_bytes(Encoding.PEM, form, NoEncryption()))
