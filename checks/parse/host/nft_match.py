"""One expression of an nft rule (libnftables-json), held against the packet of a stranger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from checks.parse.host.firewall import (
    STRANGERS,
    Address,
    Packet,
    Truth,
    in_network,
    own_address,
    same_interface,
)

Elements = tuple[Any, ...] | None  # of a named set; None where the listing leaves them out
_MAYBE, _YES, _NO = Truth.MAYBE, Truth.YES, Truth.NO


@dataclass(frozen=True, slots=True)
class _Interface:
    name: str


@dataclass(frozen=True, slots=True)
class _Own:
    """The server's own address, which may be known."""

    known: frozenset[Address]


class _Unknown:
    """What the packet does not tell."""


class _Absent:
    """A field of a protocol that the packet is not of: no comparison holds."""


class _Nobody:
    """A user or group that no rule names: that of a program which nobody thought of."""


_UNKNOWN, _ABSENT, _NOBODY = _Unknown(), _Absent(), _Nobody()
_OTHER_PROTOCOLS = frozenset(
    {"udp", "udplite", "sctp", "dccp", "icmp", "icmpv6", "igmp", "esp", "ah", "comp", "gre", "arp", "vlan"}
)


def matches(match: Any, packet: Packet, sets: Mapping[str, Elements]) -> Truth:
    """A `match` object: {"op", "left", "right"}."""
    if not isinstance(match, dict):
        return _MAYBE
    value, right = value_of(match.get("left"), packet), match.get("right")
    if value is _ABSENT:
        return _NO
    op = match.get("op", "==")
    if op in {"==", "in", "!="}:
        if isinstance(value, frozenset) and op != "in" and not _is_set(right):
            held = _YES if value == _words(right) else _NO
        else:
            held = holds(value, right, sets)
        return held.turned() if op == "!=" else held
    if op in {"<", ">", "<=", ">="} and isinstance(value, int) and isinstance(right, int):
        found = {"<": value < right, ">": value > right, "<=": value <= right, ">=": value >= right}[op]
        return _YES if found else _NO
    return _MAYBE


def value_of(left: Any, packet: Packet) -> Any:
    """What the packet has in the place that an expression names."""
    if not isinstance(left, dict) or len(left) != 1:
        return _UNKNOWN
    (kind, inner), *_ = left.items()
    if kind == "concat" and isinstance(inner, list):
        found = tuple(value_of(one, packet) for one in inner[:16])
        return _ABSENT if any(one is _ABSENT for one in found) else found
    if kind == "&" and isinstance(inner, list) and len(inner) == 2:
        return _masked(value_of(inner[0], packet), inner[1])
    if not isinstance(inner, dict):
        return _UNKNOWN
    key = inner.get("key")
    if not isinstance(key, str):
        key = ""
    match kind:
        case "payload":
            return _payload(str(inner.get("protocol")), str(inner.get("field")), packet)
        case "meta":
            return _meta(key, packet)
        case "ct":
            return _conntrack(key, packet)
        case "fib":
            return _fib(inner, packet)
    return _UNKNOWN


def _masked(value: Any, mask: Any) -> Any:
    if isinstance(value, frozenset):
        return value & _words(mask)
    if isinstance(value, int) and isinstance(mask, int):
        return value & mask
    return value if value is _ABSENT else _UNKNOWN


def _payload(protocol: str, field: str, packet: Packet) -> Any:
    if protocol in {"tcp", "th"}:
        known = {"dport": packet.port, "flags": frozenset({"syn"})}
        return known.get(field, _UNKNOWN)
    if protocol in _OTHER_PROTOCOLS:
        return _ABSENT
    if protocol in {"ip", "ip6"}:
        if (protocol == "ip6") != (packet.family == 6):
            return _ABSENT
        stranger = STRANGERS[packet.family]
        mine, theirs = ("saddr", "daddr") if packet.outgoing else ("daddr", "saddr")
        return {mine: _Own(packet.own), theirs: stranger, "protocol": "tcp", "nexthdr": "tcp"}.get(
            field, _UNKNOWN
        )
    return _UNKNOWN


def _meta(key: str, packet: Packet) -> Any:
    here, there = ("oifname", "iifname") if packet.outgoing else ("iifname", "oifname")
    if key in {here, here.removesuffix("name")}:
        return _Interface(packet.interface)
    if key in {there, there.removesuffix("name")}:
        return _ABSENT  # no such interface in this hook: the comparison ends the rule
    if key in {"skuid", "skgid"}:
        return _NOBODY if packet.outgoing else _UNKNOWN
    return {
        "l4proto": "tcp",
        "nfproto": "ipv4" if packet.family == 4 else "ipv6",
        "protocol": "ip" if packet.family == 4 else "ip6",
        "pkttype": _UNKNOWN if packet.outgoing else "host",
        "mark": _UNKNOWN if packet.marked else 0,
    }.get(key, _UNKNOWN)


def _conntrack(key: str, packet: Packet) -> Any:
    known = {"state": frozenset({packet.state}), "status": frozenset[str](), "direction": "original"}
    return known.get(key, _UNKNOWN)


def _fib(inner: dict[str, Any], packet: Packet) -> Any:
    flags, result = inner.get("flags"), inner.get("result")
    if not isinstance(flags, list):
        return _UNKNOWN
    own = "saddr" if packet.outgoing else "daddr"
    if result == "type":
        return "local" if own in flags else "unicast"
    # A stranger answers on the way on which it came: reverse path filters are passed.
    return True if result in {"oif", "oifname"} and own not in flags else _UNKNOWN


def holds(value: Any, right: Any, sets: Mapping[str, Elements]) -> Truth:
    """Whether the value is what the right side names, or one of it."""
    if value is _ABSENT:
        return _NO
    if isinstance(right, str) and right.startswith("@"):
        return _in_named(value, sets.get(right[1:]), sets)
    if isinstance(right, dict) and len(right) == 1:
        (kind, inner), *_ = right.items()
        if kind == "set" and isinstance(inner, list):
            return max((holds(value, bare(one), sets) for one in inner), default=_NO)
        return _single(value, kind, inner)
    if isinstance(value, frozenset):
        return _YES if value & _words(right) else _NO
    if isinstance(right, list):
        return max((holds(value, one, sets) for one in right), default=_NO)
    return _scalar(value, right)


def _in_named(value: Any, elements: Elements, sets: Mapping[str, Elements]) -> Truth:
    """A named set.  Where its elements are not shown, a stranger's address and an unnamed user are in none:
    among all the addresses in the world there is one that no list holds."""
    if elements is not None:
        return max((holds(value, bare(one), sets) for one in elements), default=_NO)
    parts = value if isinstance(value, tuple) else (value,)
    return _NO if any(isinstance(one, Address) or one is _NOBODY for one in parts) else _MAYBE


def _single(value: Any, kind: str, inner: Any) -> Truth:
    if kind == "concat" and isinstance(inner, list) and isinstance(value, tuple) and len(inner) == len(value):
        return min(
            (holds(one, bare(named), {}) for one, named in zip(value, inner, strict=True)), default=_MAYBE
        )
    if kind == "prefix" and isinstance(inner, dict):
        return _scalar(value, f"{inner.get('addr')}/{inner.get('len')}")
    if kind == "range" and isinstance(inner, list) and len(inner) == 2:
        low, high = inner
        if isinstance(value, int) and isinstance(low, int) and isinstance(high, int):
            return _YES if low <= value <= high else _NO
        if isinstance(value, Address):
            return _between(value, str(low), str(high))
    return _MAYBE


def _between(value: Address, low: str, high: str) -> Truth:
    try:
        first, last = type(value)(low), type(value)(high)
    except ValueError:
        return _MAYBE
    return _YES if int(first) <= int(value) <= int(last) else _NO


def _scalar(value: Any, right: Any) -> Truth:
    if right == "*":
        return _YES
    if value is _NOBODY:
        return _NO
    if isinstance(value, Address) and isinstance(right, str):
        return in_network(value, right)
    if isinstance(value, _Own) and isinstance(right, str):
        return own_address(right, value.known)
    if isinstance(value, _Interface):
        return same_interface(right, value.name) if isinstance(right, str) else _MAYBE
    if isinstance(value, bool) or isinstance(right, bool):
        return _MAYBE if not isinstance(value, bool) else _YES if value == right else _NO
    if isinstance(value, int) and isinstance(right, int):
        return _YES if value == right else _NO
    if isinstance(value, str) and isinstance(right, str):
        return _YES if value == right else _NO
    if isinstance(value, str) and value == "tcp" and isinstance(right, int):
        return _YES if right == 6 else _NO
    return _MAYBE


def bare(element: Any) -> Any:
    """A set's element without its counter, comment or time-out."""
    if isinstance(element, dict) and isinstance(element.get("elem"), dict):
        return element["elem"].get("val")
    return element


def _is_set(right: Any) -> bool:
    return (isinstance(right, dict) and "set" in right) or (isinstance(right, str) and right.startswith("@"))


def _words(right: Any) -> frozenset[str]:
    if isinstance(right, dict) and isinstance(right.get("|"), list):
        right = right["|"]
    return (
        frozenset(one for one in right if isinstance(one, str))
        if isinstance(right, list)
        else frozenset({right} if isinstance(right, str) else ())
    )
