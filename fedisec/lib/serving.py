"""The web server: waitress, with an end to what its time-outs let go on for ever.

waitress ends connections that are silent; one that sends or takes a byte now and then it keeps.  Here a
request has to be there, and its answer to be taken, within a time limit, and one address may hold only so
many connections.
"""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher

from checks.probes.addresses import Network, parse_networks
from fedisec.lib.proxies import Application, is_from

THREADS = 8
CONNECTIONS = 2000
CONNECTIONS_OF_ONE = 200  # of one address, or one /64; proxies and this machine may have all
SPARED: tuple[str, ...] = ("127.0.0.0/8", "::1")
SILENT_S = 30
REQUEST_S = 30  # from its first byte to its last
ANSWER_S = 300  # for the far side to take an answer
LOOK_S = 2  # between two looks for what is overdue
HEADER_BYTES = 32 * 1024
BODY_BYTES = 1280 * 1024  # Django's own limit, DATA_UPLOAD_MAX_MEMORY_SIZE, has a page and lies below
_SPARE_FILES = 200

_WORDS = {
    400: ("That could not be read", "読み取れませんでした"),
    413: ("That is too much at once", "一度に送る量が多すぎます"),
    431: ("The request's headers are too long", "リクエストのヘッダーが長すぎます"),
    500: ("Something broke on our side", "fedisec 側で問題が起きました"),
    501: ("That kind of request is not spoken here", "この種類のリクエストには対応していません"),
}
_PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta name="color-scheme" content="light dark"><title>fedisec</title></head>'
    '<body><main><h1>{}</h1><h2 lang="ja">{}</h2></main></body></html>'
)
_HEADERS = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
)


def serve(application: Application, listener: socket.socket, proxies: Iterable[str] = ()) -> None:
    """Answers on `listener` until the process is asked to stop.  `proxies`: networks whose connections are
    not counted by address."""
    adjustments = Adjustments(
        sockets=[listener],
        threads=THREADS,
        connection_limit=min(CONNECTIONS, _files() - _SPARE_FILES),
        asyncore_use_poll=True,
        channel_timeout=SILENT_S,
        cleanup_interval=LOOK_S,
        max_request_header_size=HEADER_BYTES,
        max_request_body_size=BODY_BYTES,
        ident="",
        clear_untrusted_proxy_headers=False,  # fedisec.lib.proxies does, and has to see them
    )
    threads = ThreadedTaskDispatcher()
    threads.set_thread_count(adjustments.threads)
    where = (listener.family, listener.type, listener.proto, listener.getsockname())
    server = Server(
        application,
        {},
        _sock=listener,
        dispatcher=threads,
        adj=adjustments,
        bind_socket=False,
        sockinfo=where,
    )
    server.spared = parse_networks((*SPARED, *proxies))
    server.run()


def _files() -> int:
    """How many files and sockets this process may open: as many as its connections need, if it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + _SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else soft


class Refusal(ErrorTask):  # type: ignore[misc]  # waitress has no types
    """What is said where no request reaches Django: in both languages, and nothing of the inside."""

    def execute(self) -> None:
        error = self.request.error
        page = _PAGE.format(*_WORDS.get(error.code, _WORDS[400])).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.extend(_HEADERS)
        self.set_close_on_finish()
        self.content_length = len(page)
        self.write(page)


class Channel(HTTPChannel):  # type: ignore[misc]
    """One connection."""

    error_task_class = Refusal
    _half: Any = None  # the request that is not whole yet
    _begun = 0.0  # when its first byte came
    _waits_since: float | None = None  # since when there has always been something for the far side to take

    def received(self, data: bytes) -> bool:
        taken: bool = super().received(data)
        if self.request is not self._half:
            self._half, self._begun = self.request, time.monotonic()
        return taken

    def is_overdue(self) -> bool:
        """Its request is not whole, or its answer not taken, although there was time enough.  To be asked now
        and then.  How long our own side takes for an answer does not count."""
        now = time.monotonic()
        if not self.total_outbufs_len:
            self._waits_since = None
        elif self._waits_since is None:
            self._waits_since = now
        if self._waits_since is not None and now - self._waits_since > ANSWER_S:
            return True
        return self._half is not None and not self.requests and now - self._begun > REQUEST_S


class Server(TcpWSGIServer):  # type: ignore[misc]
    """All connections."""

    channel_class = Channel
    spared: tuple[Network, ...] = ()

    def handle_accept(self) -> None:
        before = set(self.active_channels)
        super().handle_accept()
        for number in set(self.active_channels) - before:
            channel = self.active_channels[number]
            if self._are_too_many(channel.addr[0]):
                channel.handle_close()

    def maintenance(self, now: float) -> None:
        super().maintenance(now)
        for channel in tuple(self.active_channels.values()):
            if channel.is_overdue():
                channel.handle_close()  # `will_close` waits until the far side takes something

    def _are_too_many(self, peer: str) -> bool:
        if len(self.active_channels) <= CONNECTIONS_OF_ONE or is_from(peer, self.spared):
            return False
        whose = _whose(peer)
        return sum(_whose(one.addr[0]) == whose for one in self.active_channels.values()) > CONNECTIONS_OF_ONE


def _whose(peer: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 address: one customer has at least all of that."""
    if ":" not in peer or "." in peer:
        return peer
    with suppress(OSError):
        return socket.inet_pton(socket.AF_INET6, peer.partition("%")[0])[:8].hex()
    return peer
