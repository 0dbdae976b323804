"""One world: the lab's twins in 127.77.n.0/24, save for what a behaviour replaces, and what must never be dialled."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from socket import AF_INET, AF_INET6, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, socket
from typing import Any

from tests.checks.faults import names
from tests.checks.faults.streams import REFUSED, NoListener, Reader, Writer, forward, full_listener
from tests.checks.faults.streams import Behaviour as Serve
from tests.checks.faults.world import NAME_SERVERS, NETWORK, RESOLVER
from tests.hostile.dns_server import Answers, Relay
from tests.hostile.model import Place, Port, World, moved

__all__ = ["NETWORK", "Canary", "Standing"]


class Standing:
    """A world that stands."""

    def __init__(
        self, number: int, world: World, honest: list[Port], tls: ssl.SSLContext, folder: Path
    ) -> None:
        self.place = Place(number, folder)
        self._world, self._honest, self._tls = world, honest, tls
        self._servers: list[asyncio.Server] = []
        self._relays: list[Relay] = []
        self._full: list[socket] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[Writer] = set()
        self._services = ExitStack()
        self._met: dict[str, int] = {}
        self._counts: list[Mapping[str, Any]] = []
        self._over = False

    async def start(self) -> None:
        for port in {*self._honest, *self._world.ports}:
            await self._open(port, self._world.ports.get(port, forward))
        await self._open_dns(RESOLVER, self._world.names)
        for server in NAME_SERVERS:
            await self._open_dns(server, self._world.authority)
        for service in self._world.services:
            counts = await asyncio.to_thread(self._services.enter_context, service(self.place))
            self._counts += [counts] if counts is not None else []

    async def stop(self) -> dict[str, Any]:
        """Ends it; what its ports and services met."""
        self._over = True
        for server in self._servers:
            server.close()
        for writer in tuple(self._writers):
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for relay in self._relays:
            await relay.stop()
        for held in self._full:
            held.close()
        await asyncio.to_thread(self._services.close)
        return {**self._met, **{key: value for counts in self._counts for key, value in counts.items()}}

    async def _open(self, port: Port, serve: Serve | NoListener) -> None:
        where = (moved(self.place.number, port[0]), port[1])
        if serve is REFUSED:
            return
        if isinstance(serve, NoListener):
            self._full += full_listener(where)
            return
        replaced = port in self._world.ports
        inside = self._world.inside_tls and replaced and port[1] == 443 and port not in self._world.plain
        server = await asyncio.start_server(
            self._guarded(serve, port), *where, ssl=self._tls if inside else None, backlog=256
        )
        self._servers.append(server)

    async def _open_dns(self, server: str, says: Any) -> None:
        if says is names.nobody:
            return
        answers = says if isinstance(says, Answers) else Answers(says or names.pass_on)
        where = (moved(self.place.number, server), 53)
        relay = Relay(server, where, self.place.moved, answers)
        await relay.start()
        self._relays.append(relay)

    def _guarded(self, serve: Serve, port: Port) -> Any:
        """Connections end with the world, and a client that went away is no error."""

        async def guarded(reader: Reader, writer: Writer) -> None:
            self._writers.add(writer)
            try:
                with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, RuntimeError):
                    await serve(reader, writer, port)
            finally:
                self._writers.discard(writer)
                writer.close()

        def accept(reader: Reader, writer: Writer) -> None:
            key = f"{port[0]} {port[1]}"
            self._met[key] = self._met.get(key, 0) + 1
            if self._over:
                writer.transport.abort()
                return
            task = asyncio.get_running_loop().create_task(guarded(reader, writer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return accept


class Canary:
    """Listens where nothing may ever be dialled; whoever connects is counted."""

    PORTS = (22, 25, 53, 80, 443, 2375, 3000, 5432, 6379, 8080, 9200)
    ADDRESSES = (  # those of other networks only where the namespace has them (`on_lo`)
        "127.0.0.1", "127.0.0.2", "10.0.0.1", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "::1",
    )  # fmt: skip

    def __init__(self) -> None:
        self.met: dict[str, int] = {}
        self._listeners: list[socket] = []

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        for address in self.ADDRESSES:
            for port in self.PORTS:
                self._listen(loop, address, port)

    def _listen(self, loop: asyncio.AbstractEventLoop, address: str, port: int) -> None:
        listener = socket(AF_INET6 if ":" in address else AF_INET, SOCK_STREAM)
        listener.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        listener.setblocking(False)
        try:
            listener.bind((address, port))
        except OSError:  # the address is not on this machine, or another service has the port
            listener.close()
            return
        listener.listen(64)
        self._listeners.append(listener)
        loop.add_reader(listener, self._met, listener, f"{address} {port}")

    def _met(self, listener: socket, where: str) -> None:
        with suppress(BlockingIOError):
            listener.accept()[0].close()
            self.met[where] = self.met.get(where, 0) + 1

    def stop(self) -> None:
        loop = asyncio.get_running_loop()
        for listener in self._listeners:
            loop.remove_reader(listener)
            listener.close()
