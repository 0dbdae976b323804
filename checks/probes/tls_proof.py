"""Does the server own the key of the certificate it shows?  The signatures of the first flight, checked.

Up to TLS 1.2 the one over both randoms and the parameters of the key exchange (RFC 5246 7.4.3, RFC 4346
7.4.3, RFC 8422 5.4), in TLS 1.3 the one over the transcript (RFC 8446 4.4.3).  Key exchange by RSA itself
shows no proof before the handshake ends.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa

from checks.parse.tls import Signed
from checks.probes.tls_chain import UNREADABLE
from checks.probes.tls_hello import TLS12

_HASHES: dict[int, type[hashes.HashAlgorithm]] = {
    1: hashes.MD5, 2: hashes.SHA1, 3: hashes.SHA224, 4: hashes.SHA256, 5: hashes.SHA384, 6: hashes.SHA512,
}  # fmt: skip
_RSA, _DSA, _ECDSA = 1, 2, 3  # SignatureAlgorithm of RFC 5246 7.4.1.4.1
_PSS: dict[int, type[hashes.HashAlgorithm]] = {
    0x0804: hashes.SHA256, 0x0805: hashes.SHA384, 0x0806: hashes.SHA512,
    0x0809: hashes.SHA256, 0x080A: hashes.SHA384, 0x080B: hashes.SHA512,
}  # fmt: skip
_ED25519, _ED448 = 0x0807, 0x0808
# In TLS 1.3 a scheme of ECDSA names the curve as well.
_CURVES_13 = {0x0403: "secp256r1", 0x0503: "secp384r1", 0x0603: "secp521r1"}
_CONTEXT_13 = b" " * 64 + b"TLS 1.3, server CertificateVerify\x00"
_Edwards = ed25519.Ed25519PublicKey | ed448.Ed448PublicKey
Key = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | dsa.DSAPublicKey | _Edwards


# Every hello of a look shows the same leaf; a handful is enough for the looks that run at the same time.
@lru_cache(maxsize=8)
def leaf_key(leaf: bytes) -> Key | None:
    """The key of a certificate in DER; None for one that cannot be read, or signs in a way unknown here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            key = x509.load_der_x509_certificate(leaf).public_key()
        except UNREADABLE:
            return None
    return key if isinstance(key, Key) else None


def proves_12(leaf: bytes, version: int, randoms: bytes, signed: Signed) -> bool | None:
    """Whether the parameters are signed by the leaf's key.  `randoms`: client's and server's.  None where
    that cannot be checked here."""
    key, data = leaf_key(leaf), randoms + signed.parameters
    if key is None:
        return None
    if version < TLS12:
        return _holds(lambda: _verify_old(key, signed.signature, data))
    return _holds(lambda: _verify_scheme(key, signed.scheme, signed.signature, data))


def proves_13(leaf: bytes, digest: bytes, scheme: int, signature: bytes) -> bool | None:
    """Whether the transcript up to Certificate (its hash) is signed by the leaf's key; None as above."""
    key = leaf_key(leaf)
    if key is None:
        return None
    curve = _CURVES_13.get(scheme)
    if curve is None and scheme not in {*_PSS, _ED25519, _ED448}:
        return False  # PKCS #1 and SHA-1 sign nothing in TLS 1.3
    if curve is not None and (not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != curve):
        return False
    return _holds(lambda: _verify_scheme(key, scheme, signature, _CONTEXT_13 + digest))


def _holds(verify: Callable[[], bool]) -> bool | None:
    try:
        return verify()
    except UnsupportedAlgorithm:
        return None
    except (InvalidSignature, ValueError):  # ValueError: a signature that a key of this size cannot make
        return False


def _verify_old(key: Key, signature: bytes, data: bytes) -> bool:
    """SSL 3.0 to TLS 1.1: RSA signs MD5 and SHA-1 side by side, the others SHA-1."""
    if isinstance(key, rsa.RSAPublicKey):
        old = (hashlib.md5(data, usedforsecurity=False), hashlib.sha1(data, usedforsecurity=False))
        digests = b"".join(one.digest() for one in old)
        return key.recover_data_from_signature(signature, padding.PKCS1v15(), None) == digests
    return _verify_scheme(
        key, 0x0200 | (_DSA if isinstance(key, dsa.DSAPublicKey) else _ECDSA), signature, data
    )


def _verify_scheme(key: Key, scheme: int, signature: bytes, data: bytes) -> bool:
    """Raises InvalidSignature; False where key and scheme do not go together."""
    algorithm, kind = _HASHES.get(scheme >> 8), scheme & 0xFF
    if isinstance(key, rsa.RSAPublicKey) and scheme in _PSS:
        pss = _PSS[scheme]()
        key.verify(signature, data, padding.PSS(padding.MGF1(pss), pss.digest_size), pss)
    elif isinstance(key, _Edwards):
        if scheme != (_ED25519 if isinstance(key, ed25519.Ed25519PublicKey) else _ED448):
            return False
        key.verify(signature, data)
    elif isinstance(key, rsa.RSAPublicKey) and algorithm and kind == _RSA:
        key.verify(signature, data, padding.PKCS1v15(), algorithm())
    elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm and kind == _ECDSA:
        key.verify(signature, data, ec.ECDSA(algorithm()))
    elif isinstance(key, dsa.DSAPublicKey) and algorithm and kind == _DSA:
        key.verify(signature, data, algorithm())
    else:
        return False
    return True
