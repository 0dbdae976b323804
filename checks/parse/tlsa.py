"""A TLSA record in presentation form, and whether it names a certificate, or an authority above one:
RFC 6698, RFC 7671, RFC 7672."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from checks.errors import ParseError

_RECORD = re.compile(r"(\d{1,3}) (\d{1,3}) (\d{1,3}) ([0-9A-Fa-f ]+)")
_HASHES = {1: hashlib.sha256, 2: hashlib.sha512}


@dataclass(frozen=True, slots=True)
class TlsaRecord:
    """`usage` 3 names the server's own certificate, 2 an authority above; 0 and 1 mean nothing for mail."""

    usage: int
    selector: int  # 0 the certificate, 1 its public key
    matching: int  # 0 itself, 1 SHA-256, 2 SHA-512
    data: bytes

    @property
    def is_usable(self) -> bool:
        """Whether it means anything to a mail server (RFC 7672 3.1.3)."""
        sizes = {1: 32, 2: 64}
        whole = self.matching == 0 and bool(self.data)
        return (
            self.usage in (2, 3)
            and self.selector in (0, 1)
            and (whole or len(self.data) == sizes.get(self.matching))
        )

    def names(self, certificate: bytes, public_key: bytes) -> bool:
        """Whether it names this certificate (DER; `public_key`: its SubjectPublicKeyInfo)."""
        content = {0: certificate, 1: public_key}.get(self.selector)
        if not content:
            return False
        if self.matching in _HASHES:
            content = _HASHES[self.matching](content).digest()
        elif self.matching:
            return False
        return hmac.compare_digest(content, self.data)


def parse_tlsa(text: str) -> TlsaRecord:
    found = _RECORD.fullmatch(text)
    if found is None:
        raise ParseError("not a TLSA record")
    try:
        data = bytes.fromhex(found[4])
    except ValueError:
        raise ParseError("TLSA data is not hexadecimal") from None
    return TlsaRecord(int(found[1]), int(found[2]), int(found[3]), data)


# What the certificates of a stranger may raise while they are taken apart.
_UNREADABLE = (
    ValueError, TypeError, KeyError, UnsupportedAlgorithm, x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType, x509.InvalidVersion,
)  # fmt: skip
_PATH_MAX = 8


def authority_fault(
    record: TlsaRecord, leaf: bytes, behind: Iterable[bytes], hosts: Iterable[str], now: datetime
) -> str | None:
    """What is wrong with a leaf below the authority of a record with usage 2 (RFC 7672 3.1.2): "" where it
    holds, None where the record names nothing above this leaf, else expired, authority or name.
    `hosts`: the names that the certificate may bear (3.2.2), the mail host first."""
    certificates = [found for der in (leaf, *behind) if (found := _load(der)) is not None]
    if record.selector == 0 and record.matching == 0 and (whole := _load(record.data)) is not None:
        certificates.append(whole)  # the one case in which the server need not send it
    if not certificates or certificates[0].public_bytes(Encoding.DER) != leaf:
        return None
    path = _path(record, certificates)
    if path is None:
        return None
    if any(not one.not_valid_before_utc <= now <= one.not_valid_after_utc for one in path):
        return "expired"
    if not all(_may_issue(one) for one in path[1:]):
        return "authority"
    return "" if _bears(path[0], hosts) else "name"


def _load(der: bytes) -> x509.Certificate | None:
    try:
        return x509.load_der_x509_certificate(der)
    except _UNREADABLE:
        return None


def _path(record: TlsaRecord, certificates: list[x509.Certificate]) -> list[x509.Certificate] | None:
    """From the leaf up to the certificate that the record names, each signed by the next."""
    path = [certificates[0]]
    left = certificates[1:]
    while len(path) <= _PATH_MAX:
        above = [one for one in left if _signed(path[-1], one)]
        if not above:
            return None
        named = next((one for one in above if _named(record, one)), above[0])
        path.append(named)
        if _named(record, named):
            return path
        left = [one for one in left if one is not named]
    return None


def _signed(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, *_UNREADABLE):
        return False
    return True


def _named(record: TlsaRecord, certificate: x509.Certificate) -> bool:
    try:
        key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except _UNREADABLE:
        return False
    return record.names(certificate.public_bytes(Encoding.DER), key)


def _may_issue(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return certificate.version is x509.Version.v1  # a trust anchor of old
    except _UNREADABLE:
        return False


def _bears(leaf: x509.Certificate, hosts: Iterable[str]) -> bool:
    """Whether the leaf bears one of the names; an asterisk stands for the whole first label."""
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, *_UNREADABLE):
        return False
    names = {name.lower().rstrip(".") for name in found.value.get_values_for_type(x509.DNSName)}
    return any(host in names or f"*.{host.partition('.')[2]}" in names for host in hosts)
