"""A real web server on loopback that says what a test wants, remembers what it was asked, and may be rude."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

Rude = Callable[[socket.socket], None]


@dataclass
class Reply:
    """What a path answers.  `rude` takes the connection over after the request was read."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    rude: Rude | None = None


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Site:
    """`replies` by path; a path that is not in it answers `fallback`, or 404 without one.  Where a reply has an ETag or Last-Modified, the
    conditional request of who knows it is answered 304, as a real server does."""

    def __init__(
        self, tls: ssl.SSLContext | None = None, address: tuple[str, int] = ("127.0.0.1", 0)
    ) -> None:
        self.replies: dict[str, Reply] = {}
        self.answers: dict[str, Callable[[dict[str, str]], Reply]] = {}  # path -> what a query gets there
        self.fallback = b""
        self.asked: list[Asked] = []
        self.over = threading.Event()
        self._server = _Server(address, self._handler())
        self._scheme = "http"
        if tls is not None:
            self._scheme = "https"
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{self._scheme}://{host}:{self.port}{path}"

    def say(self, path: str, body: bytes | str = b"", status: int = 200, **headers: str) -> str:
        """Sets what `path` answers and returns its address.  A header's name has _ for -."""
        body = body.encode() if isinstance(body, str) else body
        self.replies[path] = Reply(body, status, {k.replace("_", "-"): v for k, v in headers.items()})
        return self.url(path)

    def be_rude(self, path: str, rude: Rude) -> str:
        self.replies[path] = Reply(rude=rude)
        return self.url(path)

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                headers = {k.lower(): v for k, v in self.headers.items()}
                site.asked.append(Asked(self.command, self.path, headers, self.rfile.read(length)))
                missing = Reply(site.fallback) if site.fallback else Reply(b"not here", 404)
                path, _, query = self.path.partition("?")
                reply = site.replies.get(self.path, missing)
                if path in site.answers:
                    reply = site.answers[path](dict(parse_qsl(query.replace("+", "%2B"))))
                if reply.rude is not None:
                    reply.rude(self.connection)
                    self.close_connection = True
                    return
                marks = {
                    asks: reply.headers[says]
                    for says, asks in (("ETag", "if-none-match"), ("Last-Modified", "if-modified-since"))
                    if says in reply.headers
                }
                if reply.status == 200 and marks and all(headers.get(k) == v for k, v in marks.items()):
                    self._send(304, reply, b"")
                else:
                    self._send(reply.status, reply, reply.body)

            do_POST = do_PUT = do_GET

            def _send(self, status: int, reply: Reply, body: bytes) -> None:
                self.send_response(status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if status != 304:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is what most of these tests are about."""


@contextmanager
def site(tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    served = Site(tls)
    try:
        yield served
    finally:
        served.close()


def drip(first: bytes, again: bytes, over: threading.Event) -> Rude:
    """Sends `first`, then `again` every 20 ms until the test is over or the other side hangs up."""

    def rude(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.sendall(first)
            while not over.wait(0.02):
                connection.sendall(again)

    return rude


def flood(first: bytes, again: bytes) -> Rude:
    """Sends `first`, then `again` as fast as it is taken."""

    def rude(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.sendall(first)
            while True:
                connection.sendall(again)

    return rude
