"""Certificates and first flights that no library would make, in DER and in bytes."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
import struct
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from tests.checks.faults.streams import Behaviour as Serve
from tests.checks.faults.streams import Reader, Writer, silent
from tests.checks.tls.servers import Asked, extension, handshake, read_hello, server_hello
from tests.lab import places as at

ECDHE_RSA, ECDHE_ECDSA, RSA_GCM, DHE_RSA = 0xC02F, 0xC02B, 0x009C, 0x009E
Reply = Callable[[Asked], bytes]


def flight(reply: Reply, *, then: Serve | None = silent, again: Reply | None = None) -> Serve:
    """Reads the hello, says `reply`, then behaves as `then`; `again` answers a second hello."""

    async def serve(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
        writer.write(reply(await _hello(reader)))
        await writer.drain()
        while again is not None:
            writer.write(again(await _hello(reader)))
            await writer.drain()
        if then is not None:
            await then(reader, writer, honest)

    return serve


async def _hello(reader: Reader) -> Asked:
    """The next ClientHello; other records are passed over."""
    while True:
        head = await reader.readexactly(5)
        if head[0] & 0x80:
            raise ConnectionResetError("SSL 2.0")
        record = head + await reader.readexactly(int.from_bytes(head[3:], "big"))
        if head[0] == 22:
            return read_hello(record)


def certificate_message(*ders: bytes) -> tuple[int, bytes]:
    """The Certificate message of TLS 1.2 with these entries."""
    entries = b"".join(len(der).to_bytes(3, "big") + der for der in ders)
    return 11, len(entries).to_bytes(3, "big") + entries


def records(*messages: tuple[int, bytes], size: int = 16000, version: int = 0x0303) -> bytes:
    """The messages, cut into records of `size` bytes."""
    whole = b"".join(bytes([kind]) + len(body).to_bytes(3, "big") + body for kind, body in messages)
    return b"".join(
        b"\x16" + struct.pack("!HH", version, len(whole[n : n + size])) + whole[n : n + size]
        for n in range(0, len(whole), size)
    )


def hello12(suite: int = ECDHE_RSA, version: int = 0x0303, more: bytes = b"") -> tuple[int, bytes]:
    return server_hello(version, suite, extension(0xFF01, b"\0") + more)


def exchange_ecdhe(
    point: bytes, signature: bytes = b"s" * 256, scheme: int = 0x0401, curve: int = 23
) -> tuple[int, bytes]:
    """ServerKeyExchange with a signature that nobody made."""
    body = b"\x03" + struct.pack("!HB", curve, len(point)) + point
    return 12, body + struct.pack("!HH", scheme, len(signature)) + signature


def exchange_dhe(prime: bytes, signature: bytes = b"s" * 256) -> tuple[int, bytes]:
    parts = b"".join(struct.pack("!H", len(one)) + one for one in (prime, b"\x02", prime[:-1] + b"\x01"))
    return 12, parts + struct.pack("!HH", 0x0401, len(signature)) + signature


def point() -> bytes:
    from cryptography.hazmat.primitives.serialization import PublicFormat

    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def shows(*ders: bytes, suite: int = ECDHE_RSA) -> Reply:
    """A whole first flight of TLS 1.2 with these certificates, whose key nobody proves."""

    def reply(asked: Asked) -> bytes:
        taken = suite if suite in asked.suites else asked.suites[0]
        return records(hello12(taken), certificate_message(*ders), exchange_ecdhe(point()), (14, b""))

    return reply


_Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@cache
def _own_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def certificate(
    *names: str,
    common: str = at.GOOD,
    organisation: str = "",
    more: tuple[x509.ExtensionType, ...] = (),
    public: rsa.RSAPublicKey | ec.EllipticCurvePublicKey | None = None,
    signer: _Key | None = None,
    issuer: str = "",
) -> x509.Certificate:
    """A leaf that signs itself unless `signer` does; nothing of it is checked."""
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common, _validate=False)]
    if organisation:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation, _validate=False))
    by = x509.NameAttribute(NameOID.COMMON_NAME, issuer or common, _validate=False)
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(parts))
        .issuer_name(x509.Name([by, *parts[1:]]))
        .public_key(public or _own_key().public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=80))
    )
    if names:
        alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(alternative, critical=False)
    for one in more:
        builder = builder.add_extension(one, critical=False)
    return builder.sign(signer or _own_key(), hashes.SHA256())


def der(*names: str, **more: object) -> bytes:
    return certificate(*names, **more).public_bytes(Encoding.DER)  # type: ignore[arg-type]


def points_inside(*urls: str) -> tuple[x509.ExtensionType, ...]:
    """AIA and CRL distribution points."""
    places = [x509.UniformResourceIdentifier(url) for url in urls]
    descriptions = [
        x509.AccessDescription(kind, place)
        for place in places
        for kind in (AuthorityInformationAccessOID.CA_ISSUERS, AuthorityInformationAccessOID.OCSP)
    ]
    lists = [x509.DistributionPoint([place], None, None, None) for place in places]
    return (x509.AuthorityInformationAccess(descriptions), x509.CRLDistributionPoints(lists))


def serves(*made: Callable[[], x509.Certificate]) -> Serve:
    """Real TLS by OpenSSL with a chain of these; behind it the honest site."""
    contexts: list[ssl.SSLContext] = []

    async def serve(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
        if not contexts:
            contexts.append(_context([one() for one in made]))
        await writer.start_tls(contexts[0])
        plain = ssl.create_default_context()
        plain.check_hostname, plain.verify_mode = False, ssl.CERT_NONE
        source, sink = await asyncio.open_connection(*honest, ssl=plain, server_hostname=at.GOOD)
        try:
            await asyncio.gather(_pump(reader, sink), _pump(source, writer))
        finally:
            sink.transport.abort()

    return serve


def _context(chain: list[x509.Certificate]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "chain.pem"
        key = _own_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(key + b"".join(one.public_bytes(Encoding.PEM) for one in chain))
        context.load_cert_chain(file)
    return context


async def _pump(source: Reader, sink: Writer) -> None:
    with suppress(OSError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
        sink.write_eof() if sink.can_write_eof() else sink.close()


__all__ = ["handshake", "server_hello"]
