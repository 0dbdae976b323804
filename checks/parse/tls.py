"""The first flight of a TLS server: records, handshake messages and what they say.

RFC 8446 (TLS 1.3), RFC 5246 (1.2), RFC 6101 (SSL 3.0).  Every function reads bytes of a stranger: lengths are
checked before they are believed, counts are capped, and only ParseError is raised.
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.errors import ParseError

RECORD_MAX = 18 * 1024  # RFC 8446 5.2 allows 2^14 + 256, RFC 5246 2^14 + 2048
MESSAGE_MAX = 128 * 1024
CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23
SERVER_HELLO, ENCRYPTED_EXTENSIONS, CERTIFICATE, SERVER_KEY_EXCHANGE = 2, 8, 11, 12
CERTIFICATE_REQUEST, SERVER_HELLO_DONE, CERTIFICATE_VERIFY, CERTIFICATE_STATUS = 13, 14, 15, 22
STATUS_REQUEST, ALPN, SCT_LIST, MASTER_SECRET, SESSION_TICKET = 5, 16, 18, 23, 35
SUPPORTED_VERSIONS, COOKIE, KEY_SHARE, RENEGOTIATION_INFO = 43, 44, 51, 0xFF01
# RFC 8446 4.1.3: a ServerHello with this random is a HelloRetryRequest.
RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
PROTOCOL_VERSION = 70
_ENTRIES_MAX = 64
_CHAIN_MAX = 16
_NAMED_CURVE = 3
_OCSP = 1
_SCT_V1 = 0

ALERTS = {
    0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 40: "handshake_failure",
    42: "bad_certificate", 43: "unsupported_certificate", 47: "illegal_parameter", 48: "unknown_ca",
    49: "access_denied", 50: "decode_error", 51: "decrypt_error", 70: "protocol_version",
    71: "insufficient_security", 80: "internal_error", 86: "inappropriate_fallback", 90: "user_canceled",
    109: "missing_extension", 110: "unsupported_extension", 112: "unrecognized_name",
    116: "certificate_required", 120: "no_application_protocol",
}  # fmt: skip


class _Reader:
    """A cursor that cannot leave its bytes."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, size: int) -> bytes:
        if size > self.left:
            raise ParseError("cut short")
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> bytes:
        """Bytes behind a length of `size` bytes."""
        return self.take(self.number(size))


@dataclass(frozen=True, slots=True)
class Record:
    kind: int
    version: int
    body: bytes
    size: int  # with its header


@dataclass(frozen=True, slots=True)
class Message:
    kind: int
    body: bytes
    whole: bytes  # with its header, as the transcript wants it


@dataclass(frozen=True, slots=True)
class ServerHello:
    """A ServerHello or, where `is_retry`, a HelloRetryRequest."""

    legacy_version: int
    random: bytes
    session_id: bytes
    suite: int
    compression: int
    extensions: tuple[tuple[int, bytes], ...]

    @property
    def is_retry(self) -> bool:
        return self.random == RETRY_RANDOM

    def extension(self, kind: int) -> bytes | None:
        return next((body for number, body in self.extensions if number == kind), None)

    @property
    def version(self) -> int:
        """0x0300 (SSL 3.0) to 0x0304 (TLS 1.3)."""
        chosen = self.extension(SUPPORTED_VERSIONS)
        return int.from_bytes(chosen, "big") if chosen and len(chosen) == 2 else self.legacy_version

    @property
    def group(self) -> int | None:
        """The key exchange group of TLS 1.3, chosen or asked for."""
        share = self.extension(KEY_SHARE)
        return int.from_bytes(share[:2], "big") if share and len(share) >= 2 else None

    @property
    def share(self) -> bytes:
        """The server's public key; b"" in a HelloRetryRequest."""
        data = self.extension(KEY_SHARE) or b""
        return data[4 : 4 + int.from_bytes(data[2:4], "big")]


@dataclass(frozen=True, slots=True)
class Chain:
    """Certificates as sent, leaf first, and what came with the leaf."""

    certificates: tuple[bytes, ...]
    staple: bytes = b""  # an OCSP answer in DER; b"": none
    logs: tuple[bytes, ...] | None = ()  # logs of the timestamps beside it, 32 bytes each; None: not readable

    @property
    def stapled(self) -> bool:
        return bool(self.staple)


@dataclass(frozen=True, slots=True)
class KeyExchange:
    """Parameters of ServerKeyExchange: exactly one of the two is set, or none for what is neither."""

    curve: int | None = None
    dh_bits: int | None = None


@dataclass(frozen=True, slots=True)
class Signed:
    """A ServerKeyExchange with its signature.  `scheme`: hash and algorithm (RFC 5246 7.4.1.4.1, RFC 8446
    4.2.3); 0 before TLS 1.2, where the key alone decides."""

    parameters: bytes
    scheme: int
    signature: bytes


def take_record(buffer: bytes) -> Record | None:
    """The first record of the buffer; None while it is not whole.  ParseError where it is no TLS."""
    if not buffer:
        return None
    if buffer[0] not in {CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA}:
        raise ParseError("no TLS record")
    if len(buffer) >= 2 and buffer[1] != 3:
        raise ParseError("no TLS version")
    if len(buffer) < 5:
        return None
    length = int.from_bytes(buffer[3:5], "big")
    if length > RECORD_MAX:
        raise ParseError("record too long")
    if len(buffer) < 5 + length:
        return None
    return Record(buffer[0], int.from_bytes(buffer[1:3], "big"), buffer[5 : 5 + length], 5 + length)


def take_message(buffer: bytes) -> Message | None:
    """The first handshake message of the buffer; None while it is not whole."""
    if len(buffer) < 4:
        return None
    length = int.from_bytes(buffer[1:4], "big")
    if length > MESSAGE_MAX:
        raise ParseError("message too long")
    if len(buffer) < 4 + length:
        return None
    return Message(buffer[0], buffer[4 : 4 + length], buffer[: 4 + length])


def parse_alert(body: bytes) -> tuple[bool, int]:
    """(fatal, number).  A close_notify is fatal whatever its level: nothing follows it."""
    if len(body) != 2 or body[0] not in {1, 2}:
        raise ParseError("no alert")
    return body[0] == 2 or body[1] == 0, body[1]


def parse_server_hello(body: bytes) -> ServerHello:
    reader = _Reader(body)
    version, random, session = reader.number(2), reader.take(32), reader.vector(1)
    if len(session) > 32:
        raise ParseError("session id too long")
    suite, compression = reader.number(2), reader.number(1)
    extensions = parse_extensions(reader.vector(2)) if reader.left else ()
    hello = ServerHello(version, random, session, suite, compression, extensions)
    if not 0x0300 <= hello.version <= 0x0304:
        raise ParseError("unknown version")
    return hello


def parse_extensions(data: bytes) -> tuple[tuple[int, bytes], ...]:
    reader = _Reader(data)
    found: list[tuple[int, bytes]] = []
    while reader.left:
        if len(found) >= _ENTRIES_MAX:
            raise ParseError("too many extensions")
        found.append((reader.number(2), reader.vector(2)))
    return tuple(found)


def parse_encrypted_extensions(body: bytes) -> tuple[tuple[int, bytes], ...]:
    return parse_extensions(_Reader(body).vector(2))


def parse_alpn(extension: bytes) -> bytes:
    """The protocol that the server chose (RFC 7301 3.1)."""
    return _Reader(_Reader(extension).vector(2)).vector(1)


def parse_chain(body: bytes, *, tls13: bool) -> Chain:
    """The Certificate message of TLS 1.3 (RFC 8446 4.4.2) or older (RFC 5246 7.4.2)."""
    reader = _Reader(body)
    if tls13:
        reader.vector(1)  # request context, empty from a server
    entries = _Reader(reader.vector(3))
    found: list[bytes] = []
    staple, logs = b"", parse_logs(b"")
    while entries.left:
        if len(found) >= _CHAIN_MAX:
            raise ParseError("too many certificates")
        found.append(entries.vector(3))
        beside = dict(parse_extensions(entries.vector(2))) if tls13 else {}
        if len(found) == 1:
            staple = parse_staple(beside[STATUS_REQUEST]) if STATUS_REQUEST in beside else b""
            logs = parse_logs(beside.get(SCT_LIST, b""))
    if not found or not all(found):
        raise ParseError("no certificate")
    return Chain(tuple(found), staple, logs)


def parse_logs(extension: bytes) -> tuple[bytes, ...] | None:
    """The logs that a list of certificate timestamps comes from, each once (RFC 6962 3.2, 3.3); () for an
    empty extension, None for a list that cannot be read."""
    if not extension:
        return ()
    found: dict[bytes, None] = {}
    try:
        reader = _Reader(_Reader(extension).vector(2))
        while reader.left:
            one = _Reader(reader.vector(2))
            if one.number(1) == _SCT_V1:
                found[one.take(32)] = None
            if len(found) > _ENTRIES_MAX:
                return None
    except ParseError:
        return None
    return tuple(found)


def parse_staple(body: bytes) -> bytes:
    """The OCSP answer in a CertificateStatus (RFC 6066 8), which is the form of TLS 1.3's extension too; b""
    for a status of another kind.  What cannot be read is handed on whole: it is no OCSP answer either."""
    reader = _Reader(body)
    try:
        return reader.vector(3) if reader.number(1) == _OCSP else b""
    except ParseError:
        return body


def parse_key_exchange(body: bytes, key_exchange: str) -> KeyExchange:
    """The parameters that go with a suite of that key exchange ("ECDHE_RSA", "DHE_RSA" …)."""
    reader = _Reader(body)
    if key_exchange.startswith("ECDH"):
        if reader.number(1) != _NAMED_CURVE:
            raise ParseError("no named curve")
        return KeyExchange(curve=reader.number(2))
    if key_exchange.startswith("DH"):
        return KeyExchange(dh_bits=int.from_bytes(reader.vector(2), "big").bit_length())
    return KeyExchange()


def parse_signed(body: bytes, key_exchange: str, version: int) -> Signed | None:
    """The signed parts of a ServerKeyExchange; None where nobody signs (anonymous, or an unknown exchange).
    ParseError where the signature is missing or not the end."""
    if "anon" in key_exchange:
        return None
    reader = _Reader(body)
    if key_exchange.startswith("ECDHE"):
        reader.take(3)
        reader.vector(1)
    elif key_exchange.startswith("DHE"):
        for _ in range(3):  # p, g and the public value
            reader.vector(2)
    elif key_exchange.startswith("RSA_EXPORT"):
        for _ in range(2):  # modulus and exponent of the short key
            reader.vector(2)
    else:
        return None
    parameters = body[: len(body) - reader.left]
    scheme = reader.number(2) if version >= 0x0303 else 0
    signature = reader.vector(2)
    if reader.left:
        raise ParseError("more behind the signature")
    return Signed(parameters, scheme, signature)


def parse_certificate_verify(body: bytes) -> tuple[int, bytes]:
    """(scheme, signature) of TLS 1.3 (RFC 8446 4.4.3)."""
    reader = _Reader(body)
    scheme, signature = reader.number(2), reader.vector(2)
    if reader.left:
        raise ParseError("more behind the signature")
    return scheme, signature
