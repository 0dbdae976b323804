"""TLS servers that mean harm: on port 443 of the instance, before, in and after the handshake."""

from __future__ import annotations

import asyncio
import itertools
import random
import struct
from collections.abc import Callable
from functools import partial

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

from tests.checks.faults.streams import Behaviour as Serve
from tests.checks.faults.streams import (
    Reader,
    Writer,
    drip,
    endless,
    reset_after,
    reset_at_once,
    says,
    silent,
    stalls_after,
)
from tests.checks.tls.servers import Asked, alert, extension, handshake, server_hello
from tests.hostile.groups import PORTS, SITE
from tests.hostile.model import Allows, Behaviour, World
from tests.hostile.tls_made import (
    DHE_RSA,
    ECDHE_ECDSA,
    certificate,
    certificate_message,
    der,
    exchange_dhe,
    exchange_ecdhe,
    flight,
    hello12,
    point,
    points_inside,
    records,
    serves,
    shows,
)
from tests.lab import places as at

HTTPS = (at.GOOD_IP, 443)
ANY = "pass warn fail unknown not_applicable manual"
# No handshake ever ends: nothing is known of the site, and nothing but the port of TLS.
_MUTE = Allows((*SITE, "tls.*", "edge.cdn"), dict.fromkeys(PORTS, "pass unknown"))
# ServerHello arrived and says what it says; no certificate was proven, so none is good, and none is bad.
_HALF = Allows(
    SITE,
    {
        "tls.certificate_valid": "fail unknown", "tls.certificate_lasts": "pass unknown", "tls.rating": "unknown fail warn",
        "tls.*": ANY, "domain.caa": "pass unknown", "edge.cdn": "fail unknown", **dict.fromkeys(PORTS, "pass unknown"),
    },
)  # fmt: skip
# A certificate was shown with proof, and is bad; the site behind it is the honest one.
_BAD = Allows((), {"tls.certificate_valid": "fail unknown", "tls.*": ANY, "domain.caa": ANY, **dict.fromkeys(SITE, ANY), "http.https_redirect": ANY, "edge.cdn": "fail unknown"})  # fmt: skip


def one(name: str, serve: Serve, allows: Allows, *, quick: bool = False) -> Behaviour:
    return Behaviour(f"tls-{name}", "tls", World({HTTPS: serve}), allows, quick=quick)


def endless_after(opening: bytes, again: bytes) -> Serve:
    """Reads the hello, says `opening`, then `again` for ever."""
    return flight(lambda _: b"", then=endless(opening, again))


def slowly(data: bytes, pause_s: float) -> Serve:
    async def serve(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
        await reader.read(65536)
        for byte in data:
            writer.write(bytes((byte,)))
            await writer.drain()
            await asyncio.sleep(pause_s)

    return serve


def every_alert() -> Serve:
    """Another alert to each connection, fatal and warning in turn."""
    turns = itertools.count()

    async def serve(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
        await reader.read(65536)
        turn = next(turns)
        writer.write(alert(turn * 7 % 121, 1 + turn % 2))

    return serve


def _retry(asked: Asked, more: bytes = b"", group: int = 0x0018) -> bytes:
    magic = bytes.fromhex("CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C")
    body = extension(43, b"\x03\x04") + (extension(51, group.to_bytes(2, "big")) if group else b"") + more
    return handshake(server_hello(0x0303, 0x1301, body, session=asked.session, random=magic), version=0x0303)


def _hello13(asked: Asked) -> bytes:
    """ServerHello of TLS 1.3 with a share that belongs to nobody."""
    share = extension(51, struct.pack("!HH", 0x001D, 32) + b"\x09" + bytes(31))
    hello = server_hello(0x0303, 0x1301, extension(43, b"\x03\x04") + share, session=asked.session)
    return handshake(hello, version=0x0303)


_APPDATA = b"\x17\x03\x03\x40\x00" + bytes(16384)


def _nested(depth: int) -> bytes:
    """Sequences in sequences."""
    body = b""
    for _ in range(depth):
        size = len(body)
        length = bytes([size]) if size < 128 else b"\x83" + size.to_bytes(3, "big")
        body = b"\x30" + length + body
    return body


def _rsa(bits: int, exponent: int = 65537) -> bytes:
    return der(at.GOOD, public=RSAPublicNumbers(exponent, (1 << bits) - 159).public_key())


def _huge_exponent() -> bytes:
    modulus = (1 << 3072) - 1103717
    return der(at.GOOD, public=RSAPublicNumbers(modulus - 2, modulus).public_key())


def _curve(curve: ec.EllipticCurve) -> bytes:
    return der(at.GOOD, public=ec.generate_private_key(curve).public_key())


def made(build: Callable[[], bytes]) -> Serve:
    """A flight whose certificate is made when it is first asked for."""
    kept: list[bytes] = []

    def reply(asked: Asked) -> bytes:
        if not kept:
            kept.append(build())
        return shows(kept[0])(asked)

    return flight(reply)


def _staple(asked: Asked, status: bytes) -> bytes:
    body = b"\x01" + len(status).to_bytes(3, "big") + status
    return records(
        hello12(ECDHE_ECDSA, more=extension(5, b"")), certificate_message(der(at.GOOD)), (22, body),
        exchange_ecdhe(point()), (14, b""),
    )  # fmt: skip


_HANDSHAKE: tuple[Behaviour, ...] = (
    one("silence", silent, _MUTE),
    one("drip", drip, _MUTE, quick=True),
    one("drip-of-a-hello", slowly(handshake(hello12(), version=0x0303), 0.5), _MUTE),
    one("reset-at-once", reset_at_once, _MUTE),
    one("reset-in-hello", reset_after(40), _MUTE),
    *(one(f"stalls-after-{n}", stalls_after(n), _HALF if n > 120 else _MUTE) for n in (1, 4, 40, 130, 600)),
    one("stalls-after-1500", stalls_after(1500), Allows(SITE, {"tls.*": "pass warn unknown", "edge.cdn": "fail unknown", **dict.fromkeys(PORTS, "pass unknown")})),
    one("alerts-of-every-kind", every_alert(), Allows(SITE, {"tls.*": ANY, "edge.cdn": "fail unknown", **dict.fromkeys(PORTS, "pass unknown")})),
    one("warnings-without-end", endless(b"", alert(100, 1)), _MUTE),
    one("empty-records-without-end", endless(b"", b"\x16\x03\x03\x00\x00"), _MUTE),
    one("250-empty-records-before-hello", flight(lambda _: b"\x16\x03\x03\x00\x00" * 250 + records(hello12())), _MUTE),
    one("250-warnings-before-hello", flight(lambda _: alert(100, 1) * 250 + records(hello12())), _MUTE),
    one("record-bomb", endless_after(b"", _APPDATA), _MUTE),
    one("record-bomb-behind-hello", flight(_hello13, then=endless(b"", _APPDATA)), _HALF),
    one("record-too-long", endless_after(b"", b"\x16\x03\x03\xff\xff" + bytes(65535)), _MUTE),
    one("messages-without-end", flight(lambda _: records(hello12()), then=endless(b"", records((0, b"")) * 50)), _HALF),
    one("message-of-16-mib", flight(lambda _: b"\x16\x03\x03\x40\x00\x02\xff\xff\xff" + bytes(16380), then=endless(b"", b"\x16\x03\x03\x40\x00" + bytes(16384))), _MUTE),
    one("byte-per-record", flight(lambda _: records(hello12(), certificate_message(der(at.GOOD)), size=1)), _HALF),
    one("hello-requests", endless_after(b"", records((0, b""))), _MUTE),
    one("two-hellos", flight(lambda a: records(hello12(), hello12()) + b""), _HALF),
    one("version-0399", flight(lambda _: handshake(server_hello(0x0399, 0xC02F))), _MUTE),
    one("record-version-7fff", says(b"\x16\x7f\xff\x00\x04\x0e\x00\x00\x00"), _MUTE),
    one("suite-nobody-offered", flight(lambda _: records(hello12(0xFEFE))), _HALF),
    one("compression", flight(lambda a: records(server_hello(0x0303, a.suites[0], compression=255))), _HALF),
    one("retry-without-end", flight(_retry, again=_retry), _HALF),
    one("retry-of-unknown-group", flight(lambda a: _retry(a, group=0xFAFA)), _HALF),
    one("retry-with-60-kib-cookie", flight(lambda a: _retry(a, extension(44, struct.pack("!H", 16000) + bytes(16000)))), _HALF),
    one("hello-13-and-plain-text", flight(lambda a: _hello13(a) + records(certificate_message(der(at.GOOD)))), _HALF),
    one("extension-lengths-lie", flight(lambda _: handshake((2, b"\x03\x03" + b"r" * 32 + b"\x00\xc0\x2f\x00\xff\xff\xff\x01\xff\xff"))), _MUTE),
    one("http-instead", says(b"HTTP/1.1 400 \x1b[2J\r\n\r\n<script>alert(1)</script>"), _MUTE),
)  # fmt: skip

_EVIL_NAMES = {
    "nul": f"{at.GOOD}\x00.evil.test",
    "escape": "\x1b[2J\x1b]0;owned\x07.test",
    "markup": "<script>alert(1)</script>.test",
    "formula": "=cmd|calc.test",
}
_INSIDE = (
    "http://127.0.0.1:6379/x.crl",
    "http://169.254.169.254/latest/x.crl",
    "http://[::1]:80/a",
    "http://10.0.0.1/b",
)

_CERTIFICATES: tuple[Behaviour, ...] = (
    one("certificate-of-100-kib", flight(shows(b"\x30\x83\x01\x86\xa0" + bytes(100_000))), _HALF),
    one("certificate-of-150-kib", flight(shows(bytes(150_000))), _HALF),
    one("chain-of-1000", flight(lambda a: shows(*([der(at.GOOD)] * 300))(a)), _HALF),
    one("chain-of-nothing", flight(lambda _: records(hello12(), certificate_message(), (14, b""))), _HALF),
    one("chain-length-lies", flight(lambda _: records(hello12(), (11, b"\xff\xff\xff\xff\xff\xff\x30"), (14, b""))), _HALF),
    one("certificate-of-noise", flight(shows(random.Random(7).randbytes(2000))), _HALF),
    one("certificate-nested-20000", flight(shows(_nested(20_000))), _HALF),
    one("certificate-broken-asn1", made(lambda: der(at.GOOD).replace(b"\x30\x13", b"\x30\x80")), _HALF),
    one("rsa-16384", made(lambda: _rsa(16384)), _HALF),
    one("rsa-exponent-huge", made(_huge_exponent), _HALF),
    one("rsa-512", made(lambda: _rsa(512)), _HALF),
    one("curve-brainpool", made(lambda: _curve(ec.BrainpoolP512R1())), _HALF),
    one("curve-secp521r1", made(lambda: _curve(ec.SECP521R1())), _HALF),
    one("point-off-the-curve", flight(lambda _: records(hello12(), certificate_message(der(at.GOOD)), exchange_ecdhe(b"\x04" + bytes(64)), (14, b""))), _HALF),
    one("dh-of-16384-bits", flight(lambda a: records(hello12(DHE_RSA if DHE_RSA in a.suites else a.suites[0]), certificate_message(der(at.GOOD)), exchange_dhe(b"\xff" * 2048), (14, b""))), _HALF),
    one("signature-of-60-kib", flight(lambda _: records(hello12(), certificate_message(der(at.GOOD)), exchange_ecdhe(point(), b"s" * 60_000), (14, b""))), _HALF),
    one("staple-garbage", flight(lambda a: _staple(a, random.Random(8).randbytes(500))), _HALF),
    one("staple-of-100-kib", flight(lambda a: _staple(a, b"\x30\x83\x01\x86\xa0" + bytes(100_000))), _HALF),
    *(one(f"name-{name}", serves(partial(certificate, text, at.GOOD, common=text, organisation=text)), _BAD) for name, text in _EVIL_NAMES.items()),
    one("name-bidi", serves(lambda: certificate(at.GOOD, common="\u202etset.live", organisation="\u2066\u200f<b>")), _BAD),
    one("name-of-60-kib", serves(lambda: certificate(at.GOOD, common="x" * 60_000)), _BAD),
    one("names-1500", serves(lambda: certificate(*(f"n{n}.evil.test" for n in range(1500)))), _BAD),
    one("names-12000", serves(lambda: certificate(*(f"n{n}.evil.test" for n in range(12_000)))), _BAD),
    one("pointers-inside", serves(lambda: certificate(at.GOOD, common=at.GOOD, issuer="Nobody", more=points_inside(*_INSIDE))), _BAD),
    one("pointers-odd", serves(lambda: certificate(at.GOOD, issuer="Nobody", more=points_inside("file:///etc/passwd", "ldap://127.0.0.1/", "gopher://127.0.0.1:6379/_x", "http://user@127.0.0.1/", "//"))), _BAD),
    one("pointers-200", serves(lambda: certificate(at.GOOD, issuer="Nobody", more=points_inside(*(f"http://n{n}.evil.test/{n}" for n in range(200))))), _BAD),
)  # fmt: skip

BEHAVIOURS: tuple[Behaviour, ...] = (*_HANDSHAKE, *_CERTIFICATES)
