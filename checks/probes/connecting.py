"""Many TCP connections at once, cheaply: what `Net` waits with until a port answers.

Most ports of a scan are closed, and asyncio spends on each of them a look-up of the address, a timeout object
and four turns of its loop.  Here all sockets of a scan wait in one selector of their own, which the loop
watches as one descriptor; a port costs one future and one timer.
"""

from __future__ import annotations

import asyncio
import errno
import selectors
import socket
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

_UNDER_WAY = frozenset({errno.EINPROGRESS, errno.EALREADY})


class Connector:
    """The sockets of one scan that wait to be connected.  Belongs to one event loop; `close` ends all."""

    def __init__(self) -> None:
        self._selector: selectors.DefaultSelector | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def connect(self, address: str, port: int, timeout_s: float) -> socket.socket:
        """A connected, non-blocking socket.  Raises TimeoutError, or the OSError that the system reports."""
        loop = asyncio.get_running_loop()
        link = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        with ExitStack() as until_open:
            until_open.callback(link.close)
            link.setblocking(False)
            code = link.connect_ex((address, port))
            if code in _UNDER_WAY:
                await self._wait(loop, link, timeout_s)
                code = link.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                raise OSError(code, f"connect to {address} port {port}")
            until_open.pop_all()
        return link

    def close(self) -> None:
        """Stops watching.  The sockets are closed by those who wait for them."""
        if self._selector is not None and self._loop is not None:
            self._loop.remove_reader(self._selector.fileno())
            self._selector.close()
        self._selector = None

    async def _wait(self, loop: asyncio.AbstractEventLoop, link: socket.socket, timeout_s: float) -> None:
        selector = self._watched(loop)
        answered: asyncio.Future[None] = loop.create_future()
        selector.register(link, selectors.EVENT_WRITE, partial(_settle, answered))
        timer = loop.call_later(timeout_s, _give_up, answered)
        try:
            await answered
        finally:
            timer.cancel()
            if self._selector is selector:
                selector.unregister(link)

    def _watched(self, loop: asyncio.AbstractEventLoop) -> selectors.DefaultSelector:
        if self._selector is None:
            self._selector, self._loop = selectors.DefaultSelector(), loop
            loop.add_reader(self._selector.fileno(), _hear, self._selector)
        return self._selector


def _hear(selector: selectors.DefaultSelector) -> None:
    for key, _ in selector.select(0):
        told: Callable[[], None] = key.data
        told()


def _settle(answered: asyncio.Future[None]) -> None:
    if not answered.done():
        answered.set_result(None)


def _give_up(answered: asyncio.Future[None]) -> None:
    if not answered.done():
        answered.set_exception(TimeoutError())
