"""What the DNS and the mail hosts say about mail from and to an instance.

The policies are kept as the answers they are read from: the items walk them again, so that stored facts can
be judged by a later version.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from checks.facts import Fact, Missing
from checks.facts.dns import Asked, Lookup
from checks.facts.http import Page


@dataclass(frozen=True, slots=True)
class MailHost:
    """One MX host.  `v6` is asked only where there is no IPv4 address."""

    preference: int
    name: str  # "." = null MX
    v4: Lookup | Missing | None = None
    v6: Lookup | Missing | None = None


@dataclass(frozen=True, slots=True)
class MailRoutes(Fact):
    """Where mail for the domain goes: at most four hosts, best preference first."""

    domain: str
    mx: Lookup | Missing
    hosts: tuple[MailHost, ...] = ()
    fallback: Lookup | Missing | None = None  # A of the domain, asked where it has no MX


@dataclass(frozen=True, slots=True)
class SpfAnswers(Fact):
    """Every answer that a walk through the SPF tree needs; `cut`: the tree asked for more than is allowed.
    Of TXT answers only the SPF records are kept (a FOUND answer may so hold none), 4096 characters each."""

    domain: str
    asked: tuple[Asked, ...]
    cut: bool = False


@dataclass(frozen=True, slots=True)
class DmarcAnswers(Fact):
    """The tree walk, and the answers for report addresses in other organisations."""

    domain: str
    asked: tuple[Asked, ...]
    reports: tuple[Asked, ...] = ()


class Origin(StrEnum):
    """Where a selector comes from; only a named one can fail."""

    NAMED = "named"  # the admin says so
    PROVIDER = "provider"  # the recognised mail provider uses it for everybody
    GUESSED = "guessed"


@dataclass(frozen=True, slots=True)
class DkimAsked:
    selector: str
    origin: Origin
    answer: Lookup | Missing


@dataclass(frozen=True, slots=True)
class DkimAnswers(Fact):
    """Key records.  `wildcard`: the answer for a selector that cannot exist; a record there makes guesses
    worthless."""

    domain: str
    wildcard: Lookup | Missing
    keys: tuple[DkimAsked, ...]


class Proof(StrEnum):
    """What became of one DKIM signature of a pasted mail."""

    VERIFIED = "verified"
    HEADER_ONLY = "header_only"  # no body was pasted, so there is nothing to verify
    UNSEEN = "unseen"  # the key could not be asked for just now
    EXPIRED = "expired"  # x= has passed
    MALFORMED = "malformed"  # the signature itself breaks the rules
    SHA1 = "sha1"  # RFC 8301: receivers must not accept it
    NO_KEY = "no_key"
    BAD_KEY = "bad_key"  # a record that is no key, or not one for this signature
    REVOKED = "revoked"
    WEAK_KEY = "weak_key"  # RSA under 1024 bits
    BODY_DIFFERS = "body_differs"  # the copy was changed on the way here, or the mail was
    NO_MATCH = "no_match"  # the key did not make this signature, or a signed header differs


@dataclass(frozen=True, slots=True)
class ProvenSignature:
    """One DKIM signature of a pasted mail; "" for a part that could not be read."""

    domain: str
    selector: str
    algorithm: str
    proof: Proof
    detail: str = ""
    bits: int = 0  # of the key
    partial: bool = False  # l= leaves a part of the body unsigned


@dataclass(frozen=True, slots=True)
class DkimMessage(Fact):
    """What the signatures of a mail say that the admin pasted.  Of the mail itself nothing is kept but the
    domain of its From address."""

    from_domain: str
    signatures: tuple[ProvenSignature, ...]
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class MtaSts(Fact):
    """MTA-STS and TLS reports of the domain.  `policy` is None where no TXT record asks for one."""

    domain: str
    txt: Lookup | Missing
    policy: Page | Missing | None
    tls_reports: Lookup | Missing


@dataclass(frozen=True, slots=True)
class SmtpSession:
    """One talk with a mail host on port 25, up to the certificate; nothing is ever sent."""

    starttls: bool  # offered in the answer to EHLO
    tls_version: str = ""  # "TLSv1.3"; "" without a handshake
    tls_error: str = ""  # why the handshake failed
    names: tuple[str, ...] = ()  # DNS names in the certificate
    ends: datetime | None = None  # notAfter
    self_signed: bool = False
    certificate: bytes = b""  # DER
    public_key: bytes = b""  # DER of its SubjectPublicKeyInfo
    behind: tuple[bytes, ...] | None = None  # what was sent after it, DER; None = stored before this was seen
    trust: str = ""  # a TrustProblem; "" = a path to a root, or `behind` is None


@dataclass(frozen=True, slots=True)
class SmtpHost:
    """`hosted`: run by somebody else, so it is not ours to judge (nor was it visited)."""

    name: str
    hosted: bool
    session: SmtpSession | Missing
    tlsa: Lookup | Missing


@dataclass(frozen=True, slots=True)
class SmtpHosts(Fact):
    """The mail hosts of the domain as a sender meets them; two of the instance's own are visited at most."""

    domain: str
    hosts: tuple[SmtpHost, ...]
    seen_at: datetime
