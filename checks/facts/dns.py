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


class ChainStatus(StrEnum):
    """What a chain of trust comes to: the four words of RFC 4033 section 5."""

    SECURE = "secure"
    INSECURE = "insecure"
    BOGUS = "bogus"
    INDETERMINATE = "indeterminate"


class StepKind(StrEnum):
    """Where and why a chain of trust ends before the record."""

    # Insecure: the parent proves that nothing below is vouched for.
    NO_DS = "no_ds"  # a delegation without DS
    ISLAND = "island"  # the same, but the zone below is signed
    OPT_OUT = "opt_out"  # an NSEC3 span that leaves unsigned delegations out (RFC 5155 6)
    UNSUPPORTED = "unsupported"  # only algorithms or digests that are not looked at (RFC 4035 5.2)
    ITERATIONS = "iterations"  # NSEC3 with too many of them (RFC 9276 3.2)
    # Bogus, by something that is there: a signature or digest that is checked and wrong.
    WRONG_DS = "wrong_ds"  # no key of the zone matches what the parent holds
    EXPIRED = "expired"  # the signature is right but for its end
    NOT_YET = "not_yet"  # the signature is right but for its beginning
    BAD_SIGNATURE = "bad_signature"
    UNKNOWN_KEY = "unknown_key"  # made by a key that the zone does not publish
    # Bogus, by something that is not there: what a resolver in between may also have taken out.
    UNSIGNED = "unsigned"  # no signature where the zone signs
    NO_KEYS = "no_keys"  # no DNSKEY, though the parent holds a DS
    NO_PROOF = "no_proof"  # an absence, or a wildcard, without NSEC or NSEC3 that shows it
    # Indeterminate: nothing about the zone.
    ANCHOR = "anchor"  # the root's own keys fit none of our anchors
    UNANSWERED = "unanswered"  # a question that the chain needs has no answer
    LIMIT = "limit"  # more questions or signatures than one scan spends


@dataclass(frozen=True, slots=True)
class ChainStep:
    """The record set at which a chain ends, and why."""

    kind: StepKind
    name: str
    rdtype: str
    zone: str  # the zone that had to vouch for it
    keys: tuple[int, ...] = ()  # key tags of the DS or signatures concerned
    at: datetime | None = None  # the end (expired) or beginning (not yet) of the signature
    ttl_s: int = 0  # how long the signer lets caches keep the set


@dataclass(frozen=True, slots=True)
class Chain:
    """fedisec's own walk from the anchor to one record set, every signature checked here."""

    status: ChainStatus
    zones: tuple[str, ...]  # those that vouch for each other, from the root down
    step: ChainStep | None = None  # what ends it; None where the status is secure
    alias: str = ""  # target of the alias behind which it ends; "" = it ends at the name itself
    key_signatures: tuple[Signature, ...] = ()  # over the keys of the last of `zones`


@dataclass(frozen=True, slots=True)
class SignedName:
    """How one name that is used validates.  `broken`: SERVFAIL, but an answer with checking disabled."""

    name: str
    rdtype: str
    broken: bool
    answer: Lookup | Missing  # with checking, as a resolver gives it to everybody
    own: bool  # under the registrable domain of the instance or of its mail
    chain: Chain | None = None  # None where there is no record set to walk to


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
