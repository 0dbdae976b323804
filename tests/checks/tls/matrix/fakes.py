"""Behaviours that no honest server has, each on an address of its own.

    python -m tests.checks.tls.matrix.fakes FILE

FILE: JSON, {"port": …, "behind": address of a modern server, "certificate": PEM file, "addresses": {behaviour: address}}.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.checks.tls.servers import alert, extension, handshake, read_hello, server_hello

Reader: TypeAlias = asyncio.StreamReader
Writer: TypeAlias = asyncio.StreamWriter
Behaviour = Callable[[Reader, Writer], Awaitable[None]]
_AT_ONCE = 2  # connections that the limiters let through
_TLS12, _RSA_AES128_SHA, _ECDHE_RSA_AES128_GCM = 0x0303, 0x002F, 0xC02F
_HANDSHAKE, _SPLINTER = 22, 23
_PATIENCE_S = 60.0


async def tarpit(reader: Reader, writer: Writer) -> None:
    """Takes everything, says nothing."""
    while await reader.read(4096):
        pass


async def reset(reader: Reader, writer: Writer) -> None:
    _reset(writer)


async def closes(reader: Reader, writer: Writer) -> None:
    """Ends in an orderly way, before a word."""


async def ssh(reader: Reader, writer: Writer) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.2p1\r\n")
    await tarpit(reader, writer)


async def noise(reader: Reader, writer: Writer) -> None:
    """A web server that was not told of TLS."""
    await reader.read(4096)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


async def drip(reader: Reader, writer: Writer) -> None:
    """A good answer, one byte a second."""
    hello = read_hello(await _record(reader))
    reply = handshake(server_hello(_TLS12, hello.suites[0]), (14, b""), version=_TLS12)
    for byte in reply:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(1)


async def flood(reader: Reader, writer: Writer) -> None:
    """Handshake records without end."""
    await _record(reader)
    record = b"\x16\x03\x03\x40\x00" + os.urandom(0x4000)
    while not writer.is_closing():
        writer.write(record)
        await writer.drain()


async def compression(certificate: bytes, reader: Reader, writer: Writer) -> None:
    """A first flight of TLS 1.2 with DEFLATE, for clients that offer it."""
    record = await _record(reader)
    hello = read_hello(record)
    if hello.version < _TLS12 or _RSA_AES128_SHA not in hello.suites:
        writer.write(alert(40 if hello.version >= _TLS12 else 70))
        return
    suites_at = 9 + 34 + 1 + len(hello.session)
    methods_at = suites_at + 2 + int.from_bytes(record[suites_at : suites_at + 2], "big")
    methods = record[methods_at + 1 : methods_at + 1 + record[methods_at]]
    entry = len(certificate).to_bytes(3, "big") + certificate
    chosen = server_hello(_TLS12, _RSA_AES128_SHA, extension(0xFF01, b"\0"), compression=int(1 in methods))
    chain = (11, len(entry).to_bytes(3, "big") + entry)
    writer.write(handshake(chosen, chain, (14, b""), version=_TLS12))
    await _record(reader)  # the client's keys, where it goes on
    writer.write(alert(40))


async def impostor(certificate: bytes, reader: Reader, writer: Writer) -> None:
    """A first flight of TLS 1.2 with somebody else's certificate: the signature is made up."""
    hello = read_hello(await _record(reader))
    if hello.version < _TLS12 or _ECDHE_RSA_AES128_GCM not in hello.suites:
        writer.write(alert(40 if hello.version >= _TLS12 else 70))
        return
    entry = len(certificate).to_bytes(3, "big") + certificate
    parameters = b"\x03\x00\x1d\x20" + os.urandom(32)
    signed = parameters + b"\x04\x01\x01\x00" + os.urandom(256)
    chosen = server_hello(_TLS12, _ECDHE_RSA_AES128_GCM, extension(0xFF01, b"\0"))
    chain = (11, len(entry).to_bytes(3, "big") + entry)
    writer.write(handshake(chosen, chain, (12, signed), (14, b""), version=_TLS12))
    await _record(reader)
    writer.write(alert(40))


class Limiter:
    """A good server behind a guard that lets few connections through at once, and resets or closes the rest."""

    def __init__(self, behind: tuple[str, int], *, resets: bool) -> None:
        self._behind, self._resets, self._open = behind, resets, 0

    async def serve(self, reader: Reader, writer: Writer) -> None:
        if self._open >= _AT_ONCE:
            if self._resets:
                _reset(writer)
            return
        self._open += 1
        try:
            there, back = await asyncio.open_connection(*self._behind)
            try:
                await asyncio.gather(_pipe(reader, back), _pipe(there, writer))
            finally:
                back.close()
        finally:
            self._open -= 1


class Shredder:
    """A good server whose words come in crumbs: single bytes, or handshake records of a few bytes."""

    def __init__(self, behind: tuple[str, int], shred: Callable[[Reader, Writer], Awaitable[None]]) -> None:
        self._behind, self._shred = behind, shred

    async def serve(self, reader: Reader, writer: Writer) -> None:
        there, back = await asyncio.open_connection(*self._behind)
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await asyncio.gather(_pipe(reader, back), self._shred(there, writer))
        finally:
            back.close()


async def _crumbs(source: Reader, sink: Writer) -> None:
    while data := await source.read(16384):
        for byte in data:
            sink.write(bytes([byte]))
            await sink.drain()
    sink.close()


async def _splinters(source: Reader, sink: Writer) -> None:
    """What is not yet encrypted may be cut anywhere (RFC 8446 5.1)."""
    kind = _HANDSHAKE
    while kind == _HANDSHAKE:
        record = await _record(source)
        kind, body = record[0], record[5:]
        size = _SPLINTER if kind == _HANDSHAKE else len(body)
        for at in range(0, len(body), size):
            part = body[at : at + size]
            sink.write(record[:3] + len(part).to_bytes(2, "big") + part)
        await sink.drain()
    await _pipe(source, sink)


async def _pipe(source: Reader, sink: Writer) -> None:
    while data := await source.read(16384):
        sink.write(data)
        await sink.drain()
    with contextlib.suppress(OSError, RuntimeError):
        sink.write_eof()


def _reset(writer: Writer) -> None:
    found = writer.get_extra_info("socket")
    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _record(reader: Reader) -> bytes:
    head = await reader.readexactly(5)
    return head + await reader.readexactly(int.from_bytes(head[3:], "big"))


async def _politely(behave: Behaviour, reader: Reader, writer: Writer) -> None:
    """Nobody is kept for ever, and a scanner that breaks off is no event."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await behave(reader, writer)
    except (OSError, EOFError, TimeoutError, IndexError):
        return
    finally:
        writer.close()


async def serve(settings: dict[str, object], certificate: bytes) -> None:
    port, addresses = settings["port"], settings["addresses"]
    assert isinstance(port, int) and isinstance(addresses, dict)
    behind = (str(settings["behind"]), port)
    behaviours: dict[str, Behaviour] = {
        "tarpit": tarpit, "reset": reset, "closes": closes, "ssh": ssh, "noise": noise, "drip": drip,
        "flood": flood, "compression": partial(compression, certificate),
        "impostor": partial(impostor, certificate),
        "crumbs": Shredder(behind, _crumbs).serve, "splinters": Shredder(behind, _splinters).serve,
        "limit_reset": Limiter(behind, resets=True).serve, "limit_close": Limiter(behind, resets=False).serve,
    }  # fmt: skip
    listening = [
        await asyncio.start_server(partial(_politely, behaviours[name]), address, port)
        for name, address in addresses.items()
    ]
    await asyncio.gather(*(server.serve_forever() for server in listening))


def main(file: Path) -> None:
    settings = json.loads(file.read_text())
    chain = x509.load_pem_x509_certificates(Path(settings["certificate"]).read_bytes())
    asyncio.run(serve(settings, chain[0].public_bytes(Encoding.DER)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
