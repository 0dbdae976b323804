"""A name server between the scan and the lab's, which a behaviour may answer for in any way that the wire allows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from socket import AF_INET, SO_REUSEADDR, SOCK_DGRAM, SOL_SOCKET, socket

import dns.exception
import dns.message
import dns.rdatatype
import dns.rrset

from tests.checks.faults import names
from tests.checks.faults.streams import Reader, Writer

Address = tuple[str, int]


class Asked(names.Asked):
    """One question.  What `names.Broken` of tests/checks/faults takes, and a way to send datagrams by oneself."""

    where: Address  # the server that was asked
    send: Callable[
        [bytes, Address | None], None
    ]  # one datagram to the asker, from elsewhere where an address is given

    def with_records(self, *records: dns.rrset.RRset, max_size: int = 65535) -> bytes:
        """An answer to this question with these records."""
        reply = self.reply()
        reply.answer.extend(records)
        return reply.to_wire(max_size=max_size)


Answer = Callable[[Asked], Awaitable[bytes | None]]
"""The bytes that go back; None for silence."""
OverTcp = Callable[[Reader, Writer, "Relay"], Awaitable[None]]
"""Owner of a connection to port 53; `Relay.read` reads a question and `Relay.answer` makes its answer."""


@dataclass(frozen=True)
class Answers:
    """How a name server behaves.  `over_tcp`: None = a well framed stream of what `answer` says."""

    answer: Answer = names.pass_on
    over_tcp: OverTcp | None = None


class Relay(asyncio.DatagramProtocol):
    """One name server of a world, over UDP and TCP.  `met` counts questions."""

    def __init__(self, upstream: str, where: Address, move: names.Move, says: Answers) -> None:
        self._upstream, self._where, self._says = upstream, where, says
        self._names = names.Relay(upstream, move, names.pass_on, lambda _: False)
        self._tasks: set[asyncio.Task[None]] = set()
        self._servers: list[asyncio.Server] = []
        self._writers: set[Writer] = set()
        self.met = 0

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._servers.append(await asyncio.start_server(self._accept, *self._where))
        self._link = socket(AF_INET, SOCK_DGRAM)
        self._link.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        self._link.setblocking(False)
        self._link.bind(self._where)
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=self._link)

    async def stop(self) -> None:
        for server in self._servers:
            server.close()
        for writer in tuple(self._writers):
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._transport.close()

    async def asked(self, wire: bytes, *, tcp: bool, asker: Address | None = None) -> Asked:
        """The question in `wire`, with the lab's own answer to it."""
        query = dns.message.from_wire(wire)
        assert isinstance(query, dns.message.QueryMessage)
        honest = dns.message.from_wire(await self._names._ask(wire))
        asked = Asked(query, self._names._moved(honest), tcp=tcp)

        def send(data: bytes, source: Address | None = None) -> None:
            self._send(data, asker, source)

        asked.send, asked.where = send, self._where
        return asked

    async def answer(self, wire: bytes, *, tcp: bool, asker: Address | None = None) -> bytes | None:
        self.met += 1
        return await self._says.answer(await self.asked(wire, tcp=tcp, asker=asker))

    async def read(self, reader: Reader) -> bytes:
        """One question off a TCP stream."""
        return await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))

    def _send(self, data: bytes, asker: Address | None, source: Address | None) -> None:
        assert asker is not None
        if source is None:
            with suppress(OSError):
                self._link.sendto(data, asker)
            return
        with socket(AF_INET, SOCK_DGRAM) as other, suppress(OSError):
            other.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
            other.bind(source)
            other.sendto(data, asker)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._keep(self._over_udp(data, addr))

    async def _over_udp(self, data: bytes, addr: Address) -> None:
        reply = await self.answer(data, tcp=False, asker=addr)
        if reply is not None and not self._transport.is_closing():
            self._send(reply, addr, None)

    def _accept(self, reader: Reader, writer: Writer) -> None:
        self._keep(self._over_tcp(reader, writer))

    async def _over_tcp(self, reader: Reader, writer: Writer) -> None:
        self._writers.add(writer)
        try:
            if self._says.over_tcp is not None:
                await self._says.over_tcp(reader, writer, self)
                return
            while True:
                reply = await self.answer(await self.read(reader), tcp=True)
                if reply is not None:
                    writer.write(len(reply).to_bytes(2, "big") + reply)
                    await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the asker went away
        finally:
            self._writers.discard(writer)
            writer.close()

    def _keep(self, work: Awaitable[None]) -> None:
        async def quietly() -> None:
            with suppress(OSError, dns.exception.DNSException, asyncio.IncompleteReadError):
                await work

        task = asyncio.get_running_loop().create_task(quietly())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
