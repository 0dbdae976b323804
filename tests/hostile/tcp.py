"""Machines whose very ports mean harm: they accept and wait, reset, flood, or greet with escapes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from checks.data.network import watched_ports
from tests.checks.faults.streams import (
    FILTERED,
    REFUSED,
    NoListener,
    Reader,
    Writer,
    early_eof,
    endless,
    reset,
    reset_at_once,
    says,
    silent,
)
from tests.checks.faults.streams import Behaviour as Serve
from tests.hostile.groups import HOST, PORTS
from tests.hostile.model import Allows, Behaviour, World
from tests.lab import places as at

HOST_IP = at.GOOD_IP
EVIL = b"\x1b[2J\x1b]0;owned\x07 <script>alert(1)</script> \xe2\x80\xaetxet \x00\xff\r\n"
ANY = "pass warn fail unknown not_applicable manual"
OPEN = {**dict.fromkeys(PORTS, "fail warn unknown"), "firewall.cloud_ssh": ANY, "ssh.port_changed": ANY}
"""Ports that accept are open, and it is true that they should not be."""


async def byte_a_second(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(1)


async def half_close(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
    writer.write_eof()
    await silent(reader, writer, honest)


async def reset_after_word(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
    await reader.read(1)
    reset(writer)


async def echo(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


_HOWS: Mapping[str, Serve] = {
    "accept-and-silence": silent,
    "accept-and-end": early_eof,
    "reset-at-once": reset_at_once,
    "reset-after-a-word": reset_after_word,
    "half-close": half_close,
    "byte-a-second": byte_a_second,
    "flood": endless(b"", bytes(4096)),
    "banner-with-escapes": says(EVIL * 20),
    "banner-without-end": endless(b"", EVIL),
    "echo": echo,
}
_ALSO: Mapping[str, Serve | NoListener] = {"filtered": FILTERED, "refused": REFUSED}
_WEB = {(HOST_IP, 80), (HOST_IP, 443), (HOST_IP, 22)}


def _every_port(serve: Serve) -> World:
    """All watched ports but those of the site itself."""
    return World({(HOST_IP, port): serve for port in watched_ports() if (HOST_IP, port) not in _WEB})


def _own_ports(serve: Serve | NoListener) -> World:
    return World(dict.fromkeys(_WEB, serve))


_GONE = Allows(
    (*HOST, "edge.*"),
    {**dict.fromkeys(PORTS, "pass unknown"), "ssh.port_changed": ANY, "ssh.source_restricted": ANY,
     "firewall.cloud_ssh": ANY, "http.https_redirect": "pass unknown", "edge.cdn": "fail unknown"},
)  # fmt: skip

BEHAVIOURS: tuple[Behaviour, ...] = (
    *(
        Behaviour(f"tcp-every-port-{name}", "tcp", _every_port(serve), Allows((), OPEN))
        for name, serve in _HOWS.items()
    ),
    *(
        Behaviour(
            f"tcp-own-ports-{name}", "tcp", _own_ports(serve), _GONE, quick=name == "banner-with-escapes"
        )
        for name, serve in [*_HOWS.items(), *_ALSO.items()]
    ),
)
