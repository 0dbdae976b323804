"""What the DNS said about the names of an instance."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from checks.facts import Fact, Missing


class Outcome(StrEnum):
    """How a question ended.  Only NO_NAME and NO_DATA mean "absent"; both are positive answers."""

    FOUND = "found"
    NO_DATA = "no_data"  # NOERROR without a record of the type; behind an alias only with the denying SOA
    NO_NAME = "no_name"  # NXDOMAIN


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
