"""A little web server on loopback that answers exactly the bytes a test wants, honest or hostile."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from checks.probes.http import HttpClient
from checks.probes.net import Net
from checks.target import Limits, Vantage

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Names:
    """A resolver that knows what the test tells it."""

    table: dict[str, tuple[str, ...]] = field(default_factory=dict)

    async def addresses_of(self, name: str) -> tuple[str, ...]:
        return self.table.get(name, ("127.0.0.1",))


@dataclass
class Site:
    """A running server: `url` of its root, `client` that may dial it, `requests` as their first lines."""

    port: int
    net: Net
    client: HttpClient
    requests: list[str] = field(default_factory=list)
    connections: int = 0

    def url(self, path: str = "/", host: str = "site.test") -> str:
        return f"http://{host}:{self.port}{path}"


def raw(data: bytes) -> Answer:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return answer


def page(body: bytes = b"hello", *lines: str, status: str = "200 OK", close: bool = True) -> Answer:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *lines]
    if close:
        head.append("Connection: close")
    return raw("\r\n".join([*head, "", ""]).encode() + body)


@asynccontextmanager
async def listening(
    handle: Answer, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """A listener that gives each connection to `handle`; yields its port and leaves nothing open."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            await handle(reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(serve, host, 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
        await asyncio.sleep(0)


@asynccontextmanager
async def serving(
    answer: Answer,
    *,
    limits: Limits | None = None,
    allow: tuple[str, ...] = ("127.0.0.1/32",),
    names: Names | None = None,
    keep_alive: bool = False,
) -> AsyncIterator[Site]:
    """Answers every request with `answer`, once per connection or (`keep_alive`) as often as asked."""
    net = Net(Vantage(allow_networks=allow), limits or Limits(request_s=1.0))
    site: Site

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        site.connections += 1
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            site.requests.append(head.split(b"\r\n")[0].decode())
            await answer(reader, writer)
            if not keep_alive:
                break

    async with listening(handle) as port:
        client = HttpClient(net, names or Names(), ports=frozenset({80, 443, port}))
        site = Site(port, net, client)
        try:
            yield site
        finally:
            client.close()
