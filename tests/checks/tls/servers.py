"""TLS servers on loopback for the tests: one real nginx with a server block per case, and fakes in Python that
answer with bytes written by hand."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime as dt
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

from tests.lab.ca import LabCa, Leaf
from tests.lab.nginx import Nginx, server
from tests.lab.processes import answers

HOST = "social.test"
SUITES_13 = {
    "aes128": "TLS_AES_128_GCM_SHA256",
    "aes256": "TLS_AES_256_GCM_SHA384",
    "chacha20": "TLS_CHACHA20_POLY1305_SHA256",
    "ccm": "TLS_AES_128_CCM_SHA256",
}
MODERN = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305"
# Primes of RFC 2409 6.2 (1024 bits) and RFC 3526 3 (2048 bits).
PRIME_1024 = (
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF"
)
PRIME_2048 = (
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AACAA68FFFFFFFFFFFFFFFF"
)


@dataclass(frozen=True, slots=True)
class Case:
    """One server block: how it differs from a good one."""

    name: str
    lines: tuple[str, ...]
    http2: bool = True
    certificate: str = "good"
    second: str = ""  # another certificate beside the first


def _tls(protocols: str, ciphers: str, *more: str) -> tuple[str, ...]:
    return (f"ssl_protocols {protocols};", f"ssl_ciphers {ciphers};", *more)


_GOOD = _tls("TLSv1.2 TLSv1.3", MODERN)
CASES = (
    # By name: newer OpenSSL offers X25519MLKEM768 by itself.
    Case("modern", (*_GOOD, "ssl_ecdh_curve X25519:prime256v1:secp384r1;")),
    Case("tls12_only", _tls("TLSv1.2", MODERN)),
    Case("tls13_only", _tls("TLSv1.3", MODERN)),
    Case("old", _tls("TLSv1 TLSv1.1 TLSv1.2", "ALL:@SECLEVEL=0")),
    Case("tls10_only", _tls("TLSv1", "ALL:@SECLEVEL=0"), certificate="rsa"),
    Case("rsa_kx", _tls("TLSv1.2", "AES128-GCM-SHA256:AES256-SHA"), certificate="rsa"),
    Case("cbc", _tls("TLSv1.2", "ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA384"), certificate="rsa"),
    Case("dhe_1024", _tls("TLSv1.2", "DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0", "ssl_dhparam @DH1024@;"), certificate="rsa"),
    Case("dhe_2048", _tls("TLSv1.2", "DHE-RSA-AES128-GCM-SHA256", "ssl_dhparam @DH2048@;"), certificate="rsa"),
    Case("null_anon", _tls("TLSv1.2", "NULL:aNULL:@SECLEVEL=0"), certificate="rsa"),
    Case("cbc_first", _tls("TLSv1.2", "ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256", "ssl_prefer_server_ciphers on;"), certificate="rsa"),
    Case("cbc_last", _tls("TLSv1.2 TLSv1.3", "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA:AES128-SHA", "ssl_prefer_server_ciphers on;"), certificate="rsa"),
    Case("no_h2", _GOOD, http2=False),
    Case("p384", (*_GOOD, "ssl_ecdh_curve secp384r1;")),
    Case("p521", (*_tls("TLSv1.3", MODERN), "ssl_ecdh_curve secp521r1;")),
    *(
        Case(name, (*_tls("TLSv1.3", MODERN), f"ssl_conf_command Ciphersuites {suite};"))
        for name, suite in SUITES_13.items()
    ),
    Case("dual", _GOOD, second="rsa"),
    Case("dual_own_order", (*_GOOD, "ssl_prefer_server_ciphers on;"), second="rsa"),
    Case("client_certificate", (*_GOOD, "ssl_verify_client optional_no_ca;")),
    Case("expired", _GOOD, certificate="expired"),
    Case("wrong_host", _GOOD, certificate="wrong_host"),
    Case("self_signed", _GOOD, certificate="self_signed"),
    Case("no_intermediate", _GOOD, certificate="no_intermediate"),
    Case("rsa_1024", _tls("TLSv1.2 TLSv1.3", "ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0"), certificate="rsa_1024"),
    Case("refuses", ("ssl_reject_handshake on;",)),
    Case("stapled", (*_GOOD, "ssl_stapling on;", "ssl_stapling_file @GOOD;")),
    Case("revoked", (*_GOOD, "ssl_stapling on;", "ssl_stapling_file @REVOKED;")),
    Case("must_staple", _GOOD, certificate="must_staple"),
)  # fmt: skip


class TlsLab:
    """All cases behind one nginx, each on an address of its own."""

    def __init__(self, folder: Path) -> None:
        self.ca = LabCa(folder / "ca")
        self.trust_pem = self.ca.file.read_text()
        self.port = free_port()
        self.addresses = {case.name: f"127.77.0.{number}" for number, case in enumerate(CASES, 1)}
        self._folder = folder
        self._leaves = self._certificates()
        nginx = Nginx("tls cases", folder)
        self._server = nginx.start([line for case in CASES for line in self._block(nginx, case)])
        self._server.wait_ready(lambda: answers(self.addresses["modern"], self.port))

    def stop(self) -> None:
        self._server.stop()

    def _certificates(self) -> dict[str, Leaf]:
        def issue(kind: str, name: str = HOST, age: float = 10, left: float = 80, bits: int = 0) -> Leaf:
            self.ca.folder = self._folder / "ca" / kind
            self.ca.folder.mkdir()
            return self.ca.issue(name, f"www.{name}", age_days=age, left_days=left, rsa_bits=bits)

        found = {
            "good": issue("good"),
            "rsa": issue("rsa", bits=2048),
            "rsa_1024": issue("rsa_1024", bits=1024),
            "expired": issue("expired", age=90, left=-1),
            "wrong_host": issue("wrong_host", name="other.test"),
            "no_intermediate": issue("no_intermediate"),
        }
        lone = found["no_intermediate"]
        lone.chain.write_bytes(lone.certificate.public_bytes(Encoding.PEM))
        found["self_signed"] = self_signed(self._folder / "ca")
        found["must_staple"] = self._must_staple(issue("must_staple"))
        for status in (ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED):
            answer = ocsp_answer(self.ca, found["good"].certificate, status)
            (self._folder / f"{status.name}.der").write_bytes(answer)
        return found

    def _must_staple(self, leaf: Leaf) -> Leaf:
        wanted = x509.TLSFeature([x509.TLSFeatureType.status_request])
        certificate = signed_again(self.ca, leaf.certificate, wanted)
        pem = (certificate, self.ca.intermediate)
        leaf.chain.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in pem))
        return Leaf(leaf.chain, leaf.key, certificate)

    def _block(self, nginx: Nginx, case: Case) -> list[str]:
        listen, line = nginx.http2()
        switches = [line] if case.http2 and line else []
        for bits, prime in ((1024, PRIME_1024), (2048, PRIME_2048)):
            (self._folder / f"dh{bits}.pem").write_bytes(dh_parameters(prime))
        lines = [text.replace("@DH", f"{self._folder}/dh").replace("@;", ".pem;") for text in case.lines]
        for name in ("GOOD", "REVOKED"):
            lines = [text.replace(f"@{name}", f'"{self._folder}/{name}.der"') for text in lines]
        leaves = [self._leaves[name] for name in (case.certificate, case.second) if name]
        files = [f'ssl_certificate "{x.chain}"; ssl_certificate_key "{x.key}";' for x in leaves]
        where = f"{self.addresses[case.name]}:{self.port} ssl{listen if case.http2 else ''}"
        return server((where,), HOST, *files, *switches, *lines, "return 204;")


def signed_again(ca: LabCa, leaf: x509.Certificate, *more: x509.ExtensionType) -> x509.Certificate:
    """The same certificate with further extensions."""
    builder = x509.CertificateBuilder(
        leaf.issuer, leaf.subject, leaf.public_key(), leaf.serial_number,
        leaf.not_valid_before_utc, leaf.not_valid_after_utc,
    )  # fmt: skip
    for extension in leaf.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    for value in more:
        builder = builder.add_extension(value, critical=False)
    return builder.sign(ca_key(ca), hashes.SHA256())


def ca_key(ca: LabCa) -> ec.EllipticCurvePrivateKey:
    key = ca._key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def ocsp_answer(
    ca: LabCa,
    leaf: x509.Certificate,
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    *,
    signer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None = None,
    by_name: bool = False,
    more: tuple[x509.ExtensionType, ...] = (),
) -> bytes:
    """What the lab's authority, or `signer` for it, says of a leaf."""
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    revoked = status is ocsp.OCSPCertStatus.REVOKED
    who, key = signer or (ca.intermediate, ca_key(ca))
    encoding = ocsp.OCSPResponderEncoding.NAME if by_name else ocsp.OCSPResponderEncoding.HASH
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            leaf, ca.intermediate, hashes.SHA1(), status, now - dt.timedelta(hours=1),
            now + dt.timedelta(days=3), now - dt.timedelta(days=2) if revoked else None, None,
        )
        .responder_id(encoding, who)
    )  # fmt: skip
    if signer is not None:
        builder = builder.certificates([who])
    for value in more:
        builder = builder.add_extension(value, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def self_signed(folder: Path) -> Leaf:
    """A certificate for the host that nobody but itself has signed."""
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=80))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain, key_file = folder / "self_signed.pem", folder / "self_signed.key"
    chain.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return Leaf(chain, key_file, certificate)


def dh_parameters(prime: str) -> bytes:
    """PKCS #3 by hand: the library calls its own function for it deprecated."""
    integer = b"\0" + bytes.fromhex(prime)
    body = b"\x02\x82" + len(integer).to_bytes(2, "big") + integer + b"\x02\x01\x02"
    whole = b"\x30\x82" + len(body).to_bytes(2, "big") + body
    return b"-----BEGIN DH PARAMETERS-----\n" + base64.encodebytes(whole) + b"-----END DH PARAMETERS-----\n"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class Asked:
    """What a fake needs of a ClientHello."""

    version: int
    suites: tuple[int, ...]
    extensions: dict[int, bytes]
    session: bytes

    @property
    def highest(self) -> int:
        versions = self.extensions.get(43, b"")[1:]
        return max(
            (int.from_bytes(versions[i : i + 2], "big") for i in range(0, len(versions), 2)),
            default=self.version,
        )

    @property
    def groups(self) -> tuple[int, ...]:
        listed = self.extensions.get(10, b"")[2:]
        return tuple(int.from_bytes(listed[i : i + 2], "big") for i in range(0, len(listed), 2))


def read_hello(record: bytes) -> Asked:
    """Takes a ClientHello record apart."""
    body = record[9:]
    version, at = int.from_bytes(body[:2], "big"), 34
    session = body[at + 1 : at + 1 + body[at]]
    at += 1 + len(session)
    size = int.from_bytes(body[at : at + 2], "big")
    suites = tuple(int.from_bytes(body[i : i + 2], "big") for i in range(at + 2, at + 2 + size, 2))
    at += 2 + size
    at += 1 + body[at]
    extensions, at = {}, at + 2
    while at < len(body):
        kind, size = int.from_bytes(body[at : at + 2], "big"), int.from_bytes(body[at + 2 : at + 4], "big")
        extensions[kind] = body[at + 4 : at + 4 + size]
        at += 4 + size
    return Asked(version, suites, extensions, session)


def alert(number: int, level: int = 2) -> bytes:
    return bytes([21, 3, 1, 0, 2, level, number])


def handshake(*messages: tuple[int, bytes], version: int = 0x0301) -> bytes:
    """The messages in one record."""
    whole = b"".join(bytes([kind]) + len(body).to_bytes(3, "big") + body for kind, body in messages)
    return b"\x16" + version.to_bytes(2, "big") + len(whole).to_bytes(2, "big") + whole


def server_hello(
    version: int,
    suite: int,
    extensions: bytes = b"",
    *,
    session: bytes = b"",
    random: bytes = b"r" * 32,
    compression: int = 0,
) -> tuple[int, bytes]:
    body = version.to_bytes(2, "big") + random + bytes([len(session)]) + session
    body += suite.to_bytes(2, "big") + bytes([compression])
    return 2, body + (len(extensions).to_bytes(2, "big") + extensions if extensions else b"")


def extension(kind: int, body: bytes) -> bytes:
    return kind.to_bytes(2, "big") + len(body).to_bytes(2, "big") + body


def chosen(asked: Asked, suites: tuple[int, ...], versions: tuple[int, ...], certificate: bytes) -> bytes:
    """The first flight of a server with these suites and versions, or its alert."""
    version = max((v for v in versions if v <= asked.version), default=0)
    suite = next((s for s in asked.suites if s in suites), None)
    if not version:
        return alert(70)
    if suite is None:
        return alert(40)
    entry = len(certificate).to_bytes(3, "big") + certificate
    chain = (11, len(entry).to_bytes(3, "big") + entry)
    return handshake(
        server_hello(version, suite, extension(0xFF01, b"\0")), chain, (14, b""), version=version
    )


Behaviour = Callable[[bytes, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def goodbye(record: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Closes and says nothing."""


@contextlib.asynccontextmanager
async def fake(behave: Behaviour, ssl2: Behaviour = goodbye) -> AsyncIterator[int]:
    """A server on 127.0.0.1 that reads one record of each connection and then behaves; yields its port.
    To SSL 2.0 it says goodbye, where `ssl2` does not say otherwise."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readexactly(5)
            if head[0] & 0x80:
                record = head + await reader.readexactly(int.from_bytes(head[:2], "big") - 0x8000 - 3)
                await ssl2(record, reader, writer)
                return
            await behave(head + await reader.readexactly(int.from_bytes(head[3:], "big")), reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return  # the prober closes whenever it has seen enough, and the test ends
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()


def answering(reply: Callable[[Asked], bytes]) -> Behaviour:
    """Behaves by one answer to the hello."""

    async def behave(record: bytes, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(reply(read_hello(record)))
        await writer.drain()

    return behave


def server_hello2(
    ciphers: bytes = b"\x01\x00\x80\x02\x00\x80",
    certificate: bytes = b"certificate",
    *,
    version: int = 2,
    connection: bytes = b"c" * 16,
    hit: int = 0,
) -> bytes:
    """The body of a SERVER-HELLO of SSL 2.0; by default with RC4 and its EXPORT form."""
    lengths = b"".join(len(part).to_bytes(2, "big") for part in (certificate, ciphers, connection))
    return bytes([4, hit, 1]) + version.to_bytes(2, "big") + lengths + certificate + ciphers + connection


def record2(body: bytes) -> bytes:
    return (0x8000 | len(body)).to_bytes(2, "big") + body
