"""How a hostile web server says what it says.  Each behaviour owns its connection until it returns."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from functools import cache
from itertools import count

from tests.checks.faults.streams import Behaviour, Reader, Writer

EVIL = b'\x1b[31mEVIL\x07\xe2\x80\xae\xe2\x81\xa6<script>alert(1)</script>"><img src=x onerror=1>'
HTML = b"Content-Type: text/html; charset=utf-8\r\n"
HTML_PAGE = b"<!DOCTYPE html><html><title>" + EVIL + b'</title><script src="/a.js"></script></html>'
# What a careful site sends: behind a broken answer none of it may count.
GOOD_HEAD = (
    b"Strict-Transport-Security: max-age=63072000; includeSubDomains\r\nX-Content-Type-Options: nosniff\r\n"
    b"Content-Security-Policy: default-src 'none'\r\nReferrer-Policy: same-origin\r\nX-Frame-Options: DENY\r\n"
    b"Set-Cookie: session=1; Secure; HttpOnly; SameSite=Lax\r\n"
)
BAD_NAMES = {
    "that is empty": b"", "of two words": b"a b", "with NUL": b"a\0b", "of escapes": b"\x1b[2J",
    "beyond ASCII": "é".encode(),
}  # fmt: skip
EVIL_TEXT = EVIL.decode()

# Items by what settles them.  Without an answer of the web server none of SITE can be known.
API = (
    "signup.closed", "signup.approval", "signup.captcha", "signup.email_verified", "legal.*", "updates.software_current",
    "plan.software_fits", "plan.contact_reachable", "app.setup_finished", "app.media_domain", "app.bucket_not_listable",
    "app.signed_fetch",
)  # fmt: skip
WORDS = (  # what an answer says of itself, true or not: nobody else can know
    "http.content_type_options", "http.cookies", "http.csp", "http.frame_options", "http.hsts", "http.hsts_preload",
    "http.permitted_cross_domain", "http.referrer_policy", "http.xss_protection_off", "http.cors",
    "app.secure_cookie", "app.http_security", "edge.waf", "app.panels_closed", "app.secrets_not_served",
    "http.security_txt", "http.https_redirect",
)  # fmt: skip
SITE = (*API, *WORDS[:-1])  # what port 80 does is another matter
FREE = "pass warn fail unknown manual not_applicable"
TLS_BESIDE = {"tls.*": FREE, "domain.caa": FREE}  # another certificate and another TLS server, sound both
_PAUSE_S = 0.2

Then = Callable[[Writer], Awaitable[None]]


def head(status: str, more: bytes = b"", *, ends: bool = False) -> bytes:
    """A head with what a careful site sends; `ends` closes it."""
    return f"HTTP/1.1 {status}\r\n".encode() + HTML + GOOD_HEAD + more + (b"\r\n" if ends else b"")


def page(status: str, body: bytes, more: bytes = b"", *, good: bool = True, html: bytes = HTML) -> bytes:
    """A whole answer."""
    size = b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
    return f"HTTP/1.1 {status}\r\n".encode() + html + (GOOD_HEAD if good else b"") + more + size + body


def gzipped(data: bytes) -> bytes:
    press = zlib.compressobj(9, zlib.DEFLATED, 31)
    return press.compress(data) + press.flush()


def says(raw: bytes, then: Then | None = None) -> Behaviour:
    """Reads one request head, answers these bytes, does what `then` does, ends."""

    async def behave(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        await writer.drain()
        if then is not None:
            await then(writer)

    return behave


async def waits(writer: Writer) -> None:
    await asyncio.sleep(3600)


def slowly(text: bytes, *, first: bytes = b"") -> Behaviour:
    """`first` at once, then `text` byte by byte."""

    async def then(writer: Writer) -> None:
        for n in range(len(text)):
            writer.write(text[n : n + 1])
            await writer.drain()
            await asyncio.sleep(_PAUSE_S)

    return says(first, then)


def endlessly(block: bytes, *, first: bytes = b"") -> Behaviour:
    """`first`, then `block` for ever, as fast as it is taken."""

    async def then(writer: Writer) -> None:
        while not writer.is_closing():
            writer.write(block)
            await writer.drain()
            await asyncio.sleep(0)  # drain need not wait, and would never hear that the client has gone

    return says(first, then)


def in_turn(nth: Callable[[int], bytes]) -> Behaviour:
    """Each connection is answered by its number."""
    numbers = count(1)

    async def behave(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
        await says(nth(next(numbers)))(reader, writer, honest)

    return behave


def redirects(to: bytes) -> Behaviour:
    return says(page("302 Found", b"", b"Location: " + to + b"\r\n"))


@cache
def _bomb() -> bytes:
    """128 MiB of nothing in 128 KiB."""
    press = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([*(press.compress(bytes(1 << 20)) for _ in range(128)), press.flush()])


def bomb() -> Behaviour:
    """Made when it is first dropped."""

    async def behave(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
        await says(page("200 OK", _bomb(), b"Content-Encoding: gzip\r\n"))(reader, writer, honest)

    return behave
