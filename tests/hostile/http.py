"""Web servers that mean harm: what they say once the handshake is done and the request is read.

A body that never ends, or breaks off, is no answer at all: its good head proves nothing.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.checks.faults.streams import Behaviour as Serve
from tests.checks.faults.streams import Reader, Writer, reset
from tests.hostile.http_answers import (
    API,
    BAD_NAMES,
    EVIL,
    FREE,
    GOOD_HEAD,
    HTML,
    HTML_PAGE,
    SITE,
    TLS_BESIDE,
    WORDS,
    bomb,
    endlessly,
    gzipped,
    head,
    in_turn,
    page,
    redirects,
    says,
    slowly,
    waits,
)
from tests.hostile.model import Allows, Behaviour, World
from tests.lab import places as at

NOTHING, ALL = False, True


@dataclass(frozen=True)
class Web:
    """What port 443 says.  `counts`: it is an answer like any other, if a bad one, though no API stands behind it.
    `never`: states that only a lie in it could bring."""

    name: str
    how: Serve
    counts: bool = NOTHING
    never: Mapping[str, str] = field(default_factory=dict)


_OPEN = head("200 OK")
_CHUNKED = head("200 OK", b"Transfer-Encoding: chunked\r\n", ends=True)
_HSTS = b"Strict-Transport-Security: max-age=63072000; includeSubDomains\r\n"
_NO_HSTS: Mapping[str, str] = {"http.hsts": "pass"}


def _length(text: bytes, body: bytes = HTML_PAGE) -> Serve:
    return says(head("200 OK", b"Content-Length: " + text + b"\r\n", ends=True) + body)


def _encoded(name: bytes, body: bytes) -> Serve:
    return says(page("200 OK", body, b"Content-Encoding: " + name + b"\r\n"))


def _chunk(size: bytes, data: bytes = b"<html>") -> Serve:
    return says(_CHUNKED + size + b"\r\n" + data + b"\r\n0\r\n\r\n")


async def _desync(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
    """Two answers to each request: the second waits for the next request."""
    while await reader.readuntil(b"\r\n\r\n"):
        plain = b"HTTP/1.1 200 OK\r\n" + HTML + b"Content-Length: 6\r\n\r\n<html>"
        lie = b"HTTP/1.1 200 OK\r\n" + HTML + GOOD_HEAD + b"Content-Length: 6\r\n\r\n<html>"
        writer.write(plain + lie)
        await writer.drain()


async def _late_desync(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
    """The second answer comes a moment later, when the connection is idle."""
    while await reader.readuntil(b"\r\n\r\n"):
        writer.write(b"HTTP/1.1 200 OK\r\n" + HTML + b"Content-Length: 6\r\n\r\n<html>")
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(b"HTTP/1.1 200 OK\r\n" + HTML + GOOD_HEAD + b"Content-Length: 6\r\n\r\n<html>")


async def _before_asked(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
    """An answer to a question that nobody has put yet."""
    writer.write(page("200 OK", HTML_PAGE))
    await writer.drain()
    await reader.read(65536)


async def _resets_in_body(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(head("200 OK", b"Content-Length: 9000\r\n", ends=True) + HTML_PAGE)
    await writer.drain()
    await asyncio.sleep(0.05)
    reset(writer)


# Slow and endless.
_FLOODS = (
    Web("drips the status line", slowly(b"HTTP/1.1 200 OK\r\n" + GOOD_HEAD + b"\r\n")),
    Web("drips a header", slowly(b"x" * 4000, first=_OPEN + b"X-Slow: ")),
    Web("drips a body", slowly(b" " * 4000, first=head("200 OK", b"Content-Length: 5000\r\n", ends=True))),
    Web("headers without end", endlessly(b"X-More: 0123456789abcdef\r\n" * 100, first=_OPEN)),
    Web("one header without end", endlessly(b"x" * 8192, first=_OPEN + b"X-More: ")),
    Web("a status line without end", endlessly(b"OK " * 3000, first=b"HTTP/1.1 200 ")),
    Web("a header of 100 KiB", says(page("200 OK", HTML_PAGE, b"X-Much: " + b"x" * 102_400 + b"\r\n"))),
    Web("a policy of 90 KiB", says(page("200 OK", HTML_PAGE, b"Content-Security-Policy: " + b"a " * 45_000 + b"\r\n")), ALL),
    Web("10,000 headers", says(page("200 OK", HTML_PAGE, b"a: b\r\n" * 10_000))),
    Web("150 cookies of 600 bytes", says(page("200 OK", HTML_PAGE, b"".join(
        b"Set-Cookie: c%d=%s; Secure\r\n" % (n, b"v" * 580) for n in range(150)))), ALL),
    Web("5,000 cookies", says(page("200 OK", HTML_PAGE, b"Set-Cookie: a=1\r\n" * 5000))),
    Web("102 without end", endlessly(b"HTTP/1.1 102 Processing\r\n\r\n" * 100)),
    Web("103 with links without end", endlessly(
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n" + _HSTS + b"\r\n")),
    Web("a body without end", endlessly(b" " * 16384, first=head("200 OK", b"Connection: close\r\n", ends=True)), ALL),
    Web("never closes", says(head("200 OK", b"Connection: close\r\n", ends=True) + HTML_PAGE, then=waits)),
    Web("resets in the body", _resets_in_body),
)  # fmt: skip

# Chunks and lengths.
_FRAMES = (
    Web("chunks of one byte without end", endlessly(b"1\r\n \r\n" * 1000, first=_CHUNKED), ALL),
    Web("one chunk without end", endlessly(b"x" * 16384, first=_CHUNKED + b"ffffffffffffffff\r\n"), ALL),
    Web("a chunk size of 1,000 digits", _chunk(b"1" * 1000)),
    Web("a chunk size that is none", _chunk(b"zz")),
    Web("a negative chunk", _chunk(b"-5")),
    Web("a chunk in hexadecimal Python", _chunk(b"0x6")),
    Web("chunk extensions without end", endlessly(b"1;" + b"e=" * 2000 + b"\r\n \r\n", first=_CHUNKED), ALL),
    Web("one chunk extension without end", endlessly(b"e" * 8192, first=_CHUNKED + b"1;")),
    Web("trailers without end", endlessly(b"X-More: y\r\n" * 100, first=_CHUNKED + b"0\r\n")),
    Web("headers in the trailers", says(b"HTTP/1.1 200 OK\r\n" + HTML
        + b"Transfer-Encoding: chunked\r\nTrailer: Strict-Transport-Security\r\nConnection: close\r\n\r\n6\r\n<html>"
        b"\r\n0\r\n" + _HSTS + b"\r\n"), ALL, _NO_HSTS),
    Web("headers in early hints alone", says(b"HTTP/1.1 103 Early Hints\r\n" + _HSTS + b"\r\n" + page(
        "200 OK", HTML_PAGE, good=False)), ALL, _NO_HSTS),
    Web("a length that is too long", _length(b"900000")),
    Web("a length that is too short", _length(b"6"), ALL),
    Web("a negative length", _length(b"-6")),
    Web("a length of 5,000 digits", _length(b"9" * 5000)),
    Web("a length in words", _length(b"six")),
    Web("two lengths", _length(b"6\r\nContent-Length: 600")),
    Web("two lengths in one line", _length(b"6, 600")),
    Web("a length and chunks", says(head(
        "200 OK", b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", ends=True) + b"3\r\n<ht\r\n0\r\n\r\n"),
        ALL),
    Web("chunked twice", says(head("200 OK", b"Transfer-Encoding: chunked, chunked\r\n", ends=True) + b"0\r\n\r\n")),
    Web("an unknown transfer coding", says(head("200 OK", b"Transfer-Encoding: xchunked\r\n", ends=True) + b"0\r\n\r\n")),
    Web("two answers to one request", _desync, ALL, _NO_HSTS),
    Web("a second answer while idle", _late_desync, ALL, _NO_HSTS),
    Web("an answer before the question", _before_asked, ALL),
)  # fmt: skip

# Packed bodies and odd types.
_BODIES = (
    Web("a gzip bomb", bomb(), ALL),
    Web("a gzip bomb in a gzip bomb", _encoded(b"gzip, gzip", gzipped(gzipped(bytes(1 << 22))))),
    Web("gzip named ten times", _encoded(b"gzip\r\nContent-Encoding: gzip" * 5, gzipped(b"x"))),
    Web("a gzip name without end", endlessly(b"n" * 8192, first=head(
        "200 OK", b"Content-Encoding: gzip\r\nConnection: close\r\n", ends=True) + b"\x1f\x8b\x08\x08" + bytes(6)),
        ),
    Web("gzip cut short", _encoded(b"gzip", gzipped(HTML_PAGE)[:-12]), ALL),
    Web("gzip with a wrong sum", _encoded(b"gzip", gzipped(HTML_PAGE)[:-8] + bytes(8))),
    Web("no gzip at all", _encoded(b"gzip", HTML_PAGE)),
    Web("deflate", _encoded(b"deflate", bytes(50))),
    Web("br", _encoded(b"br", bytes(50))),
    Web("zstd", _encoded(b"zstd", bytes(50))),
    Web("an encoding of escapes", _encoded(b"\x1b]0;EVIL\x07", bytes(50))),
    *(
        Web(f"the charset {name.decode()}", says(page(
            "200 OK", b"<html>+ADw-script+AD4-\xff\xfe\x1b[31m", html=b"Content-Type: text/html; charset=" + name
            + b"\r\n")), ALL)
        for name in (b"utf-7", b"idna", b"unicode_escape", b"../../etc/passwd", b"utf-16", b"zlib_codec")
    ),
    Web("3 MB of open tags", says(page("200 OK", b"<" * 3_000_000)), ALL),
    Web("links for every rule that reads pages", says(page("200 OK", b'<a href="/' * 20_000 + b" src='/" * 20_000)),
        ALL),
)  # fmt: skip

# Where redirects lead.
_AHEAD = (
    Web("redirects to itself", redirects(b"/"), ALL),
    Web("redirects on and on", in_turn(lambda n: page("302 Found", b"", b"Location: /%d\r\n" % n)), ALL),
    *(Web(f"redirects to {name}", redirects(to), ALL) for name, to in {
        "the metadata service": b"http://169.254.169.254/latest/meta-data/",
        "the metadata service, without a scheme": b"//169.254.169.254/latest/",
        "the metadata service in IPv6": b"https://[fd00:ec2::254]/latest/",
        "the loopback": b"http://127.0.0.1:6379/",
        "the loopback as a number": b"http://2130706433/",
        "the loopback in octal": b"http://0177.0.0.1/",
        "the loopback mapped": b"https://[::ffff:127.0.0.1]/",
        "a private network": b"https://10.0.0.1/admin",
        "another port": b"https://good.fedi.test:22/",
        "a file": b"file:///etc/passwd",
        "gopher": b"gopher://127.0.0.1:6379/_FLUSHALL",
        "a script": b"javascript:alert(1)",
        "data": b"data:text/html,<script>alert(1)</script>",
        "a name with a password": b"https://user:secret@good.fedi.test/",
        "a name that looks like ours": "https://gооd.fedi.test/".encode(),  # two letters are Cyrillic
        "another site": b"https://bad.fedi.test/elsewhere",
        "a place with line breaks": b"/a%0d%0aSet-Cookie:%20a=b",
        "a place with escapes": b"/\x1b[2J\x07",
        "a place of 9,000 characters": b"/" + b"x" * 9000,
        "no URL": b"https://[::1",
        "nothing": b"",
    }.items()),
)  # fmt: skip

# What is said in place of HTTP, and statuses.
_NO_HTTP = (
    Web("HTTP/0.9", says(HTML_PAGE)),
    Web("HTTP/2 frames", says(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18), then=waits)),
    Web("HTTP/9.9", says(b"HTTP/9.9 200 OK\r\n" + GOOD_HEAD + b"\r\n"), ALL),
    Web("ICY", says(b"ICY 200 OK\r\n\r\n")),
    Web("the status 000", says(page("000 Nothing", HTML_PAGE))),
    Web("the status 99", says(page("99 Little", HTML_PAGE))),
    Web("the status 12345", says(page("12345 Much", HTML_PAGE))),
    Web("a status in Arabic digits", says(page("٢٠٠ OK", HTML_PAGE))),
    Web("a lone end of line", says(b"\r\n")),
    Web("only NUL", says(bytes(4096))),
    Web("another protocol after the handshake", says(b"220 mail.example ESMTP\r\n", then=waits)),
)  # fmt: skip
_STATUSES = tuple(
    Web(f"{status} to everything", says(page(status, body, more)), counts)
    for status, more, body, counts in (
        ("999 Go away", b"", HTML_PAGE, NOTHING),
        ("407 Proxy Authentication Required", b'Proxy-Authenticate: Basic realm="EVIL"\r\n', b"", NOTHING),
        ("429 Too Many Requests", b"Retry-After: 99999999999999999999\r\n", b"", NOTHING),
        ("503 Unavailable", b"Retry-After: Fri, 31 Dec 99999 23:59:59 GMT\r\n", b"", NOTHING),
        ("206 Partial Content", b"Content-Range: bytes 0-5/999999999999\r\n", HTML_PAGE, ALL),
        ("226 IM Used", b"", HTML_PAGE, ALL),
        ("300 Multiple Choices", b"Location: /\r\n", HTML_PAGE, ALL),
        ("304 Not Modified", b"", b"", ALL),
        ("418 I'm a teapot", b"", HTML_PAGE, ALL),
        ("426 Upgrade Required", b"Upgrade: h2c\r\nConnection: upgrade\r\n", b"", ALL),
    )
)
_SWITCHING = (
    Web("101 to everything", says(head("101 Switching Protocols", b"Upgrade: websocket\r\n", ends=True), then=waits),
        ALL),
    Web("204 with a body", says(page("204 No Content", HTML_PAGE)), ALL),
)  # fmt: skip


def _headers(lines: bytes, *, good: bool = True) -> Serve:
    return says(page("200 OK", HTML_PAGE, lines, good=good))


# Headers that are read, and their grammars.
_TWICE = b"".join(
    name + b": " + one + b"\r\n" + name + b": " + two + b"\r\n"
    for name, one, two in (
        (b"Strict-Transport-Security", b"max-age=0", b"max-age=63072000"),
        (b"Content-Security-Policy", b"default-src *", b"default-src 'none'"),
        (b"X-Frame-Options", b"ALLOWALL", b"DENY"),
        (b"X-Content-Type-Options", b"sniff", b"nosniff"),
        (b"Referrer-Policy", b"unsafe-url", b"same-origin"),
        (b"X-XSS-Protection", b"1", b"0"),
        (b"X-Permitted-Cross-Domain-Policies", b"all", b"none"),
        (b"Access-Control-Allow-Origin", b"null", b"*"),
        (b"Content-Type", b"text/plain", b"text/html"),
        (b"Set-Cookie", b"session=1", b"session=1; Secure; HttpOnly; SameSite=Strict"),
    )
)
_HEADERS = (
    Web("every security header twice", _headers(_TWICE, good=False), ALL, {"http.hsts": "pass"}),
    Web("HSTS of 5,000 digits", _headers(b"Strict-Transport-Security: max-age=" + b"9" * 5000 + b"\r\n", good=False),
        ALL),
    Web("HSTS of a thousand directives", _headers(
        b"Strict-Transport-Security: " + b'a="' + b'\\"' * 3500 + b"\r\n", good=False), ALL, _NO_HSTS),
    Web("a policy against patient patterns", _headers(
        b"Content-Security-Policy: " + b"default-src" + b" a" * 4000 + b"!;" * 50 + b"\r\n", good=False), ALL,
        {"http.csp": "pass"}),
    Web("a policy with escapes", _headers(
        b"Content-Security-Policy: script-src 'unsafe-inline' " + EVIL + b"\r\n", good=False), ALL),
    Web("CORS for a thousand origins", _headers(
        b"Access-Control-Allow-Origin: " + b"https://origin.invalid, " * 1000 + b"\r\n"), ALL),
    Web("CORS for everybody, with credentials", _headers(
        b"Access-Control-Allow-Origin: https://origin.invalid\r\nAccess-Control-Allow-Credentials: true\r\n"),
        ALL),
    Web("cookies of markup", _headers(b"Set-Cookie: <script>alert(1)</script>=\x1b[31m; Secure; \xe2\x80\xae\r\n"),
        ALL),
    Web("a reason with escapes", says(page("200 \x1b[31mEVIL\x1b[0m", HTML_PAGE)), ALL),
    Web("a server of escapes", _headers(b"Server: \x1b]0;EVIL\x07\xe2\x80\xae<script>alert(1)</script>\r\n"), ALL),
    Web("folded headers", _headers(b"X-Frame-Options: DENY\r\n SAMEORIGIN\r\nX-Fold:\r\n\t" + _HSTS, good=False),
        ALL, _NO_HSTS),
    Web("a header split by an LF", _headers(b"X-One: a\n" + _HSTS[:-2] + b"\r\n", good=False), ALL),
    Web("a header split by a CR", _headers(b"X-One: a\r" + _HSTS, good=False), ALL, _NO_HSTS),
    Web("NUL in a header", _headers(_HSTS[:-2] + b"\0\r\n", good=False), ALL),
    *(Web(f"a header name {words}", _headers(name + b": x\r\n")) for words, name in BAD_NAMES.items()),
    Web("a header in UTF-16", _headers("Strict-Transport-Security: max-age=9\r\n".encode("utf-16"), good=False)),
    Web("a shield's mark beside a page", _headers(b"cf-mitigated: challenge\r\n")),
    Web("good and bad in turn", in_turn(lambda n: page("200 OK", HTML_PAGE, good=bool(n % 2))), ALL),
    Web("well and broken in turn", in_turn(lambda n: page("200 OK" if n % 2 else "500 No", HTML_PAGE)), ALL),
)  # fmt: skip


def _behaviour(web: Web) -> Behaviour:
    never = {item: " ".join(set(FREE.split()) - {state}) for item, state in web.never.items()}
    true = {**never, **TLS_BESIDE, **(dict.fromkeys(WORDS, FREE) if web.counts else {})}
    name = "http-" + re.sub(r"[^a-z0-9]+", "-", web.name.lower()).strip("-")
    world = World(ports={(at.GOOD_IP, 443): web.how}, inside_tls=True)
    quick = name == "http-headers-in-the-trailers"
    return Behaviour(name, "http", world, Allows(API if web.counts else SITE, true), quick=quick)


_ALL = (*_FLOODS, *_FRAMES, *_BODIES, *_AHEAD, *_NO_HTTP, *_STATUSES, *_SWITCHING, *_HEADERS)
BEHAVIOURS: tuple[Behaviour, ...] = tuple(map(_behaviour, _ALL))
