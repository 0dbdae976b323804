"""What a server answers to a CLIENT-HELLO of SSL 2.0 (draft-hickman-netscape-ssl-00).

Its messages stand in the clear until keys exist: a header of two bytes (the highest bit set, then the length;
the form of three bytes is for padded, hence encrypted, records), then the type of the message.
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.errors import ParseError

VERSION = 2
# By number, as in the draft and in OpenSSL 1.0.2's list of the protocol.
CIPHERS = {
    0x010080: "SSL_CK_RC4_128_WITH_MD5", 0x020080: "SSL_CK_RC4_128_EXPORT40_WITH_MD5",
    0x030080: "SSL_CK_RC2_128_CBC_WITH_MD5", 0x040080: "SSL_CK_RC2_128_CBC_EXPORT40_WITH_MD5",
    0x050080: "SSL_CK_IDEA_128_CBC_WITH_MD5", 0x060040: "SSL_CK_DES_64_CBC_WITH_MD5",
    0x060140: "SSL_CK_DES_64_CBC_WITH_SHA", 0x0700C0: "SSL_CK_DES_192_EDE3_CBC_WITH_MD5",
    0x0701C0: "SSL_CK_DES_192_EDE3_CBC_WITH_SHA", 0x080080: "SSL_CK_RC4_64_WITH_MD5",
}  # fmt: skip
_CLIENT_HELLO, _SERVER_HELLO, _ERROR = 1, 4, 0
_X509 = 1
_CONNECTION_ID_MAX = 32
_HEAD = 11  # of a SERVER-HELLO, up to the certificate
_CHALLENGE = 16


@dataclass(frozen=True, slots=True)
class ServerHello2:
    """A SERVER-HELLO: the server speaks SSL 2.0, with these ciphers (none may be left of our offer)."""

    ciphers: tuple[str, ...]
    certificate: bytes  # DER, by itself: SSL 2.0 sends no chain


@dataclass(frozen=True, slots=True)
class Error2:
    """An ERROR message: it speaks the protocol well enough to say no."""

    code: int


def client_hello(challenge: bytes) -> bytes:
    """The record that offers every cipher; `challenge`: 16 random bytes."""
    if len(challenge) != _CHALLENGE:
        raise ValueError("16 bytes of challenge")
    ciphers = b"".join(number.to_bytes(3, "big") for number in CIPHERS)
    lengths = (len(ciphers), 0, len(challenge))  # no session to take up again
    body = bytes([_CLIENT_HELLO]) + VERSION.to_bytes(2, "big")
    body += b"".join(length.to_bytes(2, "big") for length in lengths) + ciphers + challenge
    return (0x8000 | len(body)).to_bytes(2, "big") + body


def take_record2(buffer: bytes) -> bytes | None:
    """The body of the first record; None while it is not whole.  ParseError for what begins otherwise."""
    if buffer and not buffer[0] & 0x80:
        raise ParseError("no SSL 2.0 record")
    if len(buffer) < 2:
        return None
    length = int.from_bytes(buffer[:2], "big") & 0x7FFF
    if not length:
        raise ParseError("empty SSL 2.0 record")
    return buffer[2 : 2 + length] if len(buffer) >= 2 + length else None


def parse_answer2(body: bytes) -> ServerHello2 | Error2:
    """The first message of the server; ParseError for every other one and for lengths that do not add up."""
    if body[:1] == bytes([_ERROR]):
        if len(body) != 3:
            raise ParseError("SSL 2.0 error of another length")
        return Error2(int.from_bytes(body[1:], "big"))
    if body[:1] != bytes([_SERVER_HELLO]) or len(body) < _HEAD:
        raise ParseError("no SERVER-HELLO")
    hit, kind, version = body[1], body[2], int.from_bytes(body[3:5], "big")
    certificate, ciphers, connection = (int.from_bytes(body[at : at + 2], "big") for at in (5, 7, 9))
    if version != VERSION:
        raise ParseError("SERVER-HELLO of another version")
    if hit or kind != _X509 or not certificate:
        raise ParseError("SERVER-HELLO without a certificate")
    if (
        ciphers % 3
        or connection > _CONNECTION_ID_MAX
        or len(body) != _HEAD + certificate + ciphers + connection
    ):
        raise ParseError("lengths of SERVER-HELLO")
    leaf, rest = body[_HEAD : _HEAD + certificate], body[_HEAD + certificate :]
    numbers = [int.from_bytes(rest[at : at + 3], "big") for at in range(0, ciphers, 3)][: 2 * len(CIPHERS)]
    return ServerHello2(tuple(CIPHERS.get(number, f"0x{number:06X}") for number in numbers), leaf)
