"""The address rule: which addresses may be dialled at all.

`ipaddress.is_private` and `is_global` are not enough and differ between patch levels (CGNAT, NAT64, 6to4,
multicast, v4-compatible): the inner IPv4 address is unwrapped first, then an own deny table is asked.

Imports the standard library alone: a program of its own (fedisec.alerts.channels) loads this file by path.
"""

from __future__ import annotations

import ipaddress
import socket
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
    ipaddress.IPv6Network(n) for n in ("2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20")
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = ipaddress.IPv6Network("2002::/16")
_LOOK_UP_PORT = 9


def parse_networks(cidrs: Iterable[str]) -> tuple[Network, ...]:
    """The operator's own networks; ValueError for what is not a network."""
    return tuple(ipaddress.ip_network(c.strip(), strict=False) for c in cidrs if c.strip())


def is_public(address: str | Address) -> bool:
    """True for a global unicast address that is not a wrapping of a private one.  No name is resolved."""
    ip = ipaddress.ip_address(address) if isinstance(address, str) else address
    if isinstance(ip, ipaddress.IPv6Address) and ip.scope_id is not None:
        return False  # a zone is a door of this machine: no address of the internet has one
    inner = _inner_v4(ip)
    if inner is not None:
        return is_public(inner)
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in _DENIED_V4)
    return ip in _GLOBAL_V6 and not any(ip in network for network in _DENIED_V6)


def may_dial(
    address: str, allowed: Iterable[Network], denied: Iterable[Network] = (), own: Iterable[Network] = ()
) -> bool:
    """The whole rule.  What the operator denies is never dialled, in no wrapping; what the operator allows
    is, private or not; of the rest what `is_public` and not one of fedisec's `own` addresses."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if _is_in_any_form(ip, denied):
        return False
    return is_within(ip, allowed) or (is_public(ip) and not _is_in_any_form(ip, own))


def is_within(address: str | Address, networks: Iterable[Network]) -> bool:
    """Inside one of `networks`; ValueError for what is no address."""
    ip = ipaddress.ip_address(address) if isinstance(address, str) else address
    return any(ip.version == network.version and ip in network for network in networks)


def is_this_machine(address: str) -> bool:
    """Whether one of this machine's own interfaces has the address: from here it shows what is closed to
    everybody else.  Connecting a UDP socket asks the kernel for the way, and sends nothing."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, _LOOK_UP_PORT))
            return ipaddress.ip_address(probe.getsockname()[0]) == ipaddress.ip_address(address)
    except (OSError, ValueError):
        return False


def _is_in_any_form(ip: Address, networks: Iterable[Network]) -> bool:
    networks, inner = tuple(networks), _inner_v4(ip)
    return is_within(ip, networks) or (inner is not None and is_within(inner, networks))


def _inner_v4(ip: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address inside a mapped, v4-compatible, NAT64 or 6to4 address."""
    if not isinstance(ip, ipaddress.IPv6Address):
        return None
    value = int(ip)
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip in _NAT64 or value >> 32 == 0:
        return ipaddress.IPv4Address(value & 0xFFFFFFFF)
    if ip in _SIX_TO_FOUR:
        return ipaddress.IPv4Address((value >> 80) & 0xFFFFFFFF)
    return None
