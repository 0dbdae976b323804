"""Places that answer whenever this machine has a network: asked before a server is said to be silent."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.conf import settings

from checks.errors import ProbeError
from checks.facts.dns import Lookup
from checks.probes.dns import Resolver
from checks.probes.net import Net
from checks.target import Limits, Vantage
from fedisec.lib.vantage import vantage

WITHIN_S = 3.0
RESOLVER = "resolver"
_ROOT = "."  # its name servers are what every resolver knows or can find out

# The root's name servers a and k (https://www.iana.org/domains/root/servers): they run all over the world,
# and a connection that is closed at once costs them little.  Not every network lets DNS out: see `outlook`.
ROOT_SERVERS = (("198.41.0.4", 53), ("193.0.14.129", 53), ("2001:503:ba3e::2:30", 53), ("2001:7fd::1", 53))


@dataclass(frozen=True, slots=True)
class Anchors:
    """What to ask.  `names`: to be looked up, together one anchor; `ports`: (host, port) to connect to.
    `chosen`: by the operator, who vouches for them."""

    names: tuple[str, ...] = (_ROOT,)
    ports: tuple[tuple[str, int], ...] = ROOT_SERVERS
    chosen: bool = False

    @property
    def shown(self) -> tuple[str, ...]:
        """The names of `ports`."""
        return tuple(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.ports)


def anchors() -> Anchors | None:
    """Those of the settings; None where the guard is switched off."""
    chosen = settings.ANCHORS
    if not chosen:
        return None if chosen is None else Anchors()
    names = tuple(host for host, port in chosen if port is None)
    return Anchors(names or (_ROOT,), tuple((host, port) for host, port in chosen if port is not None), True)


def ask(anchors: Anchors) -> dict[str, bool]:
    """Which of them answer, each by its name, all asked at once; within WITHIN_S."""
    return asyncio.run(_ask(anchors))


async def _ask(anchors: Anchors) -> dict[str, bool]:
    place = _place(anchors)
    net = Net(place, replace(Limits(), wall_s=WITHIN_S, connect_s=WITHIN_S, dns_s=WITHIN_S))
    resolver = Resolver(place, net)
    shown = (RESOLVER, *anchors.shown)
    asking = (_resolves(resolver, anchors.names), *(_opens(net, resolver, *port) for port in anchors.ports))
    tasks = [asyncio.ensure_future(one) for one in asking]
    try:
        _, late = await asyncio.wait(tasks, timeout=WITHIN_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        net.close()
    return {name: not task.cancelled() and task.result() for name, task in zip(shown, tasks, strict=True)}


def _place(anchors: Anchors) -> Vantage:
    """An address that the operator wrote down may be dialled, private or not; what a name leads to, only by
    the rule for all."""
    place = vantage()
    literals = (host for host, _ in anchors.ports if _is_address(host))
    return replace(place, allow_networks=(*place.allow_networks, *literals))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def _resolves(resolver: Resolver, names: Sequence[str]) -> bool:
    """True when one of the names gets a definite answer.  A SERVFAIL is what a resolver says that reaches
    nobody itself."""
    found = await asyncio.gather(*(resolver.ask(name, "NS" if name == _ROOT else "A") for name in names))
    return any(isinstance(one, Lookup) for one in found)


async def _opens(net: Net, resolver: Resolver, host: str, port: int) -> bool:
    """True when the port accepts a connection on one address of the host.  A refusal proves nothing: the
    firewall next door answers for everybody when its line is down."""
    try:
        for address in await resolver.addresses_of(host):
            try:
                (await net.connect(address, port, "tcp")).close()
            except ProbeError:
                continue
            return True
    except ProbeError:
        pass
    return False
