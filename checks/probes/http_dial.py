"""How HTTP gets its connections: httpx speaks the protocol, `Net` dials, to addresses vetted before.

The name stays in the URL, so Host and SNI are right, while the address that was vetted is the one dialled.
"""

from __future__ import annotations

import ipaddress
import ssl
import warnings
from collections.abc import AsyncIterator, Iterable
from functools import lru_cache
from typing import Any, Protocol

import certifi
import httpcore
import httpx

from checks.errors import ConnectionLost, ForbiddenAddress, Malformed, ProbeError, Refused, Unreachable
from checks.probes.net import Net, Stream

WEB_PORTS = frozenset({80, 443})
_ADDRESSES_TRIED = 3


class Names(Protocol):
    """The part of the resolver that a dialler needs."""

    async def addresses_of(self, name: str) -> tuple[str, ...]:
        """The addresses of a name; raises NoSuchName, ResolverFailed or TimedOut."""
        ...


@lru_cache(maxsize=1)
def lenient_context() -> ssl.SSLContext:
    """TLS as old as the library can speak, nothing verified: the certificate and the versions are judged by
    the TLS probes, and the headers of a host with an expired certificate are still worth reading."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # nosemgrep: certificate-not-verified
    context.verify_mode = ssl.CERT_NONE  # nosemgrep: certificate-not-verified
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.options |= 0x4  # OP_LEGACY_SERVER_CONNECT; Python names it from 3.12 on
    return context


@lru_cache(maxsize=4)
def verifying_context(trust_pem: str) -> ssl.SSLContext:
    """TLS as a careful client: certifi's roots and the operator's, names checked, TLS 1.2 or later.  Kept for
    the life of the process: loading the roots costs more than all the mail probes of a scan."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.hostname_checks_common_name = False
    if trust_pem:
        context.load_verify_locations(cadata=trust_pem)
    return context


class PinnedTransport(httpx.AsyncBaseTransport):
    """httpx's transport with our own way to the network.  The ready-made one has no place for a backend,
    and the client would keep a host's cookies, so the transport is used by itself."""

    def __init__(self, backend: PinnedBackend, context: ssl.SSLContext, *, idle: int) -> None:
        self._backend = backend
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=20,
            max_keepalive_connections=idle,
            keepalive_expiry=5.0,
            network_backend=backend,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One exchange.  Raises httpcore's exceptions, ssl.SSLError, OSError and the ProbeErrors of `Net`."""
        url = request.url
        answer = await self._pool.handle_async_request(
            httpcore.Request(
                request.method,
                httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    def close(self) -> None:
        """Ends every open connection at once."""
        self._backend.close()


class _Body(httpx.AsyncByteStream):
    """An answer's body as httpx reads it."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._answer.aiter_stream():
            yield chunk

    async def aclose(self) -> None:
        await self._answer.aclose()


class PinnedBackend(httpcore.AsyncNetworkBackend):
    """Dials through `Net` alone.  A name with one forbidden address is refused as a whole (no rebinding, no
    picking of the harmless one); `pin` replaces the name's addresses, for a look at each of several."""

    def __init__(
        self, net: Net, resolver: Names, ports: frozenset[int] = WEB_PORTS, pin: str | None = None
    ) -> None:
        self._net, self._resolver, self._ports, self._pin = net, resolver, ports, pin
        self.streams: list[Stream] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature; Net has its own
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        if port not in self._ports:
            raise ForbiddenAddress(f"port {port}")
        last: ProbeError = Unreachable(f"{host}: no address")
        for address in (await self._addresses(host))[:_ADDRESSES_TRIED]:
            try:
                async with self._net.politely(address):
                    # "web" counts connections; requests are counted, and limited, as "http".
                    stream = await self._net.connect(
                        address, port, "web", max_bytes=20 * self._net.limits.wire_bytes
                    )
            except (Refused, Unreachable) as error:
                last = error
                continue
            self.streams.append(stream)
            return _CappedStream(stream, self._net.limits.wire_bytes)
        raise last

    async def _addresses(self, host: str) -> tuple[str, ...]:
        if self._pin is not None:
            found: tuple[str, ...] = (self._pin,)
        elif _is_address(host):
            found = (host,)
        else:
            found = await self._resolver.addresses_of(host)
        for address in found:
            self._net.vet(address)
        return found

    def close(self) -> None:
        for stream in self.streams:
            stream.close()
        self.streams.clear()


class _CappedStream(httpcore.AsyncNetworkStream):
    """A connection whose cap on bytes starts anew with each request, so that it can be used for several."""

    def __init__(self, stream: Stream, cap: int) -> None:
        self._stream, self._cap, self._left = stream, cap, cap

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        if self._left <= 0:
            raise Malformed(f"{self._stream.where}: more than {self._cap} bytes")
        data = await self._stream.read(min(max_bytes, self._left))
        self._left -= len(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        self._left = self._cap  # a request is written before its answer is read
        if not buffer:
            return
        try:
            await self._stream.write(buffer)
        except ConnectionLost as error:
            # httpcore then still reads what the server said before it closed.
            raise httpcore.WriteError(error.detail) from error

    async def aclose(self) -> None:
        self._stream.close()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        await self._stream.start_tls(ssl_context, server_hostname or "")
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":  # asked of an idle connection: anything to read means it is over
            return self._stream.has_more
        return self._stream.ssl_object if info == "ssl_object" else None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
