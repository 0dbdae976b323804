"""Behaviours of a web server that has read a request, whether or not over TLS."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from functools import cache

from tests.checks.faults.streams import GARBAGE, Behaviour, Reader, Writer, reset

_HTML = b"Content-Type: text/html; charset=utf-8\r\n"
# What a careful site sends; behind a fault none of it may count.
_GOOD = (
    b"Strict-Transport-Security: max-age=63072000; includeSubDomains\r\nX-Content-Type-Options: nosniff\r\n"
    b"Content-Security-Policy: default-src 'none'\r\nReferrer-Policy: same-origin\r\nX-Frame-Options: DENY\r\n"
    b"Set-Cookie: session=1; Secure; HttpOnly; SameSite=Lax\r\n"
)
_CHALLENGE = b"<html><script>window._cf_chl_opt={}</script>Just a moment...</html>"

_After = Callable[[Writer], Awaitable[None]]


def answers(raw: bytes, after: _After | None = None) -> Behaviour:
    """Reads one request head, answers these bytes, does what `after` does, ends."""

    async def behave(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        await writer.drain()
        if after is not None:
            await after(writer)

    return behave


def page(status: str, body: bytes = b"", headers: bytes = _HTML) -> bytes:
    """A whole answer."""
    size = f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return f"HTTP/1.1 {status}\r\n".encode() + headers + size.encode() + body


async def _waits(writer: Writer) -> None:
    await asyncio.sleep(3600)


async def _resets(writer: Writer) -> None:
    await asyncio.sleep(0.05)
    reset(writer)


def _repeats(block: bytes, pause_s: float = 0.0) -> _After:
    async def after(writer: Writer) -> None:
        while not writer.is_closing():
            writer.write(block)
            await writer.drain()
            await asyncio.sleep(pause_s)  # also for 0 s: drain need not wait, and would never hear of the end

    return after


@cache
def _bomb() -> bytes:
    """128 MiB of nothing in 128 KiB."""
    press = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = b"".join([*(press.compress(bytes(1 << 20)) for _ in range(128)), press.flush()])
    return page("200 OK", packed, _HTML + _GOOD + b"Content-Encoding: gzip\r\n")


async def _drops_the_bomb(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
    await answers(_bomb())(reader, writer, honest)


_OPEN = b"HTTP/1.1 200 OK\r\n" + _HTML + _GOOD
_CUT = _OPEN + b"Content-Length: 500\r\n\r\n<html>"

# Nothing can be concluded from these, not even from a head that arrived before the trouble.
BROKEN: dict[str, Behaviour] = {
    "silent after the request": answers(b"", _waits),
    "stalls in the headers": answers(_OPEN, _waits),
    "drips headers": answers(_OPEN, _repeats(b"x", 0.3)),
    "closes after the request": answers(b""),
    "resets after the request": answers(b"", _resets),
    "resets in the headers": answers(_OPEN, _resets),
    "ends in the headers": answers(_OPEN),
    "garbage": answers(GARBAGE),
    "an SSH banner": answers(b"SSH-2.0-OpenSSH_9.2\r\n", _waits),
    "headers without end": answers(_OPEN, _repeats(b"X-More: 0123456789abcdef\r\n" * 100)),
    "provisional answers without end": answers(b"", _repeats(b"HTTP/1.1 102 Processing\r\n\r\n" * 100)),
    "unknown encoding": answers(page("200 OK", b"x" * 50, _HTML + _GOOD + b"Content-Encoding: br\r\n")),
}

# The head is whole; who wants no more than that may use it.
BROKEN_BODY: dict[str, Behaviour] = {
    "stalls in the body": answers(_CUT, _waits),
    "drips a body": answers(_OPEN + b"Content-Length: 500\r\n\r\n", _repeats(b" ", 0.3)),
    "resets in the body": answers(_CUT, _resets),
    "ends in the body": answers(_CUT),
    "ends in a chunk": answers(_OPEN + b"Transfer-Encoding: chunked\r\n\r\nfff\r\n<html>"),
    "not gzip": answers(page("200 OK", b"x" * 50, _HTML + _GOOD + b"Content-Encoding: gzip\r\n")),
}

# It answered, but not for us.
WITHHELD: dict[str, Behaviour] = {
    "401": answers(page("401 Unauthorized", b"<html>sign in</html>", _HTML + _GOOD)),
    "403": answers(page("403 Forbidden", b"<html>no</html>", _HTML + _GOOD)),
    "403 challenge": answers(
        page("403 Forbidden", _CHALLENGE, _HTML + _GOOD + b"cf-mitigated: challenge\r\n")
    ),
    "429": answers(page("429 Too Many Requests", b"slow down", _HTML + _GOOD + b"Retry-After: 60\r\n")),
    "451": answers(page("451 Unavailable For Legal Reasons", b"no", _HTML + _GOOD)),
    "500": answers(page("500 Internal Server Error", b"", _HTML + _GOOD)),
    "502": answers(page("502 Bad Gateway", b"<html>nginx</html>", _HTML + _GOOD)),
    "503": answers(page("503 Service Unavailable", b"<html>maintenance</html>", _HTML + _GOOD)),
}
CHALLENGE = answers(page("200 OK", _CHALLENGE, _HTML + _GOOD))

# An answer, and sound: its headers count, and a path that is not there is not there.  No API stands behind it.
NO_API: dict[str, Behaviour] = {
    "endless body": answers(_OPEN + b"Connection: close\r\n\r\n", _repeats(b" " * 16384)),
    "gzip bomb": _drops_the_bomb,
    "HTML to everything": answers(
        page("200 OK", b"<!DOCTYPE html><html><body>hello</body></html>", _HTML + _GOOD)
    ),
    "404 to everything": answers(page("404 Not Found", b"<html>nothing here</html>")),
}
