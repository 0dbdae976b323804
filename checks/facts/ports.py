"""Which TCP ports answer from outside, and what answers there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from checks.facts import Fact, Missing


class PortState(StrEnum):
    """How a port met a connection.  All three count only while the address is known to answer us."""

    OPEN = "open"  # the TCP handshake was completed
    CLOSED = "closed"  # a reset: nothing listens
    FILTERED = "filtered"  # silence, twice, or an ICMP refusal


class Access(StrEnum):
    """What a service lets a stranger do, as far as its greeting tells."""

    UNKNOWN = "unknown"  # not recognised, or its greeting does not tell
    OPEN = "open"  # answers commands without a login
    LOGIN = "login"  # asks for a login
    TURNED_AWAY = "turned_away"  # answers only to say that this address may not come in


@dataclass(frozen=True, slots=True)
class PortSeen:
    """One port of one address.  `state` Missing: the address stopped answering, or never did."""

    port: int
    state: PortState | Missing
    service: str = ""  # recognised by its answer: redis, postgresql, http …; "" if not
    access: Access = Access.UNKNOWN
    answer: str = ""  # the piece of the answer that proves the service, cleaned


@dataclass(frozen=True, slots=True)
class AddressPorts:
    """All ports tried on one address, in the order of their numbers."""

    address: str
    ports: tuple[PortSeen, ...]


@dataclass(frozen=True, slots=True)
class OpenPorts(Fact):
    """TCP connects to the ports that matter, on the first IPv4 and IPv6 address or on the named origin.

    `behind_cdn` names the CDN whose address stands in front; then `addresses` are the origins that the admin
    named, and empty where none is named.
    """

    addresses: tuple[AddressPorts, ...]
    behind_cdn: str = ""
