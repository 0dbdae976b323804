"""Certificates as a server sent them, turned into facts: what they say, and whether a path to a root
exists."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import certifi
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.x509 import DNSName
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from checks.clean import clean
from checks.errors import Malformed
from checks.facts.tls import KeyKind, TrustProblem, WebCertificate
from checks.parse.tls import Chain

_NAMES_MAX = 100
_CHAIN_KEPT = 8
_PEM_BEGIN = "-----BEGIN CERTIFICATE-----"
# What the certificates of a stranger may raise while they are taken apart.
UNREADABLE = (
    # KeyError: an unknown number in an extension that lists numbers (RFC 7633).
    ValueError, TypeError, KeyError, UnsupportedAlgorithm, x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType, x509.InvalidVersion,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trust:
    """`problem` NONE: a path was found."""

    problem: TrustProblem
    detail: str = ""
    public_root: bool = False


def read_chain(chain: Chain, host: str, now: datetime, trust_pem: str) -> WebCertificate:
    """The facts of the leaf and the verdict on its path.  Malformed for a leaf that cannot be read; what
    stands behind it and cannot be read is left out of the path.  What came beside it is not looked into."""
    with warnings.catch_warnings():
        # cryptography warns of odd serial numbers and the like: they are the server's, not ours.
        warnings.simplefilter("ignore")
        try:
            return _read(chain, host, now, trust_pem)
        except UNREADABLE as error:
            raise Malformed(f"certificate: {type(error).__name__}") from error


def _read(chain: Chain, host: str, now: datetime, trust_pem: str) -> WebCertificate:
    leaf = x509.load_der_x509_certificate(chain.certificates[0])
    behind = load_all(chain.certificates[1:])
    names = alternative_names(leaf)
    trust = find_path(leaf, behind, now, trust_pem)
    kind, bits, curve = _key(leaf)
    return WebCertificate(
        subject=clean(leaf.subject.rfc4514_string(), 300, newlines=False),
        names=tuple(clean(name, 255, newlines=False) for name in names[:_NAMES_MAX]),
        issuer_organisation=_attribute(leaf.issuer, NameOID.ORGANIZATION_NAME),
        issuer_name=_attribute(leaf.issuer, NameOID.COMMON_NAME)
        or clean(leaf.issuer.rfc4514_string(), 300, newlines=False),
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
        key_kind=kind,
        key_bits=bits,
        curve=curve,
        signature_hash=_hash(leaf),
        fingerprint=leaf.fingerprint(hashes.SHA256()).hex(),
        chain=chain.certificates[:_CHAIN_KEPT],
        trusted=trust.problem is TrustProblem.NONE,
        problem=trust.problem,
        trust_detail=clean(trust.detail, 300, newlines=False),
        public_root=trust.public_root,
        name_matches=matches(host, names),
        self_signed=_is_self_signed(leaf),
        must_staple=must_staple(leaf),
        stapled=chain.stapled,
        sct_count=len(chain.logs or ()) + _embedded_scts(leaf),
    )


def load_all(ders: Iterable[bytes]) -> list[x509.Certificate]:
    """Those that can be read."""
    found = []
    for der in ders:
        try:
            found.append(x509.load_der_x509_certificate(der))
        except UNREADABLE:
            continue
    return found


def matches(host: str, names: Iterable[str]) -> bool:
    """Whether a name covers the host; an asterisk stands for the whole first label (RFC 9525 6.3)."""
    parent = host.partition(".")[2]
    return any(name == host or (parent and name == f"*.{parent}") for name in names)


def alternative_names(leaf: x509.Certificate) -> tuple[str, ...]:
    """DNS names and addresses of the SAN, lower case."""
    try:
        san = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    names = [name.lower() for name in san.get_values_for_type(x509.DNSName)]
    return (*names, *(str(address) for address in san.get_values_for_type(x509.IPAddress)))


def find_path(leaf: x509.Certificate, behind: list[x509.Certificate], now: datetime, trust_pem: str) -> Trust:
    """A path to a public root by the rules of the web, or to one of the operator's roots by laxer ones (made
    by hand, they often lack what the rules ask for).  Dates of the leaf and the host's name stand apart: the
    moment is moved into the leaf's life, the name asked for is one of its own."""
    moment = min(max(now, leaf.not_valid_before_utc), leaf.not_valid_after_utc)
    subject = _own_name(leaf)
    if _is_self_signed(leaf) and leaf not in _own_roots(trust_pem):
        return Trust(TrustProblem.SELF_SIGNED)
    if subject is None:
        return Trust(TrustProblem.BROKEN, "no DNS name among the subject alternative names")
    if not _serves(leaf):
        return Trust(TrustProblem.BROKEN, "not made for TLS servers (extended key usage)")
    why = _why_not(leaf, behind, _public_store(), subject, moment, strict=True)
    if why is None:
        return Trust(TrustProblem.NONE, public_root=True)
    roots = _own_roots(trust_pem)
    if roots and _why_not(leaf, behind, Store(list(roots)), subject, moment, strict=False) is None:
        return Trust(TrustProblem.NONE)
    if _why_not(leaf, behind, _public_store(), subject, moment, strict=False) is None:
        return Trust(TrustProblem.BROKEN, why)
    return Trust(TrustProblem.UNKNOWN_AUTHORITY, why)


def _why_not(
    leaf: x509.Certificate,
    behind: list[x509.Certificate],
    store: Store,
    subject: DNSName,
    moment: datetime,
    *,
    strict: bool,
) -> str | None:
    """None where a path is found, the library's reason otherwise."""
    builder = PolicyBuilder().store(store).time(moment)
    if not strict:
        builder = builder.extension_policies(ee_policy=_lax_leaf(), ca_policy=_lax_ca())
    try:
        builder.build_server_verifier(subject).verify(leaf, behind)
    except VerificationError as error:
        return str(error) or "no path"
    return None


def _lax_ca() -> ExtensionPolicy:
    return ExtensionPolicy.permit_all().require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)


def _lax_leaf() -> ExtensionPolicy:
    return ExtensionPolicy.permit_all().require_present(
        x509.SubjectAlternativeName, Criticality.AGNOSTIC, None
    )


@cache
def _public_store() -> Store:
    """Mozilla's roots.  One by one: a single root that the library refuses must not take all others along."""
    with open(certifi.where(), encoding="ascii", errors="replace") as file:
        return Store(load_pem(file.read()))


@cache
def roots_from() -> datetime | None:
    """The date of the list of public roots; None for a list that does not say."""
    try:
        return datetime.strptime(".".join(certifi.__version__.split(".")[:3]), "%Y.%m.%d").replace(tzinfo=UTC)
    except ValueError:
        return None


@cache
def _own_roots(trust_pem: str) -> tuple[x509.Certificate, ...]:
    return tuple(load_pem(trust_pem))


def load_pem(text: str) -> list[x509.Certificate]:
    """The certificates of a bundle that can be read; comments between them are skipped."""
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for part in text.split(_PEM_BEGIN)[1:]:
            try:
                found.append(x509.load_pem_x509_certificate((_PEM_BEGIN + part).encode("ascii", "replace")))
            except UNREADABLE:
                continue
    return found


def _own_name(leaf: x509.Certificate) -> DNSName | None:
    """A name that the leaf covers, as the library will not look for a path without one."""
    for name in alternative_names(leaf)[:_NAMES_MAX]:
        try:
            return DNSName(name.replace("*", "any", 1) if name.startswith("*.") else name)
        except ValueError:
            continue
    return None


def _serves(leaf: x509.Certificate) -> bool:
    try:
        uses = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return ExtendedKeyUsageOID.SERVER_AUTH in uses or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in uses


def _is_self_signed(leaf: x509.Certificate) -> bool:
    if leaf.issuer != leaf.subject:
        return False
    try:
        leaf.verify_directly_issued_by(leaf)
    except (InvalidSignature, *UNREADABLE):
        return False
    return True


def _key(leaf: x509.Certificate) -> tuple[KeyKind, int, str]:
    try:
        key = leaf.public_key()
    except UNREADABLE:
        return KeyKind.OTHER, 0, ""
    if isinstance(key, rsa.RSAPublicKey):
        return KeyKind.RSA, key.key_size, ""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return KeyKind.EC, key.key_size, key.curve.name
    if isinstance(key, dsa.DSAPublicKey):
        return KeyKind.DSA, key.key_size, ""
    if isinstance(key, ed25519.Ed25519PublicKey):
        return KeyKind.ED25519, 0, ""
    return (KeyKind.ED448, 0, "") if isinstance(key, ed448.Ed448PublicKey) else (KeyKind.OTHER, 0, "")


def _hash(leaf: x509.Certificate) -> str:
    try:
        algorithm = leaf.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return ""
    return algorithm.name if algorithm is not None else ""


def _attribute(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
    found = name.get_attributes_for_oid(oid)
    value = found[0].value if found else ""
    return clean(value, 200, newlines=False)


def must_staple(leaf: x509.Certificate) -> bool:
    try:
        features = leaf.extensions.get_extension_for_class(x509.TLSFeature).value
    except x509.ExtensionNotFound:
        return False
    return x509.TLSFeatureType.status_request in features


def _embedded_scts(leaf: x509.Certificate) -> int:
    try:
        found = leaf.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps).value
    except (x509.ExtensionNotFound, UnsupportedAlgorithm):
        return 0
    return len(list(found))
