"""The only I/O of the checks.  `gather` runs all probes of one scan, and is the one place where an exception
becomes a Missing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

from checks.errors import ProbeError, Reason
from checks.facts import Facts, Missing, MissingFact
from checks.probes import dns, http, inside, instance, mail, ports, rdap, ssh, tls
from checks.probes.look import Look, Probe
from checks.probes.net import Net
from checks.target import Limits, Target, Vantage

log = logging.getLogger(__name__)

ALL_PROBES: tuple[Probe, ...] = (
    *dns.PROBES,
    *mail.PROBES,
    *tls.PROBES,
    # Before the pages: most of what comes later waits for the software's own answers.
    *instance.PROBES,
    *http.PROBES,
    *rdap.PROBES,
    *ssh.PROBES,
    *ports.PROBES,
    *inside.PROBES,
)

INSIDE_PROBES: tuple[Probe, ...] = inside.PROBES

SCANS_AT_ONCE = 16  # in one event loop; the others wait, their clocks not yet running
_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

PHASES = ("dns", "mail", "tls", "web", "software", "ssh", "ports", "inside")

Progress = Callable[[str, int, int], None]
"""Called with (phase, probes of it ended, probes of it in all) whenever a probe ends; must not block."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """Facts and what they cost."""

    facts: Facts
    connections: dict[str, int]  # kind -> connections or queries used


async def gather(
    target: Target,
    vantage: Vantage | None = None,
    limits: Limits | None = None,
    *,
    progress: Progress | None = None,
    probes: Iterable[Probe] = ALL_PROBES,
) -> Gathered:
    """All facts that can be seen of `target` from outside, within `limits`.  Never raises for what the far
    side does; every fact promised by `probes` is either found or missing with a reason."""
    limits = limits or Limits()
    if target.access is not None:  # the ports wait for the login: a slow server must not cost their time
        limits = replace(limits, wall_s=limits.wall_s + limits.inside_s)
    async with _turn():
        return await _gather(target, vantage or Vantage(), limits, progress, tuple(probes))


def _turn() -> asyncio.Semaphore:
    """The queue of the scans of one event loop.  More at once would not end sooner, and what a starved loop
    hears too late looks like silence."""
    return _turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(SCANS_AT_ONCE))


async def _gather(
    target: Target,
    vantage: Vantage,
    limits: Limits,
    progress: Progress | None,
    probes: tuple[Probe, ...],
) -> Gathered:
    net = Net(vantage, limits)
    resolver = dns.Resolver(vantage, net)
    client = http.HttpClient(net, resolver, trust_pem=vantage.trust_pem)
    look = Look(target, vantage, net, resolver, client)
    for probe in probes:
        look.announce(probe)
    board = _Board(probes, progress)
    try:
        async with asyncio.timeout(limits.wall_s):
            await asyncio.gather(*(_run(probe, look, board) for probe in probes))
    except TimeoutError:
        log.info("scan of %s reached its time limit", target.domain)
    finally:
        client.close()
        net.close()
    found = look.results()
    late = Missing(Reason.BUDGET, "time of the scan")
    promised = [kind for probe in probes for kind in probe.gives]
    facts = {k: found.get(k, late) for k in promised}
    return Gathered(
        Facts(
            {k: v for k, v in facts.items() if not isinstance(v, Missing)},
            {k: v for k, v in facts.items() if isinstance(v, Missing)},
        ),
        dict(net.used),
    )


async def _run(probe: Probe, look: Look, board: _Board) -> None:
    try:
        facts = tuple(await probe.run(look))
        look.settle(probe, facts, Missing(Reason.NOT_ASKED))
    except ProbeError as error:
        look.settle(probe, (), Missing.of(error))
    except MissingFact as gap:
        look.settle(probe, (), gap.missing)
    except Exception as error:  # noqa: BLE001 - the one place where a bug in a probe becomes a Missing
        log.exception("probe %s failed on %s", probe.name, look.target.domain)
        look.settle(probe, (), Missing(Reason.BUG, type(error).__name__))
    finally:
        board.ended(probe)


class _Board:
    """Counts the probes of each phase that have ended."""

    def __init__(self, probes: tuple[Probe, ...], progress: Progress | None) -> None:
        self._all = {p: sum(x.phase == p for x in probes) for p in PHASES}
        self._done = dict.fromkeys(self._all, 0)
        self._progress = progress

    def ended(self, probe: Probe) -> None:
        self._done[probe.phase] += 1
        if self._progress is not None:
            self._progress(probe.phase, self._done[probe.phase], self._all[probe.phase])
