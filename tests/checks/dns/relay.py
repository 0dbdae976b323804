"""A relay in front of a real resolver that writes down every question, and may change the answers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import dns.asyncquery
import dns.flags
import dns.message
import dns.rdatatype

Asked = tuple[str, str, bool]
"""Name, type, and whether checking was disabled."""

Change = Callable[[dns.message.Message], None]
"""Changes an answer in its place."""


class Relay(asyncio.DatagramProtocol):
    """Passes questions on over TCP, so that no answer is cut; `asked` counts them."""

    def __init__(self, upstream: str, change: Change | None = None) -> None:
        self._change = change
        self.asked: Counter[Asked] = Counter()
        self.port = 0
        self._upstream = upstream
        self._tasks: set[asyncio.Task[None]] = set()
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(data, addr))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        rdtype = dns.rdatatype.to_text(question.rdtype)
        self.asked[name, rdtype, bool(query.flags & dns.flags.CD)] += 1
        answer = await dns.asyncquery.tcp(query, self._upstream, timeout=20)
        if self._change is not None:
            self._change(answer)
        if not self._transport.is_closing():
            self._transport.sendto(answer.to_wire(max_size=65535), addr)


@asynccontextmanager
async def relay(upstream: str, change: Change | None = None) -> AsyncIterator[Relay]:
    """A running relay on a free port of 127.0.0.1; UDP alone, as loopback carries datagrams of 64 KiB."""
    made = Relay(upstream, change)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: made, local_addr=("127.0.0.1", 0))
    made.port = transport.get_extra_info("sockname")[1]
    try:
        yield made
    finally:
        transport.close()
