"""What becomes of the first packet of a stranger's connection in a set of packet filter rules.

The rules are walked with one packet: a TCP SYN in state new, to or from a public address, on an interface
that is not loopback.  A condition that this packet does not settle (a random choice, the time of day, an
extension that is not known here) may hold or not; then both ways are followed, and the fate is MAYBE where
they differ.  Within one hook every base chain has to accept; one that drops is enough.  NAT chains are not
walked: where ports are sent is a matter of published ports, not of what the host lets in.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum
from typing import Protocol

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# A stranger: public, and in no list that anybody keeps of neighbours, clouds or reserved ranges.
STRANGERS: Mapping[int, Address] = {
    4: ipaddress.IPv4Address("93.184.215.14"),
    6: ipaddress.IPv6Address("2606:2800:21f:cb07:6820:80da:af6b:8b2c"),
}
# Docker's default pools but the last, which clouds use for servers as well.
_CONTAINERS = tuple(ipaddress.ip_network(f"172.{n}.0.0/16") for n in range(17, 31))
_JUMPS_MAX = 16  # as in the kernel (NFT_JUMP_STACK_SIZE)
_VIRTUAL = (
    "lo", "docker", "br-", "veth", "virbr", "lxc", "lxd", "cni", "podman", "wg", "tun", "tap", "tailscale",
)  # fmt: skip


class Truth(IntEnum):
    """Whether a condition holds for the packet."""

    NO = 0
    MAYBE = 1
    YES = 2

    def turned(self) -> Truth:
        return Truth(2 - self)


class Fate(StrEnum):
    """What the rules do with the packet."""

    ACCEPT = "accept"
    DROP = "drop"
    MAYBE = "maybe"


@dataclass(frozen=True, slots=True)
class Packet:
    """`family` 4 or 6, `port` the destination.  `interface` "": its name is not known.  `marked`: some rule
    sets packet marks, so that the mark is no longer known to be 0.  `own`: the server's addresses, as
    far as they are known.  `state`: that of connection tracking, "new" or "untracked"."""

    family: int
    port: int
    interface: str = ""
    outgoing: bool = False
    marked: bool = False
    own: frozenset[Address] = frozenset()
    state: str = "new"


class Does(Enum):
    """What a rule does once its conditions hold."""

    ACCEPT = "accept"
    DROP = "drop"
    RETURN = "return"
    JUMP = "jump"
    GOTO = "goto"
    ANYTHING = "anything"  # not known


@dataclass(frozen=True, slots=True)
class Action:
    """`target`: the chain of a jump."""

    does: Does
    target: str = ""


class Rule(Protocol):
    """A rule of any tool."""

    def meets(self, packet: Packet) -> tuple[Truth, Action | None]:
        """Whether its conditions hold, and what follows; None where it only counts or logs."""
        ...


@dataclass(frozen=True, slots=True)
class Base:
    """A base chain: where the kernel enters.  `family`: ip, ip6, inet or netdev; `label` is evidence.
    `devices`: the interfaces that an ingress or egress chain belongs to; () for all.  `awake` False: its
    table may be switched off (dormant), so that nothing it drops is sure."""

    label: str
    family: str
    hook: str
    accepts: bool  # its policy
    start: str
    chains: Mapping[str, tuple[Rule, ...]]
    devices: tuple[str, ...] = ()
    awake: bool = True

    def sees(self, packet: Packet) -> Truth:
        """Whether the packet comes by one of its interfaces."""
        met = (same_interface(name, packet.interface) for name in self.devices)
        return max(met, default=Truth.NO) if self.devices else Truth.YES


@dataclass(frozen=True, slots=True)
class Ruled:
    """The fate, and the base chain that settled it ("" where none is there)."""

    fate: Fate
    by: str = ""


_FAMILIES = {4: {"ip", "inet", "netdev"}, 6: {"ip6", "inet", "netdev"}}
_HOOKS = {False: {"ingress", "prerouting", "input"}, True: {"output", "postrouting", "egress"}}


def fate_of(bases: Iterable[Base], packet: Packet) -> Ruled:
    """What all base chains on the packet's way do together."""
    families, hooks = _FAMILIES[packet.family], _HOOKS[packet.outgoing]
    on_the_way = [b for b in bases if b.family in families and b.hook in hooks and b.sees(packet)]
    ruled = [(base, _through(base, packet)) for base in on_the_way]
    for wanted in (Fate.DROP, Fate.MAYBE):
        found = next((base for base, fate in ruled if fate is wanted), None)
        if found is not None:
            return Ruled(wanted, found.label)
    last = next((b for b, _ in reversed(ruled) if b.hook in {"input", "output"}), None)
    return Ruled(Fate.ACCEPT, last.label if last else "")


def _through(base: Base, packet: Packet) -> Fate:
    fate = _Walk(base.chains, packet).through(base)
    is_sure = base.awake and base.sees(packet) is not Truth.MAYBE
    return fate if is_sure or fate is not Fate.DROP else Fate.MAYBE


_ACCEPTED, _DROPPED, _ON = "accepted", "dropped", "on"
_ANYTHING = frozenset({_ACCEPTED, _DROPPED, _ON})


class _Walk:
    """Finds the ways in which a packet can come out of each chain: accepted, dropped, or on from the call."""

    def __init__(self, chains: Mapping[str, tuple[Rule, ...]], packet: Packet) -> None:
        self._chains, self._packet = chains, packet
        self._known: dict[str, frozenset[str]] = {}

    def through(self, base: Base) -> Fate:
        ways = set(self._chain(base.start, 0))
        if _ON in ways:
            ways = (ways - {_ON}) | {_ACCEPTED if base.accepts else _DROPPED}
        if len(ways) > 1:
            return Fate.MAYBE
        return Fate.ACCEPT if _ACCEPTED in ways else Fate.DROP

    def _chain(self, name: str, depth: int) -> frozenset[str]:
        if depth > _JUMPS_MAX or name not in self._chains:
            return _ANYTHING
        if name not in self._known:
            self._known[name] = _ANYTHING  # what a loop meets; the kernel lets none in
            self._known[name] = self._follow(name, depth)
        return self._known[name]

    def _follow(self, name: str, depth: int) -> frozenset[str]:
        ways: set[str] = set()
        for rule in self._chains[name]:
            truth, action = rule.meets(self._packet)
            if truth is Truth.NO or action is None:
                continue
            more, goes_on = self._act(action, depth)
            ways |= more
            if truth is Truth.YES and not goes_on:
                return frozenset(ways)
        return frozenset(ways | {_ON})

    def _act(self, action: Action, depth: int) -> tuple[set[str], bool]:
        """The ways out of this chain, and whether the next rule may be met."""
        match action.does:
            case Does.ACCEPT:
                return {_ACCEPTED}, False
            case Does.DROP:
                return {_DROPPED}, False
            case Does.RETURN:
                return {_ON}, False
            case Does.JUMP:
                ways = set(self._chain(action.target, depth + 1))
                return ways - {_ON}, _ON in ways
            case Does.GOTO:
                return set(self._chain(action.target, depth + 1)), False
            case Does.ANYTHING:
                return {_ACCEPTED, _DROPPED}, True


def same_interface(pattern: str, interface: str = "", star: str = "*") -> Truth:
    """Whether a rule's interface name means the packet's.  Where that is not known, a name of the kind that
    tunnels, bridges and containers have is not it, and any other may be."""
    name = pattern.removesuffix(star)
    wild = pattern != name
    if not name:
        return Truth.YES if wild else Truth.MAYBE
    if interface:
        found = interface.startswith(name) if wild else interface == name
        return Truth.YES if found else Truth.NO
    return Truth.NO if name.startswith(_VIRTUAL) else Truth.MAYBE


def in_network(address: Address, text: str) -> Truth:
    """Whether an address lies in a network or is the address named; MAYBE for what is neither."""
    try:
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return Truth.MAYBE
    if network.version != address.version:
        return Truth.NO
    return Truth.YES if address in network else Truth.NO


def own_address(text: str, own: frozenset[Address] = frozenset()) -> Truth:
    """Whether the network named holds the server's own address.  Where that is not known, a network may, but
    not one that Docker gives to containers: its own rules name these."""
    try:
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return Truth.MAYBE
    if network.prefixlen == 0:
        return Truth.YES
    first = network.network_address
    if first.is_loopback or first.is_multicast or first.is_link_local or text.strip() == "255.255.255.255":
        return Truth.NO
    mine = {one for one in own if one.version == network.version}
    if mine:
        return Truth.YES if any(one in network for one in mine) else Truth.NO
    return (
        Truth.NO
        if any(first in pool for pool in _CONTAINERS if pool.version == first.version)
        else Truth.MAYBE
    )
