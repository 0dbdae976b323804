"""What the web server's TLS offers, and the certificates it shows, on each address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from checks.errors import Reason
from checks.facts import Fact, Missing, MissingFact

ROOTS_LAST = timedelta(days=90)  # Mozilla's list changes about this often


class TlsVersion(StrEnum):
    """Oldest first; the names are those that administrators write."""

    SSL2 = "SSLv2"
    SSL3 = "SSLv3"
    TLS10 = "TLSv1.0"
    TLS11 = "TLSv1.1"
    TLS12 = "TLSv1.2"
    TLS13 = "TLSv1.3"


class SuiteFamily(StrEnum):
    """Cipher suites up to TLS 1.2, offered together in one hello to see whether the server takes one."""

    NULL = "NULL"
    ANONYMOUS = "anonymous"
    EXPORT = "EXPORT"
    RC4 = "RC4"
    DES = "DES"  # and RC2, IDEA: 64-bit blocks or 56-bit keys
    TRIPLE_DES = "3DES"
    RSA = "RSA key exchange"
    DHE = "DHE"
    CBC = "CBC"
    AEAD = "AEAD"  # with forward secrecy


@dataclass(frozen=True, slots=True)
class VersionAnswer:
    """A ServerHello of the version was seen: True; an alert, a clean end or another version came: False."""

    version: TlsVersion
    offered: bool | Missing


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What the server chose."""

    version: TlsVersion
    suite: str  # IANA name, or "0x1234" for one that nobody knows


@dataclass(frozen=True, slots=True)
class SuiteAnswer:
    """What the server chose from a family; None: it takes none of them."""

    family: SuiteFamily
    chosen: Negotiated | Missing | None


@dataclass(frozen=True, slots=True)
class TlsOffer12:
    """What only a ServerHello up to TLS 1.2 tells; from the hello that offers good suites first."""

    preferred: str  # the suite chosen when the strongest stand first
    version: TlsVersion
    last_resort: str | Missing  # the suite chosen when the weakest stand first
    extended_master_secret: bool
    secure_renegotiation: bool
    compression: bool
    session_ticket: bool
    follows_client: bool | Missing | None = None  # the client's order decides; None: not told yet

    @property
    def server_decides(self) -> bool | Missing:
        """Whether the server goes by an order of its own, up to TLS 1.2."""
        if isinstance(self.follows_client, Missing):
            return self.follows_client
        if self.follows_client is not None:
            return not self.follows_client
        return (
            self.last_resort if isinstance(self.last_resort, Missing) else self.preferred == self.last_resort
        )


@dataclass(frozen=True, slots=True)
class TlsEndpoint:
    """One address.  Parts that were left out on purpose (further addresses) are Missing with NOT_ASKED."""

    address: str
    versions: tuple[VersionAnswer, ...]
    suites: tuple[SuiteAnswer, ...] = ()
    older: TlsOffer12 | Missing | None = None  # None: TLS 1.2 and older are not offered
    suite13: str | Missing | None = None
    group13: str | Missing | None = None  # key exchange group of TLS 1.3, as the registry calls it
    dh_bits: int | Missing | None = None  # size of p in DHE; None: no DHE
    curve_bits: int | Missing | None = None  # of ECDHE up to TLS 1.2; None: no ECDHE
    http2: bool | Missing | None = None
    post_quantum: bool | Missing | None = None  # X25519MLKEM768; None: no TLS 1.3
    ssl2_ciphers: tuple[str, ...] = ()  # what a SERVER-HELLO of SSL 2.0 lists

    def offers(self, version: TlsVersion) -> bool | Missing:
        for answer in self.versions:
            if answer.version is version:
                return answer.offered
        return Missing(Reason.NOT_ASKED)

    def gaps(self, *versions: TlsVersion) -> tuple[Missing, ...]:
        """What could not be seen of these versions; what was left out on purpose is no gap."""
        answers = (self.offers(version) for version in versions)
        return tuple(a for a in answers if isinstance(a, Missing) and a.reason is not Reason.NOT_ASKED)

    def chosen_from(self, family: SuiteFamily) -> Negotiated | Missing | None:
        for answer in self.suites:
            if answer.family is family:
                return answer.chosen
        return Missing(Reason.NOT_ASKED)


@dataclass(frozen=True, slots=True)
class UnseenEndpoint:
    """An address that did not speak TLS with us, and why."""

    address: str
    gap: Missing


@dataclass(frozen=True, slots=True)
class TlsOffer(Fact):
    """The TLS of every address, the first one looked at in full."""

    host: str
    endpoints: tuple[TlsEndpoint | UnseenEndpoint, ...]

    @property
    def seen(self) -> tuple[TlsEndpoint, ...]:
        """The addresses that spoke TLS.  MissingFact with the first reason where none did."""
        found = tuple(e for e in self.endpoints if isinstance(e, TlsEndpoint))
        if not found:
            raise MissingFact(next(iter(self.gaps), Missing(Reason.UNREACHABLE, "no address")))
        return found

    @property
    def gaps(self) -> tuple[Missing, ...]:
        return tuple(e.gap for e in self.endpoints if isinstance(e, UnseenEndpoint))


class KeyKind(StrEnum):
    RSA = "RSA"
    EC = "EC"
    ED25519 = "Ed25519"
    ED448 = "Ed448"
    DSA = "DSA"
    OTHER = "other"


class TrustProblem(StrEnum):
    """Why no path from the leaf to a trusted root was found."""

    NONE = ""
    SELF_SIGNED = "self_signed"
    INCOMPLETE = "incomplete"  # a path exists once the certificate that the leaf points to (AIA) is fetched
    UNKNOWN_AUTHORITY = "unknown_authority"
    BROKEN = "broken"  # the leaf breaks the rules for certificates of the web


class Revocation(StrEnum):
    """What an authority says of a certificate (RFC 6960 2.2)."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Staple:
    """An OCSP answer that came with the certificate and is about it."""

    status: Revocation
    this_update: datetime
    next_update: datetime | None
    revoked_at: datetime | None
    verified: bool | Missing  # signed by the issuer or for it; Missing where that could not be checked


@dataclass(frozen=True, slots=True)
class RevocationList:
    """What the issuer's list, signed and of this day, says of the certificate; never `unknown`."""

    status: Revocation
    this_update: datetime
    next_update: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Timestamps:
    """How many logs have signed for the certificate (RFC 6962), by the place where that is said."""

    embedded: int
    handshake: int
    staple: int
    logs: int  # different ones, in all three places


@dataclass(frozen=True, slots=True)
class WebCertificate:
    """One certificate that an address shows, with the chain behind it."""

    subject: str  # RFC 4514
    names: tuple[str, ...]  # DNS names and addresses of the SAN, lower case; at most 100
    issuer_organisation: str  # "" where the issuer names none
    issuer_name: str  # CN of the issuer, or its whole name
    not_before: datetime
    not_after: datetime
    key_kind: KeyKind
    key_bits: int  # 0 where the kind has no size
    curve: str  # "" unless key_kind is EC
    signature_hash: str  # "sha256"; "" for Ed25519
    fingerprint: str  # SHA-256 of the DER, hexadecimal
    chain: tuple[bytes, ...]  # DER as sent, leaf first; at most 8
    trusted: bool | Missing  # dates and name left out of it
    problem: TrustProblem
    trust_detail: str
    public_root: bool  # the path ends at a public root, not at one that the operator added
    name_matches: bool
    self_signed: bool
    must_staple: bool
    stapled: bool  # an OCSP answer came with it
    sct_count: int  # in the certificate, the handshake and the staple
    proven: bool = False  # the server has signed with its key
    # None: none came, where must_staple asks for it not on a second look either.
    staple: Staple | Missing | None = Missing(Reason.NOT_ASKED)
    timestamps: Timestamps | Missing = Missing(Reason.NOT_ASKED)
    crl: RevocationList | Missing = Missing(Reason.NOT_ASKED)

    @property
    def revoked_at(self) -> datetime | None:
        """When the authority took it back, as a signed staple or list says; None where none does."""
        if isinstance(self.crl, RevocationList) and self.crl.status is Revocation.REVOKED:
            return self.crl.revoked_at or self.crl.this_update
        staple = self.staple
        if isinstance(staple, Staple) and staple.status is Revocation.REVOKED and staple.verified is True:
            return staple.revoked_at or staple.this_update
        return None


@dataclass(frozen=True, slots=True)
class ServedCertificates:
    """The different certificates one address shows: a server may hold one per key kind."""

    address: str
    shown: tuple[WebCertificate, ...] | Missing


@dataclass(frozen=True, slots=True)
class WebCertificates(Fact):
    """The certificates of every address."""

    host: str
    served: tuple[ServedCertificates, ...]
    seen_at: datetime  # the measure for their dates
    www_points_here: bool | Missing = False  # www.HOST leads to one of the same addresses
    www_matches: bool = False  # and every certificate is good for it
    roots_from: datetime | None = None  # date of the list of public roots that was used

    @property
    def seen(self) -> tuple[tuple[str, WebCertificate], ...]:
        """(address, certificate) of all that were seen.  MissingFact with the first reason where none was."""
        found = [(s.address, c) for s in self.served if not isinstance(s.shown, Missing) for c in s.shown]
        if not found:
            raise MissingFact(next(iter(self.gaps), Missing(Reason.UNREACHABLE, "no address")))
        return tuple(found)

    @property
    def gaps(self) -> tuple[Missing, ...]:
        return tuple(s.shown for s in self.served if isinstance(s.shown, Missing))

    def trust(self, one: WebCertificate) -> bool | Missing:
        """Whether a certificate leads to a trusted root.  A list of roots that is too old to know the newest
        authorities cannot say that there is none."""
        is_old = self.roots_from is not None and self.seen_at - self.roots_from > ROOTS_LAST
        if one.problem is TrustProblem.UNKNOWN_AUTHORITY and one.trusted is False and is_old:
            return Missing(Reason.NOT_BUILT, f"list of roots of {self.roots_from:%Y-%m-%d}")
        return one.trusted

    @property
    def leaf(self) -> WebCertificate:
        """The certificate of the first address that showed one; MissingFact where none did."""
        return self.seen[0][1]
