"""The web server and clients that are slow, greedy or odd: each is ended, and nobody else waits for it."""

from __future__ import annotations

import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from fedisec.lib import serving
from tests.targets import serving_child

NEVER_S = 60.0  # for what should come in a second or two
Send = Callable[[socket.socket, int], None]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with subprocess.Popen(
        [sys.executable, "-m", serving_child.__name__], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.kill()


def connected(port: int, source: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), NEVER_S, (source, 0))


def answer(port: int, sent: bytes, source: str = "127.0.0.1") -> bytes:
    with closing(connected(port, source)) as link:
        link.sendall(sent)
        heard = b""
        while more := link.recv(65536):
            heard += more
        return heard


def is_well(port: int) -> bool:
    return answer(port, b"GET / HTTP/1.0\r\n\r\n").endswith(b"well")


def drip_header(link: socket.socket, turn: int) -> None:
    link.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n" if turn == 0 else b"X-a: b\r\n")


def drip_line(link: socket.socket, turn: int) -> None:
    link.sendall(b"GET /" if turn == 0 else b"a")


def drip_body(link: socket.socket, turn: int) -> None:
    link.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n" if turn == 0 else b"a")


def drip_chunks(link: socket.socket, turn: int) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    link.sendall(head if turn == 0 else b"1\r\na\r\n")


def second_request(link: socket.socket, turn: int) -> None:
    """Well at first; the request after it never ends."""
    link.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n" if turn == 0 else b"X-a: b\r\n")


@pytest.mark.parametrize("drip", [drip_header, drip_line, drip_body, drip_chunks, second_request])
def test_whoever_sends_a_byte_now_and_then_is_ended(port: int, drip: Send) -> None:
    """Time-outs of silence never come here: something arrives five times a second."""
    with ExitStack() as stack:
        links = [stack.enter_context(closing(connected(port))) for _ in range(20)]
        ended: set[socket.socket] = set()
        begun, turn = time.monotonic(), 0
        while len(ended) < len(links):
            assert time.monotonic() - begun < NEVER_S, f"{len(links) - len(ended)} are still there"
            for link in set(links) - ended:
                try:
                    drip(link, turn)
                    while select.select([link], [], [], 0)[0]:
                        if not link.recv(65536):
                            ended.add(link)
                            break
                except OSError:
                    ended.add(link)
            if turn == 0:
                assert is_well(port)
            turn += 1
            time.sleep(0.2)


def test_whoever_does_not_take_the_answer_is_ended(port: int) -> None:
    """More of them than threads: each holds one until it is ended."""
    with ExitStack() as stack:
        for _ in range(serving.THREADS + 2):
            link = stack.enter_context(closing(connected(port)))
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            link.sendall(b"GET /big HTTP/1.0\r\n\r\n")
        assert is_well(port)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        # No byte more than the limit: what is left unread would reset the connection.
        ((b"GET / HTTP/1.1\r\nCookie: " + b"a" * serving.HEADER_BYTES)[: serving.HEADER_BYTES], 431),
        ((b"GET /" + b"a" * serving.HEADER_BYTES)[: serving.HEADER_BYTES], 431),
        ((b"X: y\r\n" * serving.HEADER_BYTES)[: serving.HEADER_BYTES], 431),
        (b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (serving.BODY_BYTES + 1), 413),
        (
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
            + (b"%x\r\n" % serving.BODY_BYTES + b"a" * serving.BODY_BYTES)[: serving.BODY_BYTES],
            413,
        ),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"\0\0\0\0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: b\nHost: x\r\n\r\n", 400),
        (b"GET /broken HTTP/1.1\r\n\r\n", 500),
    ],
)
def test_what_cannot_be_served_gets_a_page_that_tells_nothing(port: int, sent: bytes, status: int) -> None:
    said = answer(port, sent)
    head, _, page = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status) or head.startswith(b"HTTP/1.0 %d " % status), head
    assert b'lang="ja"' in page and b"<h1>" in page and b"no-store" in head
    for inside in (
        b"waitress",
        b"generated",
        b"Traceback",
        b"secret",
        b"max_",
        b"/work",
        b"Server:",
        b"Python",
    ):
        assert inside not in said, inside
    assert is_well(port)


def test_one_address_holds_only_so_many_connections(port: int) -> None:
    with ExitStack() as stack:
        links = [stack.enter_context(closing(connected(port, "127.0.0.9"))) for _ in range(30)]
        begun = time.monotonic()
        ended: set[socket.socket] = set()
        while len(ended) < 25:
            assert time.monotonic() - begun < NEVER_S
            readable, _, _ = select.select([one for one in links if one not in ended], [], [], 1.0)
            ended |= set(readable)
        assert is_well(port), "this machine itself is not counted"
        assert answer(port, b"GET / HTTP/1.0\r\n\r\n", "127.0.0.10").endswith(b"well")
