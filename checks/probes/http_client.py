"""HTTP with pinned addresses, caps and a total deadline.  Every answer is hostile until it is a `Page`."""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import cast
from urllib.parse import quote, urljoin, urlsplit

import httpcore
import httpx
import idna

from checks.clean import clean
from checks.errors import ConnectionLost, ForbiddenAddress, Malformed, ProbeError, Refused, TimedOut, TooLarge
from checks.facts.http import HEADER_CHARS, Page
from checks.probes.http_dial import (
    WEB_PORTS,
    Names,
    PinnedBackend,
    PinnedTransport,
    lenient_context,
    verifying_context,
)
from checks.probes.net import Net, dial_error

HEADER_LINES = 200
BODY_BYTES = 256 * 1024  # unpacked, unless the caller wants another cap
_CONNECTIONS = 3  # at a time to one host: requests share them (keep-alive)
_REFUSED_MAX = 2  # connections to one port, after which the host is not dialled there again
_SILENT_MAX = 3  # time-outs of one host after which it is not asked again
_PIECE = 64 * 1024  # unpacked bytes that a sink is given at once
_URL_CHARS = "/:?#[]@!$&'()*+,;=%~-._"


@dataclass(frozen=True, slots=True)
class _Where:
    """A URL taken apart and put into ASCII."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def url(self) -> httpx.URL:
        host = f"[{self.host}]" if ":" in self.host else self.host
        try:
            return httpx.URL(f"{self.scheme}://{host}:{self.port}{self.target}")
        except httpx.InvalidURL as error:  # such as 0177.0.0.1, which is no address and no name
            raise Malformed("not a plain URL") from error

    @property
    def site(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port


@dataclass(frozen=True, slots=True)
class Raw:
    """One answer before its body is taken for text.  Header names are lower case, values cleaned."""

    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes  # unpacked, cut to what was asked for
    truncated: bool

    def header(self, name: str) -> str | None:
        """The first value of a header field; None where the field is absent."""
        return next((value for key, value in self.headers if key == name.lower()), None)


class HttpClient:
    """One per scan.  No redirect is followed by itself, no cookie kept, no environment read; answers are
    never decoded further than UTF-8 with replacement.  `close` ends what is still open."""

    def __init__(
        self, net: Net, resolver: Names, *, trust_pem: str = "", ports: frozenset[int] = WEB_PORTS
    ) -> None:
        self._net, self._resolver, self._trust_pem, self._ports = net, resolver, trust_pem, ports
        self._transports: dict[tuple[str | None, bool], PinnedTransport] = {}
        self._silent: Counter[str] = Counter()
        self._refused: Counter[tuple[str, int]] = Counter()
        self._gates: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_CONNECTIONS))

    async def get(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        max_body: int = BODY_BYTES,
        address: str | None = None,
        verify: bool = False,
        kind: str = "http",
    ) -> Page:
        """One request, one answer, whatever its status.  Raises ProbeError kinds only.

        `max_body`: bytes of the unpacked body that are kept; a longer one is cut and marked `truncated`.
        `address`: dial this one instead of the name's.  `verify`: check the certificate (Malformed with a
        detail that begins with "certificate" when it does not hold).  `kind`: the budget that pays."""
        raw = await self.raw(
            url,
            method=method,
            headers=headers,
            body=body,
            max_body=max_body,
            address=address,
            verify=verify,
            kind=kind,
        )
        return Page(url, raw.status, raw.headers, raw.body.decode("utf-8", "replace"), raw.truncated)

    async def raw(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        max_body: int = BODY_BYTES,
        address: str | None = None,
        verify: bool = False,
        kind: str = "http",
        sink: Callable[[bytes], None] | None = None,
    ) -> Raw:
        """`get` without taking the body for UTF-8: a document in XML names its encoding itself.

        `sink`: takes the unpacked body of a 200 in pieces, which `max_body` caps all the same, instead of its
        being kept; what it raises ends the exchange and is raised here."""
        where = _take_apart(url)
        request = httpx.Request(
            method,
            where.url,
            headers=self._header_lines(where, headers, method, body),
            content=body or None,
        )
        async with self._gates[where.host]:
            if self._silent[where.host] >= _SILENT_MAX:
                raise TimedOut(f"{where.host}: silent {_SILENT_MAX} times before")
            if self._refused[where.host, where.port] >= _REFUSED_MAX:
                raise Refused(f"{where.host} port {where.port}: refused {_REFUSED_MAX} times before")
            self._net.spend(kind)
            try:
                return await self._in_time(self._transport(address, verify), request, url, max_body, sink)
            except TimedOut:
                self._silent[where.host] += 1
                raise
            except Refused:
                self._refused[where.host, where.port] += 1
                raise

    async def _in_time(
        self,
        transport: PinnedTransport,
        request: httpx.Request,
        url: str,
        max_body: int,
        sink: Callable[[bytes], None] | None,
    ) -> Raw:
        """The exchange within its deadline; everything that goes wrong becomes a ProbeError."""
        try:
            async with asyncio.timeout(min(self._net.limits.request_s, self._net.remaining_s())):
                return await self._exchange(transport, request, url, max_body, sink)
        except TimeoutError as error:
            raise TimedOut(f"{url[:200]}: no whole answer in time") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            raise _kind_of(error) from error
        except httpcore.UnsupportedProtocol as error:
            raise Malformed(str(error)) from error
        except ssl.SSLError as error:
            raise _tls_error(error) from error
        except OSError as error:
            raise dial_error(error, url[:200]) from error

    async def follow(
        self, url: str, hops: int = 3, *, anywhere: bool = False, max_body: int = BODY_BYTES
    ) -> tuple[Page, ...]:
        """The chain of answers from `url` on, first answer first, at most `hops` redirects followed.

        Each hop is vetted anew; only the first may be plain http, and only where `url` is.  It must stay on
        the same site (one name the other's parent, or equal), or keep the path that was asked for, so that a
        scanned host cannot choose what a third one is asked; `anywhere` lifts that.

        A hop that may not be followed ends the chain: its last page is then itself a redirect.  Failures of
        an answer raise, save an address that may not be dialled."""
        pages = [await self.get(url, max_body=max_body)]
        while len(pages) <= hops:
            ahead = redirect_of(pages[-1])
            if ahead is None or not _may_follow(url, ahead, first=len(pages) == 1, anywhere=anywhere):
                break
            try:
                pages.append(await self.get(ahead, max_body=max_body))
            except ForbiddenAddress:
                break
        return tuple(pages)

    def close(self) -> None:
        """Ends every open connection at once."""
        for transport in self._transports.values():
            transport.close()
        self._transports.clear()

    def _transport(self, address: str | None, verify: bool) -> PinnedTransport:
        key = (address, verify)
        if key not in self._transports:
            backend = PinnedBackend(self._net, self._resolver, self._ports, address)
            context = verifying_context(self._trust_pem) if verify else lenient_context()
            self._transports[key] = PinnedTransport(backend, context, idle=2 * _CONNECTIONS)
        return self._transports[key]

    def _header_lines(
        self, where: _Where, extra: Iterable[tuple[str, str]], method: str, body: bytes
    ) -> list[tuple[bytes, bytes]]:
        host = f"[{where.host}]" if ":" in where.host else where.host
        default = {"https": 443, "http": 80}[where.scheme]
        lines = {
            "Host": host if where.port == default else f"{host}:{where.port}",
            "User-Agent": self._net.user_agent,
            "Accept": "*/*",
            "Accept-Encoding": "gzip",
        }
        if body or method == "POST":
            lines["Content-Length"] = str(len(body))
        lines.update(extra)
        return [(name.encode("ascii"), value.encode("ascii", "replace")) for name, value in lines.items()]

    async def _exchange(
        self,
        transport: PinnedTransport,
        request: httpx.Request,
        url: str,
        max_body: int,
        sink: Callable[[bytes], None] | None,
    ) -> Raw:
        response = await transport.handle_async_request(request)
        try:
            headers = _read_headers(response.headers.raw, self._net.limits.header_bytes)
            encoding = [v for k, v in headers if k == "content-encoding"]
            cap = min(max_body, self._net.limits.body_bytes)
            if sink is not None and response.status_code == 200:
                body, truncated = b"", await _pour(response, encoding, cap, sink)
            else:
                body, truncated = await _read_body(response, encoding, cap)
        finally:
            await response.aclose()
        return Raw(url, response.status_code, headers, body, truncated)


def redirect_of(page: Page | Raw) -> str | None:
    """The absolute URL that a redirect leads to; None for every other answer."""
    location = page.header("location")
    if page.status not in {301, 302, 303, 307, 308} or not location:
        return None
    try:
        return urljoin(page.url, location.strip())
    except ValueError:
        return None


def host_of(url: str) -> str:
    """The host of a web address in ASCII; Malformed for what is none."""
    return _take_apart(url).host


def same_site(one: str, other: str) -> bool:
    """Equal names, or one the parent of the other."""
    return one == other or one.endswith("." + other) or other.endswith("." + one)


def _may_follow(asked: str, ahead: str, *, first: bool, anywhere: bool) -> bool:
    try:
        begun, to = _take_apart(asked), _take_apart(ahead)
    except Malformed:
        return False
    if to.scheme != "https" and not (first and begun.scheme == "http"):
        return False
    return anywhere or same_site(begun.host, to.host) or to.target == begun.target


def _take_apart(url: str) -> _Where:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        if not host.isascii():
            host = idna.encode(host, uts46=True).decode("ascii")
    except (ValueError, UnicodeError) as error:  # idna.IDNAError is a UnicodeError
        raise Malformed("not a URL") from error
    if parts.scheme not in {"http", "https"} or not host or len(host) > 253 or len(url) > HEADER_CHARS:
        raise Malformed("not a web URL")
    if "@" in parts.netloc or any(c <= " " or c in '"<>\\^`{|}\x7f' for c in host):
        raise Malformed("not a plain URL")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Where(
        parts.scheme,
        host.rstrip("."),
        port or {"https": 443, "http": 80}[parts.scheme],
        quote(target, safe=_URL_CHARS),
    )


def _read_headers(lines: Sequence[tuple[bytes, bytes]], cap: int) -> tuple[tuple[str, str], ...]:
    if sum(len(name) + len(value) for name, value in lines) > cap:  # h11 minds only what has not come whole
        raise TooLarge(f"more than {cap} bytes of headers")
    found = [(clean(name, 200, newlines=False).lower(), value) for name, value in lines]
    if len(found) > HEADER_LINES:
        raise TooLarge(f"{len(found)} header lines")
    return tuple((name, _read_value(name, value)) for name, value in found)


def _read_value(name: str, value: bytes) -> str:
    # A tab inside a value is white space like any other (RFC 9110 5.5), not a control to be shown.
    text = value.replace(b"\t", b" ").decode("utf-8", "replace")
    # Without its secret first: what is cut off a long cookie must not be what it is judged by.
    return clean(without_secret(text) if name == "set-cookie" else text, HEADER_CHARS, newlines=False)


def without_secret(cookie: str) -> str:
    """A Set-Cookie line without the cookie's value: its name and attributes are all that is judged."""
    pair, separator, attributes = cookie.partition(";")
    name, equals, _ = pair.partition("=")
    return f"{name}{equals}…{separator}{attributes}" if equals else f"…{separator}{attributes}"


async def _read_body(response: httpx.Response, encoding: list[str], cap: int) -> tuple[bytes, bool]:
    """At most `cap` unpacked bytes, and whether there were more.  Only gzip is unpacked, only once."""
    unpack = zlib.decompressobj(31) if _is_packed(encoding) else None
    out = bytearray()
    stream = cast(AsyncGenerator[bytes, None], response.aiter_raw())
    async with aclosing(stream) as chunks:
        async for chunk in chunks:
            room = cap + 1 - len(out)
            try:
                out += unpack.decompress(chunk, room) if unpack else chunk[:room]
            except zlib.error as error:
                raise Malformed("not gzip") from error
            if len(out) > cap:
                return bytes(out[:cap]), True
    return bytes(out), False


def _is_packed(encoding: list[str]) -> bool:
    packed = [e.strip().lower() for e in encoding if e.strip().lower() not in {"", "identity"}]
    if packed and packed not in (["gzip"], ["x-gzip"]):
        raise Malformed(f"content-encoding {', '.join(packed)}"[:200])
    return bool(packed)


async def _pour(
    response: httpx.Response, encoding: list[str], cap: int, sink: Callable[[bytes], None]
) -> bool:
    """Gives the unpacked body to `sink` in pieces; whether there was more than `cap` of it, which is given to
    nobody.  Never more than one piece is held."""
    unpack = zlib.decompressobj(31) if _is_packed(encoding) else None
    poured = 0
    stream = cast(AsyncGenerator[bytes, None], response.aiter_raw())
    async with aclosing(stream) as chunks:
        async for chunk in chunks:
            while chunk:
                try:
                    piece = unpack.decompress(chunk, _PIECE) if unpack else chunk
                except zlib.error as error:
                    raise Malformed("not gzip") from error
                chunk = unpack.unconsumed_tail if unpack else b""
                poured += len(piece)
                if poured > cap:
                    return True
                sink(piece)
                await asyncio.sleep(0)  # so that the deadline holds while a bomb unpacks
    rest = unpack.flush() if unpack else b""
    if rest:
        sink(rest)
    return poured + len(rest) > cap


def _kind_of(error: Exception) -> ProbeError:
    text = str(error)[:200]
    if isinstance(error, httpcore.TimeoutException):
        return TimedOut(text)
    if isinstance(error, httpcore.NetworkError) or "disconnected" in text or "closed connection" in text:
        return ConnectionLost(text)
    return Malformed(text)


def _tls_error(error: ssl.SSLError) -> ProbeError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return Malformed(f"certificate: {error.verify_message}"[:200])
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return ConnectionLost("TLS ended early")
    return Malformed(f"TLS: {error.reason or 'no handshake'}"[:200])
