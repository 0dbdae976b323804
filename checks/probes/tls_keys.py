"""As much of TLS 1.3's key schedule as reading the server's first flight takes (RFC 8446 7.1, 5.2, 5.3).

Nothing is ever sent under these keys: no Finished, so no connection is ever completed.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Protocol

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, x448, x25519
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from checks.errors import Malformed
from checks.probes.tls_hello import P256, P384, P521, X448, X25519, X25519MLKEM768

_CURVES: dict[int, type[ec.EllipticCurve]] = {P256: ec.SECP256R1, P384: ec.SECP384R1, P521: ec.SECP521R1}
_MLKEM_CIPHERTEXT = 1088
# suite -> hash, key bytes
_SUITES = {
    0x1301: ("sha256", 16), 0x1302: ("sha384", 32), 0x1303: ("sha256", 32),
    0x1304: ("sha256", 16), 0x1305: ("sha256", 16),
}  # fmt: skip
_TAG_BYTES = {0x1304: 16, 0x1305: 8}  # of AES-CCM


class KeyPair:
    """Our half of a key exchange: `public` goes into the hello, `secret` makes the shared secret."""

    def __init__(self, public: bytes, secret: Callable[[bytes], bytes]) -> None:
        self.public = public
        self._secret = secret

    def secret(self, share: bytes) -> bytes:
        """Malformed for a share that is no key of the group."""
        try:
            return self._secret(share)
        except ValueError as error:
            raise Malformed("key share") from error


def key_pair(group: int) -> KeyPair | None:
    """A fresh key pair; None for a group that cannot be computed here."""
    if group == X25519:
        return _x25519()
    if group == X448:
        key = x448.X448PrivateKey.generate()
        return KeyPair(
            key.public_key().public_bytes_raw(),
            lambda share: key.exchange(x448.X448PublicKey.from_public_bytes(share)),
        )
    if group in _CURVES:
        return _ecdh(_CURVES[group]())
    return _hybrid() if group == X25519MLKEM768 else None


def _x25519() -> KeyPair:
    key = x25519.X25519PrivateKey.generate()
    return KeyPair(
        key.public_key().public_bytes_raw(),
        lambda share: key.exchange(x25519.X25519PublicKey.from_public_bytes(share)),
    )


def _ecdh(curve: ec.EllipticCurve) -> KeyPair:
    key = ec.generate_private_key(curve)
    return KeyPair(
        key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
        lambda share: key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(curve, share)),
    )


def _hybrid() -> KeyPair | None:
    """X25519MLKEM768: the ML-KEM part stands first in shares and secret (draft-ietf-tls-ecdhe-mlkem 3)."""
    try:
        kem, classical = MLKEM768PrivateKey.generate(), _x25519()
    except UnsupportedAlgorithm:
        return None

    def secret(share: bytes) -> bytes:
        ciphertext, rest = share[:_MLKEM_CIPHERTEXT], share[_MLKEM_CIPHERTEXT:]
        return kem.decapsulate(ciphertext) + classical.secret(rest)

    return KeyPair(kem.public_key().public_bytes_raw() + classical.public, secret)


class _Aead(Protocol):
    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes: ...


class ServerKeys:
    """Opens the records of the server's encrypted handshake, in order."""

    def __init__(self, suite: int, secret: bytes, transcript: bytes) -> None:
        """`transcript`: ClientHello to ServerHello, as `transcript_after_retry` makes it after a retry.
        Malformed for a suite that was never offered."""
        if suite not in _SUITES:
            raise Malformed(f"suite 0x{suite:04x} in TLS 1.3")
        name, key_bytes = _SUITES[suite]
        size = hashlib.new(name).digest_size
        early = hmac.digest(bytes(size), bytes(size), name)
        derived = _expand(name, early, b"derived", hashlib.new(name).digest(), size)
        handshake = hmac.digest(derived, secret, name)
        traffic = _expand(name, handshake, b"s hs traffic", hashlib.new(name, transcript).digest(), size)
        self._aead = _aead(suite, _expand(name, traffic, b"key", b"", key_bytes))
        self._iv = _expand(name, traffic, b"iv", b"", 12)
        self._count = 0

    def open(self, header: bytes, body: bytes) -> tuple[int, bytes]:
        """(content type, content) of a record; Malformed where it does not decrypt."""
        nonce = (int.from_bytes(self._iv, "big") ^ self._count).to_bytes(12, "big")
        self._count += 1
        try:
            inner = self._aead.decrypt(nonce, body, header).rstrip(b"\x00")
        except (InvalidTag, ValueError) as error:
            raise Malformed("record does not decrypt") from error
        if not inner:
            raise Malformed("empty record")
        return inner[-1], inner[:-1]


def transcript_after_retry(suite: int, first_hello: bytes) -> bytes:
    """What stands for the first ClientHello in the transcript (RFC 8446 4.4.1)."""
    digest = hashlib.new(_SUITES.get(suite, ("sha256", 0))[0], first_hello).digest()
    return b"\xfe\x00\x00" + bytes([len(digest)]) + digest


def transcript_hash(suite: int, transcript: bytes) -> bytes:
    """Of a suite of TLS 1.3."""
    return hashlib.new(_SUITES[suite][0], transcript).digest()


def _aead(suite: int, key: bytes) -> _Aead:
    if suite == 0x1303:
        return ChaCha20Poly1305(key)
    return AESCCM(key, tag_length=_TAG_BYTES[suite]) if suite in _TAG_BYTES else AESGCM(key)


def _expand(name: str, secret: bytes, label: bytes, context: bytes, size: int) -> bytes:
    """HKDF-Expand-Label."""
    full = b"tls13 " + label
    info = size.to_bytes(2, "big") + bytes([len(full)]) + full + bytes([len(context)]) + context
    out, block, counter = b"", b"", 1
    while len(out) < size:
        block = hmac.digest(secret, block + info + bytes([counter]), name)
        out += block
        counter += 1
    return out[:size]
