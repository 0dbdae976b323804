"""Probes of the web phase."""

from __future__ import annotations

from checks.probes.dns import Resolver
from checks.probes.look import Probe
from checks.probes.net import Net


class HttpClient:
    """HTTP with pinned addresses, caps and a total deadline."""

    def __init__(self, net: Net, resolver: Resolver) -> None:
        self._net, self._resolver = net, resolver


PROBES: tuple[Probe, ...] = ()
