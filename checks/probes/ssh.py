"""Probe of the ssh phase: what the SSH server says before a login, in one connection per port."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from checks.data.network import cdn_in_front
from checks.errors import ParseError, ProbeError, Reason, Refused, TimedOut
from checks.facts import Fact, Missing
from checks.facts.dns import Addresses
from checks.facts.ports import PortState
from checks.facts.ssh import SshAlgorithms, SshEndpoint, SshService
from checks.parse.ssh_wire import disconnect_text, parse_kexinit, split_banner, turned_away
from checks.probes.look import Look, Probe
from checks.probes.ssh_client import WALL_S, Heard, listen

_DEFAULT_PORT = 22
_CONNECT_S = 4.0


async def gather_ssh(look: Look) -> Iterable[Fact]:
    """The named port and 22 on the first address, in two connections at most, the login from inside included:
    servers count connections as hostile."""
    address = await ssh_address(look)
    target = look.target
    named = target.ssh_port
    if target.access is None:
        found = [await _endpoint(look, address, port) for port in dict.fromkeys((named, _DEFAULT_PORT))]
    else:
        found = await _one_that_answers(look, address, named)
    return (SshService(target.ssh_user, named, tuple(found)),)


async def ssh_address(look: Look) -> str:
    """Where SSH of the instance is looked for: its first address, or behind a CDN the first origin."""
    addresses = await look.need(Addresses)
    cdn = cdn_in_front(addresses)
    candidates = look.target.origins if cdn else addresses.dialled
    if cdn and not candidates:
        raise ProbeError(f"{cdn.name} stands in front, no origin is named", reason=Reason.NOT_ASKED)
    if not candidates:
        raise ProbeError("no IPv4 address", reason=Reason.NO_IPV6)
    return candidates[0]


async def _one_that_answers(look: Look, address: str, named: int) -> list[SshEndpoint]:
    """Port 22 and, unless that is open, the named one."""
    usual = await _endpoint(look, address, _DEFAULT_PORT)
    if named == _DEFAULT_PORT:
        return [usual]
    if usual.state is PortState.OPEN:
        left_out = Missing(Reason.BUDGET, "2 SSH connections per scan, one of them the login")
        return [SshEndpoint(address, named, left_out), usual]
    return [await _endpoint(look, address, named), usual]


async def _endpoint(look: Look, address: str, port: int) -> SshEndpoint:
    try:
        wait = min(_CONNECT_S, look.net.limits.connect_s)
        connected = await look.net.connect_socket(address, port, "ssh", timeout_s=wait)
    except Refused:
        return SshEndpoint(address, port, PortState.CLOSED)
    except TimedOut:
        return SshEndpoint(address, port, PortState.FILTERED)
    except ProbeError as error:
        return SshEndpoint(address, port, Missing.of(error))
    try:
        wall_s = min(WALL_S, look.net.remaining_s())
    except ProbeError as error:
        connected.close()
        return SshEndpoint(address, port, Missing.of(error))
    heard = await asyncio.to_thread(listen, connected, look.target.ssh_user, wall_s)
    return read_endpoint(address, port, heard)


def read_endpoint(address: str, port: int, heard: Heard) -> SshEndpoint:
    """What was heard, as a fact.  A server that never identified itself as SSH is open, and no more."""
    try:
        banner, rest = split_banner(heard.opening)
    except ParseError as error:
        away = turned_away(heard.opening)
        silent = heard.methods if not heard.opening and isinstance(heard.methods, Missing) else None
        gap = silent or Missing(Reason.WITHHELD if away else Reason.MALFORMED, away or str(error))
        return SshEndpoint(address, port, PortState.OPEN, "", gap, gap)
    algorithms: SshAlgorithms | Missing
    try:
        algorithms = parse_kexinit(rest)
    except ParseError as error:
        said = disconnect_text(rest)
        reason = Reason.MALFORMED if rest else Reason.CONNECTION_LOST
        algorithms = Missing(Reason.WITHHELD, said) if said else Missing(reason, str(error))
    return SshEndpoint(address, port, PortState.OPEN, banner, algorithms, heard.methods, heard.lets_in)


PROBES: tuple[Probe, ...] = (Probe("ssh", "ssh", (SshService,), gather_ssh),)
