"""A world that leads to the lab, save where a test breaks it.

World n lives in 127.77.n.0/24: each host of the lab has its twin there, whose ports pass everything on to the real
one; a resolver of its own moves the names.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from socket import socket

from checks.data.network import watched_ports
from tests.checks.faults import names
from tests.checks.faults.streams import REFUSED, Behaviour, NoListener, Reader, Writer, forward, full_listener
from tests.lab import places as at
from tests.lab.processes import answers

RESOLVER = at.RESOLVER_IP
HOSTS = (at.GOOD_IP, at.MEDIA_IP, at.MX_IP, at.MTA_STS_IP, at.BAD_IP, at.BAD_MAIL_IP)
NAME_SERVERS = (at.NS1_IP, at.NS2_IP)
NETWORK = "127.77.0.0/16"

Port = tuple[str, int]
"""(address in the lab, port)."""


@dataclass(frozen=True)
class Faults:
    """What is broken in a world.  `inside_tls`: on port 443 the fault begins after a sound handshake.  `spares`:
    record types that the resolver still answers.  `authority`: the zone's own servers, not the resolver."""

    ports: Mapping[Port, Behaviour | NoListener] = field(default_factory=dict)
    inside_tls: bool = False
    resolver: names.Broken | None = None
    authority: names.Broken | None = None
    spares: frozenset[str] = frozenset()


def open_ports() -> list[Port]:
    """Where the lab listens, among the ports that a scan may knock on."""
    return [(host, port) for host in HOSTS for port in {*watched_ports(), 2222} if answers(host, port)]


class World:
    """One set of twins."""

    def __init__(self, number: int, faults: Faults, honest: list[Port], tls: ssl.SSLContext) -> None:
        assert 0 < number < 255
        self.number, self.faults, self._honest, self._tls = number, faults, honest, tls
        self.resolver = self.moved(RESOLVER)
        self.met: Counter[Port] = Counter()  # connections that each port of the lab saw
        self._servers: list[asyncio.Server] = []
        self._datagrams: list[names.Datagrams] = []
        self._full: list[socket] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[Writer] = set()
        self._over = False

    def moved(self, address: str) -> str:
        """The twin of an address of the lab; every other address stays."""
        if address == at.NS2_IP:
            return f"127.77.{self.number}.55"
        return (
            f"127.77.{self.number}.{address.rsplit('.', 1)[1]}"
            if address.startswith("127.66.0.")
            else address
        )

    async def start(self) -> None:
        for port in {*self._honest, *self.faults.ports}:
            await self._open(port, self.faults.ports.get(port, forward))
        nothing: frozenset[str] = frozenset()
        await self._open_dns(RESOLVER, self.faults.resolver, self.faults.spares)
        for server in NAME_SERVERS:
            await self._open_dns(server, self.faults.authority, nothing)

    async def stop(self) -> None:
        self._over = True
        for server in self._servers:
            server.close()
        for writer in self._writers:
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for datagrams in self._datagrams:
            await datagrams.close()
        for held in self._full:
            held.close()

    async def _open(self, port: Port, behaviour: Behaviour | NoListener) -> None:
        where = (self.moved(port[0]), port[1])
        if behaviour is REFUSED:
            return
        if isinstance(behaviour, NoListener):
            self._full += full_listener(where)
            return

        async def serve(reader: Reader, writer: Writer) -> None:
            self.met[port] += 1
            await behaviour(reader, writer, port)

        inside = self.faults.inside_tls and port in self.faults.ports and port[1] == 443
        tls = self._tls if inside else None
        server = await asyncio.start_server(self._guarded(serve), *where, ssl=tls, backlog=128)
        self._servers.append(server)

    async def _open_dns(self, server: str, broken: names.Broken | None, spares: frozenset[str]) -> None:
        if broken is names.nobody:
            return
        relay = names.Relay(server, self.moved, broken or names.pass_on, lambda kind: kind in spares)
        where = (self.moved(server), 53)

        async def serve(reader: Reader, writer: Writer) -> None:
            await names.over_tcp(relay, reader, writer)

        self._servers.append(await asyncio.start_server(self._guarded(serve), *where))
        loop = asyncio.get_running_loop()
        _, datagrams = await loop.create_datagram_endpoint(lambda: names.Datagrams(relay), local_addr=where)
        self._datagrams.append(datagrams)

    def _guarded(
        self, serve: Callable[[Reader, Writer], Awaitable[None]]
    ) -> Callable[[Reader, Writer], None]:
        """Connections end with the world, and a client that went away is no error."""

        async def guarded(reader: Reader, writer: Writer) -> None:
            self._writers.add(writer)
            try:
                with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                    await serve(reader, writer)
            finally:
                self._writers.discard(writer)
                writer.close()

        def accept(reader: Reader, writer: Writer) -> None:
            if self._over:
                writer.transport.abort()
                return
            task = asyncio.get_running_loop().create_task(guarded(reader, writer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return accept
