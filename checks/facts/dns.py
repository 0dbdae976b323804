"""What the DNS said about the names of an instance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from checks.facts import Fact, Missing


class Outcome(StrEnum):
    """How a question ended.  Only NO_NAME and NO_DATA mean "absent"; both are positive answers."""

    FOUND = "found"
    NO_DATA = "no_data"  # NOERROR without a record of the type; behind an alias only with the denying SOA
    NO_NAME = "no_name"  # NXDOMAIN


@dataclass(frozen=True, slots=True)
class Signature:
    """One RRSIG that came with an answer."""

    algorithm: int  # IANA number; 5 and 7 are SHA-1
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Lookup:
    """One answered question.  A question without an answer is a `Missing`, not a Lookup."""

    name: str
    rdtype: str
    outcome: Outcome
    records: tuple[str, ...] = ()  # sorted; presentation format; TXT: joined strings, bytes as latin-1
    secure: bool = False  # AD bit; believe it only where ResolverHealth.validates is true
    aliases: tuple[str, ...] = ()  # alias targets followed, in order
    ttl_s: int = 0
    signatures: tuple[Signature, ...] = ()  # over the records found


@dataclass(frozen=True, slots=True)
class ResolverHealth(Fact):
    """Self-test of fedisec's own resolver, asked before anything is judged by it."""

    address: str
    validates: bool | Missing  # sets AD on a signed name and refuses a bogus one


@dataclass(frozen=True, slots=True)
class Addresses(Fact):
    """The vetted addresses of the instance's web name: what every other probe dials."""

    host: str
    v4: tuple[str, ...]
    v6: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    ipv6_usable: bool = False  # fedisec itself can reach the IPv6 internet

    @property
    def dialled(self) -> tuple[str, ...]:
        """Addresses to look at: all IPv4, and IPv6 where fedisec has it; four of each at most."""
        return self.v4[:4] + (self.v6[:4] if self.ipv6_usable else ())


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and how it ended, for facts that hold many of them."""

    name: str
    rdtype: str
    answer: Lookup | Missing


@dataclass(frozen=True, slots=True)
class DomainName(Fact):
    """The web name in the tree of public suffixes."""

    name: str
    public_suffix: str  # by the ICANN section of the public suffix list
    registrable: str | None  # public suffix and one label; None where the name is a public suffix itself


@dataclass(frozen=True, slots=True)
class CaaClimb(Fact):
    """The CAA questions of RFC 8659 from the web name up, nearest first."""

    steps: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class SignedName:
    """How one name that is used validates.  `broken`: SERVFAIL, but an answer with checking disabled."""

    name: str
    rdtype: str
    broken: bool
    answer: Lookup | Missing  # with checking, as a resolver gives it to everybody
    own: bool  # under the registrable domain of the instance or of its mail


@dataclass(frozen=True, slots=True)
class Dnssec(Fact):
    """DNSSEC for every name that the instance needs.  Judge only together with ResolverHealth."""

    names: tuple[SignedName, ...]
    delegation: Lookup | Missing  # DS of the zone
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class ServerReply:
    """What one authoritative server said when asked for the SOA without recursion."""

    rcode: str
    authoritative: bool
    serial: int | None


@dataclass(frozen=True, slots=True)
class NameServer:
    name: str
    addresses: tuple[str, ...] | Missing
    reply: ServerReply | Missing


@dataclass(frozen=True, slots=True)
class NameServers(Fact):
    """The servers of the zone that the web name lives in; at most four are asked."""

    zone: str
    count: int  # names in the NS set
    servers: tuple[NameServer, ...]
