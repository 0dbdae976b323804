"""A name server that says what a test wants, and web servers and canaries in the test's own network namespace."""

from __future__ import annotations

import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Records = dict[tuple[str, str], Sequence[str] | str]


@dataclass
class Names:
    """`records`: (name, type) to its values, several turns of them by a function of how often it was asked, or
    the word "servfail".  A name without any record does not exist."""

    records: dict[tuple[str, str], Sequence[str] | Callable[[int], Sequence[str]] | str] = field(
        default_factory=dict
    )
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    resolver: str = ""

    def answer(self, wire: bytes) -> bytes:
        query = dns.message.from_wire(wire)
        reply = dns.message.make_response(query, recursion_available=True)
        question = query.question[0]
        key = (question.name.to_text(True).lower(), dns.rdatatype.to_text(question.rdtype))
        turn, self.asked[key] = self.asked[key], self.asked[key] + 1
        found = self.records.get(key, ())
        if found == "servfail":
            reply.set_rcode(dns.rcode.SERVFAIL)
            return reply.to_wire()
        values = found(turn) if callable(found) else found
        if values:
            reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", key[1], *values))
        elif not any(name == key[0] or name.endswith(f".{key[0]}") for name, _ in self.records):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply.to_wire()


@contextmanager
def name_server(address: str = "127.0.0.1") -> Iterator[Names]:
    names = Names()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.bind((address, 0))
        link.settimeout(0.2)
        names.resolver = f"{address}:{link.getsockname()[1]}"
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                with suppress(TimeoutError):
                    wire, who = link.recvfrom(4096)
                    with suppress(dns.exception.DNSException):
                        link.sendto(names.answer(wire), who)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield names
        finally:
            over.set()
            thread.join()


class Issues(Protocol):
    """What a web server needs of an authority; trustme's is one."""

    def issue_cert(self, *names: str) -> Any: ...


@dataclass
class Site:
    """What a web server says: path to (status, body, headers); `met` counts requests by path."""

    pages: dict[str, tuple[int, bytes, dict[str, str]]] = field(default_factory=dict)
    met: list[str] = field(default_factory=list)


@contextmanager
def web_server(address: str, authority: Issues | None, *names: str, port: int = 0) -> Iterator[Site]:
    """HTTPS with a certificate for `names`, on port 443 unless another is given; plain HTTP without authority."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.met.append(self.path)
            status, body, headers = site.pages.get(self.path, (404, b"nothing", {}))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), "Connection": "close", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass

    server = Quiet((address, port or (443 if authority else 80)), Handler)
    if authority is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*names).configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def canaries(*places: tuple[str, int]) -> Iterator[Callable[[], list[tuple[str, int]]]]:
    """Listens at each place, and hands out who was connected to by the time of the call."""
    with_sockets: list[tuple[tuple[str, int], socket.socket]] = []
    try:
        for place in places:
            family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
            listener = socket.socket(family, socket.SOCK_STREAM)
            with_sockets.append((place, listener))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place)
            listener.listen(64)
            listener.setblocking(False)

        def met() -> list[tuple[str, int]]:
            found = []
            for place, listener in with_sockets:
                with suppress(BlockingIOError):
                    while True:
                        listener.accept()[0].close()
                        found.append(place)
            return found

        yield met
    finally:
        for _, listener in with_sockets:
            listener.close()
