"""The address rule: which addresses may be dialled at all.

`ipaddress.is_private` and `is_global` are not enough and differ between patch levels (CGNAT, NAT64, 6to4,
multicast, v4-compatible): the inner IPv4 address is unwrapped first, then an own deny table is asked.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# IANA special-purpose registries (RFC 6890 and later), wider where `is_global` of some Python disagrees.
_DENIED_V4 = tuple(
    ipaddress.IPv4Network(n)
    for n in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
# Only global unicast may be dialled; these are the special blocks inside 2000::/3.
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_DENIED_V6 = tuple(
    ipaddress.IPv6Network(n) for n in ("2001::/23", "2001:db8::/32", "3fff::/20", "2620:4f:8000::/48")
)
_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"),)
_SIX_TO_FOUR = ipaddress.IPv6Network("2002::/16")


def parse_networks(cidrs: Iterable[str]) -> tuple[Network, ...]:
    """The operator's own networks; ValueError for what is not a network."""
    return tuple(ipaddress.ip_network(c.strip(), strict=False) for c in cidrs if c.strip())


def is_public(address: str | Address) -> bool:
    """True for a global unicast address that is not a wrapping of a private one.  No name is resolved."""
    ip = ipaddress.ip_address(address) if isinstance(address, str) else address
    inner = _inner_v4(ip)
    if inner is not None:
        return is_public(inner)
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in _DENIED_V4)
    return ip in _GLOBAL_V6 and not any(ip in network for network in _DENIED_V6) and ip.scope_id is None


def may_dial(address: str, allowed: Iterable[Network]) -> bool:
    """`is_public`, or inside one of the networks that the operator allows by setting."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return is_within(ip, allowed) or is_public(ip)


def is_within(address: str | Address, networks: Iterable[Network]) -> bool:
    """Inside one of `networks`; ValueError for what is no address."""
    ip = ipaddress.ip_address(address) if isinstance(address, str) else address
    return any(ip.version == network.version and ip in network for network in networks)


def _inner_v4(ip: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address inside a mapped, v4-compatible, NAT64 or 6to4 address."""
    if not isinstance(ip, ipaddress.IPv6Address):
        return None
    value = int(ip)
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if any(ip in network for network in _NAT64) or value >> 32 == 0:
        return ipaddress.IPv4Address(value & 0xFFFFFFFF)
    if ip in _SIX_TO_FOUR:
        return ipaddress.IPv4Address((value >> 80) & 0xFFFFFFFF)
    return None
