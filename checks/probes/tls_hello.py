"""ClientHello messages, written by hand: what the host's OpenSSL is willing to offer must not decide what a
server is seen to accept."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from functools import lru_cache

SSL3, TLS10, TLS11, TLS12, TLS13 = 0x0300, 0x0301, 0x0302, 0x0303, 0x0304
P256, P384, P521, X25519, X448, X25519MLKEM768 = 0x17, 0x18, 0x19, 0x1D, 0x1E, 0x11EC
# secp224r1, secp256k1, secp192r1 and brainpool stand last: only a server that has nothing else takes them.
# No finite-field group: with one, a new server would show it in place of the size that old clients get.
GROUPS_12 = (X25519, P256, P384, P521, X448, 0x1A, 0x1B, 0x1C, 0x16, 0x15, 0x13)
GROUPS_13 = (X25519, P256, P384, P521, X448, 0x0100, 0x0101, 0x0102)
# Last in a hello: a server that has nothing else names them in its retry, and so shows its TLS 1.3.
HYBRIDS = (X25519MLKEM768, 0x11EB, 0x11ED)
GROUP_NAMES = {
    P256: "secp256r1", P384: "secp384r1", P521: "secp521r1", X25519: "x25519", X448: "x448",
    X25519MLKEM768: "X25519MLKEM768", 0x11EB: "SecP256r1MLKEM768", 0x11ED: "SecP384r1MLKEM1024",
    0x0100: "ffdhe2048", 0x0101: "ffdhe3072", 0x0102: "ffdhe4096",
}  # fmt: skip
CURVE_BITS = {
    0x13: 192, 0x15: 224, 0x16: 256, P256: 256, P384: 384, P521: 521, 0x1A: 256, 0x1B: 384, 0x1C: 512,
    X25519: 256, X448: 448,
}  # fmt: skip
# ECDSA, EdDSA, RSA-PSS, RSA with SHA-2; then what only old servers need: SHA-1 and DSA.
_SIGNATURES = (
    0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0809, 0x080A, 0x080B,
    0x0401, 0x0501, 0x0601, 0x0203, 0x0201, 0x0402, 0x0202,
)  # fmt: skip
_DEFLATE_OR_NULL, _NULL = b"\x01\x00", b"\x00"
# Some load balancers hang on a hello of 256 to 511 bytes (RFC 7685).
_PADDED_FROM, _PADDED_TO = 256, 512


@dataclass(frozen=True, slots=True)
class Hello:
    """One ClientHello.  `version`: the highest offered; `share`: group and public key of TLS 1.3, None for an
    empty list, which makes the server name the group it wants."""

    server_name: str
    version: int
    suites: tuple[int, ...]
    groups: tuple[int, ...] = GROUPS_12
    share: tuple[int, bytes] | None = None
    cookie: bytes = b""
    random: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    session: bytes = b""
    oldest: int = TLS13  # where the highest is TLS 1.3: the oldest version offered beside it
    protocols: tuple[bytes, ...] = (b"h2", b"http/1.1")  # ALPN; () where none is spoken, as in mail

    def again(self, share: tuple[int, bytes], cookie: bytes) -> Hello:
        """The answer to a HelloRetryRequest: the same hello with the share asked for (RFC 8446 4.1.2)."""
        return replace(self, share=share, cookie=cookie)

    def message(self) -> bytes:
        """The handshake message, header included."""
        body = min(self.version, TLS12).to_bytes(2, "big") + self.random + _vector(self.session, 1)
        body += _vector(_numbers(self.suites), 2)
        # TLS 1.3 forbids offering compression; elsewhere the offer shows who would take it.
        body += _vector(_NULL if self.version == TLS13 else _DEFLATE_OR_NULL, 1)
        if self.version > SSL3:
            body += _vector(self._padded(len(body)), 2)
        return b"\x01" + _vector(body, 3)

    def record(self) -> bytes:
        message = self.message()
        return b"\x16" + min(self.version, TLS10).to_bytes(2, "big") + _vector(message, 2)

    def _padded(self, before: int) -> bytes:
        extensions = self._extensions()
        length = 4 + before + 2 + len(extensions)
        if _PADDED_FROM <= length < _PADDED_TO:
            extensions += _extension(21, bytes(max(0, _PADDED_TO - length - 4)))
        return extensions

    def _extensions(self) -> bytes:
        name = _vector(b"\x00" + _vector(self.server_name.encode("ascii"), 2), 2)
        protocols = b"".join(_vector(one, 1) for one in self.protocols)
        found = _extension(0, name) + _extension(10, _vector(_numbers(self.groups), 2))
        found += _extension(16, _vector(protocols, 2)) if protocols else b""
        found += _extension(5, b"\x01\x00\x00\x00\x00") + _extension(18, b"")  # OCSP staple, SCTs
        if self.version >= TLS12:
            found += _extension(13, _vector(_numbers(_SIGNATURES), 2))
        if min(self.version, self.oldest) < TLS13:
            # Point formats, extended master secret, session ticket, secure renegotiation.
            found += _extension(11, b"\x01\x00") + _extension(23, b"") + _extension(35, b"")
            found += _extension(0xFF01, b"\x00")
        return found + (self._extensions13() if self.version == TLS13 else b"")

    def _extensions13(self) -> bytes:
        versions = tuple(range(TLS13, self.oldest - 1, -1))
        key = b"" if self.share is None else self.share[0].to_bytes(2, "big") + _vector(self.share[1], 2)
        found = _extension(43, _vector(_numbers(versions), 1)) + _extension(51, _vector(key, 2))
        return found + (_extension(44, _vector(self.cookie, 2)) if self.cookie else b"")


def hello13(server_name: str, suites: tuple[int, ...], groups: tuple[int, ...] = GROUPS_13) -> Hello:
    """A hello for TLS 1.3 alone, without a share; the session id keeps middleboxes calm (RFC 8446 D.4)."""
    return Hello(server_name, TLS13, suites, groups, session=secrets.token_bytes(32))


def _vector(data: bytes, size: int) -> bytes:
    return len(data).to_bytes(size, "big") + data


@lru_cache(maxsize=64)
def _numbers(values: tuple[int, ...]) -> bytes:
    return b"".join(value.to_bytes(2, "big") for value in values)


def _extension(kind: int, data: bytes) -> bytes:
    return kind.to_bytes(2, "big") + _vector(data, 2)
