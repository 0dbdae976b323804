"""One look at one target: what all probes of a scan share, and how they wait for each other's facts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from checks.errors import Reason
from checks.facts import Fact, Missing, MissingFact
from checks.probes.net import Net
from checks.target import Target, Vantage

if TYPE_CHECKING:
    from checks.probes.dns import Resolver
    from checks.probes.http import HttpClient

F = TypeVar("F", bound=Fact)


@dataclass(frozen=True, slots=True)
class Probe:
    """A named piece of looking.  `gives` are the fact classes it may return; what it does not return, or all
    of them when it raises ProbeError, become Missing with the reason."""

    name: str
    phase: str  # shown as progress: dns mail tls web software ssh ports inside
    gives: tuple[type[Fact], ...]
    run: Callable[[Look], Awaitable[Iterable[Fact]]]


@dataclass
class Look:
    """Shared by the probes of one scan; lives in one event loop."""

    target: Target
    vantage: Vantage
    net: Net
    dns: Resolver
    http: HttpClient
    _facts: dict[type[Fact], asyncio.Future[Fact | Missing]] = field(default_factory=dict)
    _ended: dict[str, asyncio.Event] = field(default_factory=dict)

    async def need(self, kind: type[F]) -> F:
        """Waits for another probe's fact; MissingFact with its reason when it could not be seen."""
        future = self._facts.get(kind)
        if future is None:
            raise MissingFact(Missing(Reason.NOT_ASKED, kind.__name__))
        value = await asyncio.shield(future)
        if isinstance(value, Missing):
            raise MissingFact(value)
        assert isinstance(value, kind)
        return value

    async def after(self, *probes: str) -> None:
        """Waits until the named probes have ended, however they ended."""
        for name in probes:
            if name in self._ended:
                await self._ended[name].wait()

    # The following three are called by gather() alone.

    def announce(self, probe: Probe) -> None:
        self._ended[probe.name] = asyncio.Event()
        for kind in probe.gives:
            assert kind not in self._facts, f"{kind.__name__} has two givers"
            self._facts[kind] = asyncio.get_running_loop().create_future()

    def settle(self, probe: Probe, facts: Iterable[Fact], otherwise: Missing) -> None:
        """Publishes what a probe brought; what it promised and did not bring is Missing."""
        for fact in facts:
            assert type(fact) in probe.gives, f"{probe.name} gave {type(fact).__name__}"
            self._facts[type(fact)].set_result(fact)
        for kind in probe.gives:
            if not self._facts[kind].done():
                self._facts[kind].set_result(otherwise)
        self._ended[probe.name].set()

    def results(self) -> dict[type[Fact], Fact | Missing]:
        return {kind: future.result() for kind, future in self._facts.items() if future.done()}
