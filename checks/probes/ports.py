"""Probe of the ports phase: a TCP connect to each port that matters, as a plain client.

It runs last, since a firewall that bans scanners may ban us for it, and looks at the web port again
afterwards: a ban in mid-scan must not read as "all closed".
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from checks.data.network import canary_ports, cdn_in_front, cdn_of_headers, watched_ports
from checks.errors import ProbeError, Reason, Refused, Starved, TimedOut, Unreachable
from checks.facts import Fact, Missing, MissingFact
from checks.facts.dns import Addresses
from checks.facts.edge import OriginExposure
from checks.facts.http import FrontPage
from checks.facts.ports import AddressPorts, OpenPorts, PortSeen, PortState
from checks.facts.ssh import SshService
from checks.probes.look import Look, Probe
from checks.probes.net import Net, Stream
from checks.probes.origins import gather_origins
from checks.probes.port_services import recognise

# Two attempts of our own, well below the kernel's first repeat of a SYN after 1 s.
_FIRST_S, _SECOND_S = 0.35, 1.0
_FIRST_RTTS, _SECOND_RTTS = 4, 6
_ANCHOR_WAITS_S = (1.5, 3.0)
_WEB = (443, 80)

F = TypeVar("F", bound=Fact)


@dataclass(frozen=True, slots=True)
class _Met:
    """How one port met us.  `stream` is open where the state is OPEN; the caller closes it."""

    state: PortState | Missing
    stream: Stream | None = None
    took_s: float = 0.0


async def gather_ports(look: Look) -> Iterable[Fact]:
    addresses = await look.need(Addresses)
    await look.after(*BEFORE)
    ssh, front = await _maybe(look, SshService), await _maybe(look, FrontPage)
    cdn = cdn_in_front(addresses) or (cdn_of_headers(front.page.headers) if front else None)
    chosen = look.target.origins[:2] if cdn else first_addresses(addresses)
    if not chosen and cdn is None:
        raise ProbeError("no IPv4 address", reason=Reason.NO_IPV6)
    seen = await asyncio.gather(*(_Scan(look, address, ssh).run() for address in chosen))
    return (OpenPorts(tuple(seen), cdn.name if cdn else ""),)


def first_addresses(addresses: Addresses) -> tuple[str, ...]:
    """One address per family: the ports of a second one are the same machine's or the balancer's."""
    return addresses.v4[:1] + (addresses.v6[:1] if addresses.ipv6_usable else ())


async def _maybe(look: Look, kind: type[F]) -> F | None:
    try:
        return await look.need(kind)
    except MissingFact:
        return None


class _Scan:
    """All ports of one address."""

    def __init__(self, look: Look, address: str, ssh: SshService | None) -> None:
        self._look, self._net, self._address = look, look.net, address
        # An SSH server counts connections without a login as hostile: what the SSH probe saw is not redone.
        known = ssh.endpoints if ssh else ()
        self._known = {e.port: e for e in known if e.address == address and _settled(e.state)}
        numbers = {*watched_ports(), look.target.ssh_port}
        self._ports = sorted(numbers - self._known.keys() - set(_WEB))

    async def run(self) -> AddressPorts:
        self._net.vet(self._address)
        web, anchor, rtt_s = await self._anchor()
        waits = (max(_FIRST_S, _FIRST_RTTS * rtt_s), max(_SECOND_S, _SECOND_RTTS * rtt_s))
        left = set(_WEB) - {port.port for port in web}
        found, canaries, rest = await asyncio.gather(
            asyncio.gather(*(self._port(number, waits) for number in self._ports)),
            asyncio.gather(*(self._canary(number, waits) for number in canary_ports())),
            asyncio.gather(*(self._web_port(number) for number in left)),
        )
        ports = [*web, *map(_seen, left, rest), *found, *self._from_ssh()]
        if canaries and all(canaries):
            ports = [_doubted(port) for port in ports]
        gap = _no_anchor(web) if anchor is None else await self._gone(anchor)
        if gap is not None:
            ports = [_unless_open(port, gap) for port in ports]
        return AddressPorts(self._address, tuple(sorted(ports, key=lambda port: port.port)))

    async def _anchor(self) -> tuple[list[PortSeen], int | None, float]:
        """The web ports, the port that shows whether the address answers us, and its round trip.  Where
        another probe was let in at the first of them, the second is left for later."""
        known = self._net.rtt_s(self._address, _WEB[0])
        if known is not None:
            return [PortSeen(_WEB[0], PortState.OPEN)], _WEB[0], known
        met = await asyncio.gather(*map(self._web_port, _WEB))
        web = [_seen(number, one) for number, one in zip(_WEB, met, strict=True)]
        for number, one in zip(_WEB, met, strict=True):
            if one.state is PortState.OPEN:
                return web, number, one.took_s
        open_ssh = next((p for p, e in self._known.items() if e.state is PortState.OPEN), None)
        return web, open_ssh, 0.0

    async def _web_port(self, number: int) -> _Met:
        """Not knocked at again where another probe of this scan was let in."""
        rtt_s = self._net.rtt_s(self._address, number)
        if rtt_s is not None:
            return _Met(PortState.OPEN, None, rtt_s)
        return await _knock(self._net, self._address, number, _ANCHOR_WAITS_S)

    async def _gone(self, anchor: int) -> Missing | None:
        """Why the address no longer answers us where it did before; None where it still does."""
        again = await _knock(self._net, self._address, anchor, _ANCHOR_WAITS_S)
        _close(again)
        if again.state is PortState.OPEN:
            return None
        return again.state if isinstance(again.state, Missing) else Missing(Reason.BANNED)

    async def _port(self, number: int, waits: Sequence[float]) -> PortSeen:
        met = await _knock(self._net, self._address, number, waits)
        if met.stream is None:
            return PortSeen(number, met.state)
        entry = watched_ports().get(number)
        try:
            ask = entry.ask if entry else "greeting"
            said = await recognise(met.stream, ask, self._look.target.domain, self._net.user_agent)
        finally:
            _close(met)
        if said is None:
            return PortSeen(number, met.state)
        return PortSeen(number, met.state, said.service, said.access, said.proof)

    async def _canary(self, number: int, waits: Sequence[float]) -> bool:
        met = await _knock(self._net, self._address, number, waits[:1])
        _close(met)
        return met.state is PortState.OPEN

    def _from_ssh(self) -> list[PortSeen]:
        return [
            PortSeen(port, e.state, "ssh" if e.banner else "", answer=e.banner)
            for port, e in self._known.items()
        ]


def _settled(state: PortState | Missing) -> bool:
    return isinstance(state, PortState) or state.reason is Reason.BUDGET


async def _knock(net: Net, address: str, port: int, waits: Sequence[float]) -> _Met:
    """One connection per wait until one of them says something definite.  Silence in all is FILTERED; a
    fault on our side (no route, no budget, no descriptor, no time to listen) is Missing."""
    starved = None
    for wait in waits:
        begun = time.monotonic()
        try:
            stream = await net.connect(address, port, "tcp", timeout_s=wait)
        except Starved as error:
            starved = Missing.of(error)
            continue
        except TimedOut:
            continue
        except Refused:
            return _Met(PortState.CLOSED)
        except Unreachable as error:
            # An ICMP refusal by a firewall reads as an unreachable host; no route reads otherwise.
            rejected = error.detail.endswith(("EHOSTUNREACH", "EACCES"))
            return _Met(PortState.FILTERED if rejected else Missing.of(error))
        except ProbeError as error:
            return _Met(Missing.of(error))
        return _Met(PortState.OPEN, stream, time.monotonic() - begun)
    return _Met(starved or PortState.FILTERED)


def _seen(number: int, met: _Met) -> PortSeen:
    _close(met)
    return PortSeen(number, met.state)


def _close(met: _Met) -> None:
    if met.stream is not None:
        met.stream.close()


def _unless_open(port: PortSeen, gap: Missing) -> PortSeen:
    """What was seen open stays; the silence of the others says nothing."""
    return port if port.state is PortState.OPEN else PortSeen(port.port, gap)


def _doubted(port: PortSeen) -> PortSeen:
    """Where a firewall completes every handshake, only an answer shows that something listens."""
    if port.state is not PortState.OPEN or port.service or port.port in _WEB:
        return port
    return PortSeen(port.port, Missing(Reason.MALFORMED, "every port accepts connections"))


def _no_anchor(web: Sequence[PortSeen]) -> Missing:
    state = web[0].state
    if isinstance(state, Missing):
        return state
    return Missing(
        Reason.REFUSED if state is PortState.CLOSED else Reason.TIMEOUT, "neither 443 nor 80 answers"
    )


# All that talks to the target: a ban that the ports may bring must not spoil what others see.
BEFORE = (
    "front_page", "plain_http", "no_such_page", "sign_in", "security_txt", "asset", "source", "hidden_paths",
    "media",
    "signed_fetch", "instance", "contact", "mta_sts", "tls", "smtp", "ssh", "inside", "origins",
)  # fmt: skip

PROBES: tuple[Probe, ...] = (
    Probe("ports", "ports", (OpenPorts,), gather_ports),
    Probe("origins", "ports", (OriginExposure,), gather_origins),
)
