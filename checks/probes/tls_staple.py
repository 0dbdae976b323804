"""What comes with a certificate: an OCSP answer (RFC 6960) and the timestamps of logs (RFC 6962)."""

from __future__ import annotations

import hmac
import warnings
from collections.abc import Iterable
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, SignatureAlgorithmOID

from checks.errors import Reason
from checks.facts import Missing
from checks.facts.tls import Revocation, Staple, Timestamps
from checks.probes.tls_chain import UNREADABLE

_STATUS = {
    ocsp.OCSPCertStatus.GOOD: Revocation.GOOD,
    ocsp.OCSPCertStatus.REVOKED: Revocation.REVOKED,
    ocsp.OCSPCertStatus.UNKNOWN: Revocation.UNKNOWN,
}
_RESPONSES_MAX = 20
_NO_ISSUER = Missing(Reason.NOT_ASKED, "the issuer's certificate was not sent")
_NOT_HERE = Missing(Reason.NOT_BUILT, "a kind of signature that is not checked here")


def read_staple(
    der: bytes, leaf: x509.Certificate, behind: Iterable[x509.Certificate], now: datetime
) -> tuple[Staple | Missing, frozenset[bytes]]:
    """What the answer says of the leaf, and the logs whose timestamps it carries.  Missing for an answer that
    is none, is about another certificate, or bears a signature that does not hold.

    `behind`: certificates among which the issuer may be found."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _read(der, leaf, _issuer(leaf, behind), now)
        except UNREADABLE as error:
            return Missing(Reason.MALFORMED, f"staple: {type(error).__name__}"), frozenset()


def _read(
    der: bytes, leaf: x509.Certificate, issuer: x509.Certificate | None, now: datetime
) -> tuple[Staple | Missing, frozenset[bytes]]:
    answer = ocsp.load_der_ocsp_response(der)
    if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        return Missing(Reason.WITHHELD, f"staple: {answer.response_status.name.lower()}"), frozenset()
    single = _about(answer, leaf, issuer)
    if single is None:
        return Missing(Reason.MALFORMED, "staple about another certificate"), frozenset()
    verified = _NO_ISSUER if issuer is None else _verify(answer, issuer, now)
    if verified is False:
        return Missing(Reason.MALFORMED, "the signature of the staple does not hold"), frozenset()
    staple = Staple(
        _STATUS[single.certificate_status],
        single.this_update_utc,
        single.next_update_utc,
        single.revocation_time_utc,
        verified,
    )
    return staple, _logs_of(answer)


def _issuer(leaf: x509.Certificate, behind: Iterable[x509.Certificate]) -> x509.Certificate | None:
    for one in behind:
        try:
            leaf.verify_directly_issued_by(one)
        except (InvalidSignature, *UNREADABLE):
            continue
        return one
    return None


def _about(
    answer: ocsp.OCSPResponse, leaf: x509.Certificate, issuer: x509.Certificate | None
) -> ocsp.OCSPSingleResponse | None:
    for number, single in enumerate(answer.responses):
        if number >= _RESPONSES_MAX:
            break
        if single.serial_number != leaf.serial_number:
            continue
        if issuer is None:
            return single
        asked = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, single.hash_algorithm).build()
        if hmac.compare_digest(asked.issuer_key_hash, single.issuer_key_hash):
            return single
    return None


def _verify(answer: ocsp.OCSPResponse, issuer: x509.Certificate, now: datetime) -> bool | Missing:
    """Whether the issuer has signed, or one whom it has authorised to (RFC 6960 4.2.2.2)."""
    for signer in (issuer, *answer.certificates):
        if _is_named(answer, signer) and (signer == issuer or _is_delegate(signer, issuer, now)):
            return _signature_holds(answer, signer)
    return False


def _is_named(answer: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    if answer.responder_name is not None:
        return answer.responder_name == signer.subject
    digest = x509.SubjectKeyIdentifier.from_public_key(signer.public_key()).digest
    return hmac.compare_digest(answer.responder_key_hash or b"", digest)


def _is_delegate(signer: x509.Certificate, issuer: x509.Certificate, now: datetime) -> bool:
    try:
        uses = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        signer.verify_directly_issued_by(issuer)
    except (x509.ExtensionNotFound, InvalidSignature, *UNREADABLE):
        return False
    in_time = signer.not_valid_before_utc <= now <= signer.not_valid_after_utc
    return in_time and ExtendedKeyUsageOID.OCSP_SIGNING in uses


def _signature_holds(answer: ocsp.OCSPResponse, signer: x509.Certificate) -> bool | Missing:
    key, algorithm = signer.public_key(), answer.signature_hash_algorithm
    signature, data = answer.signature, answer.tbs_response_bytes
    try:
        if answer.signature_algorithm_oid == SignatureAlgorithmOID.RSASSA_PSS:
            return _NOT_HERE  # its parameters are not told
        if isinstance(key, rsa.RSAPublicKey) and algorithm is not None:
            key.verify(signature, data, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm is not None:
            key.verify(signature, data, ec.ECDSA(algorithm))
        elif isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
            key.verify(signature, data)
        else:
            return _NOT_HERE
    except InvalidSignature:
        return False
    return True


def _logs_of(answer: ocsp.OCSPResponse) -> frozenset[bytes]:
    try:
        extension = answer.single_extensions.get_extension_for_class(x509.SignedCertificateTimestamps)
    except (x509.ExtensionNotFound, *UNREADABLE):
        return frozenset()
    return frozenset(one.log_id for one in extension.value)


def read_timestamps(
    leaf: x509.Certificate, handshake: frozenset[bytes] | None, staple: frozenset[bytes]
) -> Timestamps | Missing:
    """The logs of all three places.  `handshake`: None for a list there that could not be read."""
    try:
        kind = x509.PrecertificateSignedCertificateTimestamps
        embedded = frozenset(one.log_id for one in leaf.extensions.get_extension_for_class(kind).value)
    except x509.ExtensionNotFound:
        embedded = frozenset()
    except UNREADABLE as error:
        return Missing(Reason.MALFORMED, f"timestamps in the certificate: {type(error).__name__}")
    if handshake is None:
        return Missing(Reason.MALFORMED, "timestamps in the handshake")
    together = embedded | handshake | staple
    return Timestamps(len(embedded), len(handshake), len(staple), len(together))
