"""One request of fedisec's own (a feed, a webhook) over the dialler of the checks: the address rule, caps and
deadlines are those of a look at a server, but the certificate is verified.

Synchronous, for jobs: it makes and ends its own event loop, and belongs outside any transaction.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from checks.errors import ForbiddenAddress, Malformed, TimedOut, TooLarge
from checks.probes.addresses import is_within, parse_networks
from checks.probes.dns import Resolver
from checks.probes.http_client import HttpClient, Raw, redirect_of
from checks.probes.http_dial import WEB_PORTS
from checks.probes.net import Net
from checks.target import Limits, Vantage
from fedisec.lib.vantage import vantage

__all__ = ["FEED_BYTES", "Raw", "get", "request"]

FEED_BYTES = 1024 * 1024
_HEAD_BYTES = 100 * 1024  # of headers and framing, beside the body
_REDIRECTS = 3


def get(
    url: str,
    *,
    headers: Iterable[tuple[str, str]] = (),
    limit: int = FEED_BYTES,
    deadline_s: float = 10.0,
    ports: frozenset[int] = WEB_PORTS,
    sink: Callable[[bytes], None] | None = None,
) -> Raw:
    """`request("GET", …)` that follows up to three redirects, each vetted anew: to https only, save one first
    step from http to http.  `Raw.url` is the address that answered.

    `sink`: takes the body of a 200 in pieces, `limit` bytes of it at most, for what is too large to hold."""
    return asyncio.run(_within("GET", url, headers, b"", limit, deadline_s, ports, _REDIRECTS, sink=sink))


def request(
    method: str,
    url: str,
    *,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    limit: int = 64 * 1024,
    deadline_s: float = 15.0,
    ports: frozenset[int] = WEB_PORTS,
    cut: bool = False,
    own_networks: bool = False,
) -> Raw:
    """One request and its answer, whatever its status; a redirect is an answer.  Raises ProbeErrors only:
    TooLarge for a body of more than `limit` bytes, on the wire or unpacked; TimedOut `deadline_s` seconds
    after the call, the look-up of the name included; ForbiddenAddress for an address that the rule refuses or
    a port that is not in `ports`; Malformed with a detail that begins with "certificate" where that does not
    hold.

    `cut`: a body that is too large is cut instead (`Raw.truncated`).  `own_networks`: only the networks that
    the operator allows are dialled, for what no public network may read."""
    return asyncio.run(
        _within(method, url, headers, body, limit, deadline_s, ports, 0, cut=cut, own_networks=own_networks)
    )


async def _within(
    method: str,
    url: str,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    limit: int,
    deadline_s: float,
    ports: frozenset[int],
    redirects: int,
    *,
    cut: bool = False,
    own_networks: bool = False,
    sink: Callable[[bytes], None] | None = None,
) -> Raw:
    place = vantage()
    net = (_OwnNet if own_networks else Net)(place, _limits(limit, deadline_s, redirects + 1))
    client = HttpClient(net, Resolver(place, net), trust_pem=place.trust_pem, ports=ports)
    lines = tuple(headers)
    try:
        async with asyncio.timeout(deadline_s):
            answer = await _ask(client, method, url, lines, body, limit, cut=cut, sink=sink)
            for hop in range(redirects):
                ahead = redirect_of(answer)
                if ahead is None:
                    break
                _vet_step(answer.url, ahead, first=hop == 0)
                answer = await _ask(client, method, ahead, lines, body, limit, sink=sink)
    except TimeoutError as error:
        raise TimedOut(f"{url[:200]}: no whole answer within {deadline_s:g} s") from error
    finally:
        client.close()
        net.close()
    if redirects and answer.status in {301, 302, 303, 307, 308}:
        raise Malformed(f"a redirect that leads nowhere, or more than {redirects}")
    return answer


class _OwnNet(Net):
    """Dials nothing but the networks that the operator allows."""

    def __init__(self, place: Vantage, limits: Limits) -> None:
        super().__init__(place, limits)
        self._networks = parse_networks(place.allow_networks)

    def may_dial(self, address: str) -> bool:
        return super().may_dial(address) and is_within(address, self._networks)


async def _ask(
    client: HttpClient,
    method: str,
    url: str,
    headers: tuple[tuple[str, str], ...],
    body: bytes,
    limit: int,
    *,
    cut: bool = False,
    sink: Callable[[bytes], None] | None = None,
) -> Raw:
    answer = await client.raw(
        url, method=method, headers=headers, body=body, max_body=limit, verify=True, sink=sink
    )
    if answer.truncated and not cut:
        raise TooLarge(f"{url[:200]}: more than {limit} bytes")
    return answer


def _vet_step(begun: str, ahead: str, *, first: bool) -> None:
    """ProbeError for a redirect that may not be taken; its address is vetted when it is dialled."""
    try:
        before, after = urlsplit(begun).scheme, urlsplit(ahead).scheme
    except ValueError as error:
        raise Malformed("a redirect to what is no URL") from error
    if after != "https" and not (first and before == after == "http"):
        raise ForbiddenAddress(f"a redirect from {before} to {after[:20]}")


def _limits(limit: int, deadline_s: float, requests: int) -> Limits:
    plain = Limits()
    return replace(
        plain,
        wall_s=deadline_s + 1,  # the time limit of the whole rings first
        dns_s=deadline_s,
        request_s=deadline_s,
        budget={**plain.budget, "http": requests},
        wire_bytes=limit + _HEAD_BYTES,
        body_bytes=limit,
    )
