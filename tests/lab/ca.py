"""The lab's certificate authority: a root, an intermediate, and leaves that strict verification accepts."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
# The issuing certificate bears the organisation of a CA whose CAA domain everybody knows, as the check of CAA
# compares the two.  Its root is known to nobody but the lab.
_ORGANISATION = "Let's Encrypt"
CAA_ISSUER = "letsencrypt.org"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A certificate with its key, as files; `chain` is leaf and intermediate."""

    chain: Path
    key: Path
    certificate: x509.Certificate

    @property
    def spki_sha256(self) -> str:
        return spki_sha256(self.certificate)


def spki_sha256(certificate: x509.Certificate) -> str:
    """What a TLSA record with selector 1 and matching type 1 holds."""
    spki = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(spki).hexdigest()


class LabCa:
    """Makes certificates below one root in `folder`; `file` is the root's PEM."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        root_key, self._key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        root_name = _name("fedisec lab root", "fedisec lab")
        self.root = self._authority(root_name, root_key, root_name, root_key, path_length=1)
        self.intermediate = self._authority(
            _name("Lab E1", _ORGANISATION), self._key, root_name, root_key, path_length=0
        )
        self.file = folder / "lab-ca.pem"
        self.file.write_bytes(_pem(self.root))

    def issue(
        self, name: str, *more: str, age_days: float = 10, left_days: float = 80, rsa_bits: int = 0
    ) -> Leaf:
        """A leaf for the names; `rsa_bits` 0 means an EC P-256 key."""
        key: _Key = (
            rsa.generate_private_key(65537, rsa_bits) if rsa_bits else ec.generate_private_key(ec.SECP256R1())
        )
        issuer = self.intermediate
        certificate = (
            self._builder(_name(name), key, issuer.subject, age_days, left_days)
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(n) for n in (name, *more)]), critical=False
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(leaf=True, encipher=bool(rsa_bits)), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(_authority_id(issuer), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        chain, key_file = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        chain.write_bytes(_pem(certificate) + _pem(issuer))
        key_file.touch(mode=0o600)
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return Leaf(chain, key_file, certificate)

    def _authority(
        self,
        name: x509.Name,
        key: _Key,
        issuer: x509.Name,
        signer: ec.EllipticCurvePrivateKey,
        path_length: int,
    ) -> x509.Certificate:
        signer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        return (
            self._builder(name, key, issuer, age_days=400, left_days=1400)
            .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
            .add_extension(_usage(leaf=False), critical=True)
            .add_extension(signer_id, critical=False)
            .sign(signer, hashes.SHA256())
        )

    def _builder(
        self, name: x509.Name, key: _Key, issuer: x509.Name, age_days: float, left_days: float
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - dt.timedelta(days=age_days))
            .not_valid_after(self.now + dt.timedelta(days=left_days))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )


def _name(common: str, organisation: str = "") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if organisation:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(parts)


def _usage(*, leaf: bool, encipher: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, key_encipherment=encipher, key_cert_sign=not leaf, crl_sign=not leaf,
        content_commitment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _authority_id(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    subject_id = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(subject_id.value)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
