"""Probes of the dns phase."""

from __future__ import annotations

from checks.probes.look import Probe
from checks.probes.net import Net
from checks.target import Vantage


class Resolver:
    """Asks the operator's resolver; one cache and one budget per scan."""

    def __init__(self, vantage: Vantage, net: Net) -> None:
        self._vantage, self._net = vantage, net


PROBES: tuple[Probe, ...] = ()
