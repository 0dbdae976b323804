"""Signatures over record sets, checked here: RFC 4034, RFC 4035 section 5, RFC 6840.

Everything may come from a hostile server.  Keys are capped in size and signatures in number, because trying
all pairs of colliding key tags is a known way to stall validators (CVE-2023-50387).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime

import cryptography.exceptions
import dns.dnssec
import dns.exception
import dns.name
import dns.node
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rrset
from dns.rdtypes.ANY.DNSKEY import DNSKEY
from dns.rdtypes.ANY.DS import DS
from dns.rdtypes.ANY.RRSIG import RRSIG

from checks.errors import ParseError
from checks.facts.dns import Signature, StepKind

ALGORITHMS = frozenset({5, 7, 8, 10, 13, 14, 15, 16})  # RFC 9904; 5 and 7 are SHA-1
_RSA = frozenset({5, 7, 8, 10})
_DIGESTS = {1: "SHA1", 2: "SHA256", 4: "SHA384"}
_MAX_SIGNATURES = 8  # tried per record set
_MAX_TWINS = 2  # keys of one tag and algorithm tried per signature
_MAX_KEYS = 24  # of one zone
_MAX_KEY_BYTES = 1040  # RSA of 4096 bits with any exponent that fits (RFC 3110 section 4)
_MAX_EXPONENT_BYTES = 5  # of RSA; a longer one only makes checking slow
_ZONE_KEY, _REVOKED = 0x0100, 0x0080


@dataclass(frozen=True, slots=True)
class SignedSet:
    """A record set and the signatures that came with it."""

    records: dns.rrset.RRset
    signatures: tuple[RRSIG, ...]

    @property
    def name(self) -> dns.name.Name:
        return self.records.name

    @property
    def signer(self) -> dns.name.Name | None:
        """The zone that signs it; None without a signature by a zone that the name can be in."""
        return next((s.signer for s in self.signatures if self.name.is_subdomain(s.signer)), None)


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why a record set is not vouched for.  `at` is the end or beginning of the signature concerned."""

    kind: StepKind
    keys: tuple[int, ...] = ()
    at: datetime | None = None
    ttl_s: int = 0


class Effort:
    """Signatures that one scan may still check."""

    def __init__(self, left: int = 64) -> None:
        self.left = left

    def spend(self) -> bool:
        self.left -= 1
        return self.left >= 0


Section = list[dns.rrset.RRset]


def signed_sets(section: Section) -> tuple[SignedSet, ...]:
    """The record sets of a section of a message, each with its signatures, in their order."""
    signatures: dict[tuple[dns.name.Name, int], list[RRSIG]] = {}
    for rrset in section:
        if rrset.rdtype == dns.rdatatype.RRSIG:
            found = signatures.setdefault((rrset.name, rrset.covers), [])
            found += [s for s in rrset if isinstance(s, RRSIG)]
    return tuple(
        SignedSet(r, tuple(signatures.get((r.name, r.rdtype), ()))[:_MAX_SIGNATURES])
        for r in section
        if r.rdtype != dns.rdatatype.RRSIG and r.rdclass == dns.rdataclass.IN and len(r)
    )


def find_set(section: Section, name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> SignedSet | None:
    return next((s for s in signed_sets(section) if s.name == name and s.records.rdtype == rdtype), None)


def zone_keys(records: dns.rrset.RRset) -> tuple[DNSKEY, ...]:
    """The keys of a DNSKEY set that may sign zone data (RFC 4034 2.1)."""
    keys = [key for key in records if isinstance(key, DNSKEY)][:_MAX_KEYS]
    return tuple(k for k in keys if k.flags & _ZONE_KEY and k.protocol == 3 and _is_quick(k))


def _is_quick(key: DNSKEY) -> bool:
    """Of a size that honest signers use: checking a signature takes far less than a millisecond."""
    if key.algorithm in _RSA and not 0 < next(iter(key.key), 0) <= _MAX_EXPONENT_BYTES:
        return False
    return len(key.key) <= _MAX_KEY_BYTES


def check_set(
    signed: SignedSet, zone: dns.name.Name, keys: tuple[DNSKEY, ...], now: datetime, effort: Effort
) -> RRSIG | Flaw:
    """The signature of `zone` by one of its `keys` that holds at `now`; otherwise the flaw that says most: a
    signature that fails by its dates alone before one that is wrong, and that before a missing one."""
    flaws: list[Flaw] = []
    for signature in signed.signatures:
        if signature.signer != zone or not signed.name.is_subdomain(zone):
            continue
        flaw = _check(signed.records, signature, keys, now, effort)
        if flaw is None:
            return signature
        flaws.append(flaw)
    return min(flaws, key=lambda flaw: _TELLING.index(flaw.kind), default=Flaw(StepKind.UNSIGNED))


_TELLING = (
    StepKind.LIMIT, StepKind.EXPIRED, StepKind.NOT_YET, StepKind.BAD_SIGNATURE, StepKind.UNKNOWN_KEY,
    StepKind.UNSIGNED,
)  # fmt: skip


def _check(
    records: dns.rrset.RRset, signature: RRSIG, keys: tuple[DNSKEY, ...], now: datetime, effort: Effort
) -> Flaw | None:
    tag = (signature.key_tag,)
    if signature.algorithm not in ALGORITHMS:
        return Flaw(StepKind.UNSIGNED, tag)  # as good as none where the parent asks for another
    twins = [k for k in keys if k.algorithm == signature.algorithm and k.key_id() == signature.key_tag]
    if records.rdtype != dns.rdatatype.DNSKEY:
        twins = [k for k in twins if not k.flags & _REVOKED]
    if not twins:
        return Flaw(StepKind.UNKNOWN_KEY, tag)
    for key in twins[:_MAX_TWINS]:
        if not effort.spend():
            return Flaw(StepKind.LIMIT, tag)
        if _verifies(records, signature, key):
            return _out_of_time(signature, now)
    return Flaw(StepKind.BAD_SIGNATURE, tag)


def _verifies(records: dns.rrset.RRset, signature: RRSIG, key: DNSKEY) -> bool:
    """The mathematics alone: dnspython is told the signature's own beginning as the time."""
    keys: dict[dns.name.Name, dns.rdataset.Rdataset | dns.node.Node] = {
        signature.signer: dns.rdataset.from_rdata_list(0, [key])
    }
    try:
        dns.dnssec.validate_rrsig(
            records, signature, keys, now=signature.inception, policy=dns.dnssec.allow_all_policy
        )
    except (
        dns.exception.DNSException,  # what does not verify, and names that break the rules
        cryptography.exceptions.UnsupportedAlgorithm,
        ValueError,  # a key of the wrong size, a point that is not on the curve
        struct.error,  # a key cut short
        OverflowError,
    ):
        return False
    return True


def _out_of_time(signature: RRSIG, now: datetime) -> Flaw | None:
    begins, ends = moment(signature.inception), moment(signature.expiration)
    tag, ttl = (signature.key_tag,), signature.original_ttl
    if ends < now:
        return Flaw(StepKind.EXPIRED, tag, ends, ttl)
    if begins > now:
        return Flaw(StepKind.NOT_YET, tag, begins, ttl)
    return None


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def shown(signed: SignedSet) -> tuple[Signature, ...]:
    """The signatures as facts hold them, those that end first before the others."""
    found = [
        Signature(int(s.algorithm), moment(s.inception), moment(s.expiration)) for s in signed.signatures
    ]
    return tuple(sorted(found, key=lambda s: s.ends))


def check_keys(
    keys: SignedSet, anchors: tuple[DS, ...], now: datetime, effort: Effort
) -> tuple[DNSKEY, ...] | Flaw:
    """The keys of a zone that the DS records of its parent vouch for (RFC 4035 5.2, RFC 4509 section 3):
    one key matches a DS, and that key signs the whole set."""
    usable = usable_ds(anchors)
    if not usable:
        return Flaw(StepKind.UNSUPPORTED, tuple(sorted({ds.key_tag for ds in anchors})))
    there = zone_keys(keys.records)
    trusted = tuple(key for key in there if any(_matches(keys.name, key, ds) for ds in usable))
    if not trusted:
        return Flaw(StepKind.WRONG_DS, tuple(sorted({ds.key_tag for ds in usable})))
    proof = check_set(keys, keys.name, trusted, now, effort)
    return proof if isinstance(proof, Flaw) else there


def usable_ds(records: tuple[DS, ...]) -> tuple[DS, ...]:
    """Those with an algorithm and a digest that are known here; SHA-1 only where there is nothing better."""
    usable = tuple(ds for ds in records if ds.algorithm in ALGORITHMS and ds.digest_type in _DIGESTS)
    better = tuple(ds for ds in usable if ds.digest_type != 1)
    return (better or usable)[:_MAX_KEYS]


def _matches(zone: dns.name.Name, key: DNSKEY, ds: DS) -> bool:
    if key.algorithm != ds.algorithm or key.key_id() != ds.key_tag or key.flags & _REVOKED:
        return False
    made = dns.dnssec.make_ds(zone, key, _DIGESTS[ds.digest_type], policy=dns.dnssec.allow_all_policy)
    return bool(made.digest == ds.digest)


def parse_anchors(text: str) -> tuple[DS, ...]:
    """The root's trust anchors in a file of DS or DNSKEY records, one a line, as unbound-anchor and
    ldns-keygen write them.  Lines of other types and comments are passed over; ParseError without any."""
    found: list[DS] = []
    for line in text.splitlines()[:1000]:
        words = line.partition(";")[0].split()
        kind = next((w.upper() for w in words[1:4] if w.upper() in ("DS", "DNSKEY")), None)
        if kind is not None and words[0] == ".":
            found.append(_anchor(kind, words))
    if not found:
        raise ParseError("no DS or DNSKEY record of the root")
    return tuple(found)


def _anchor(kind: str, words: list[str]) -> DS:
    data = " ".join(words[[w.upper() for w in words].index(kind) + 1 :])
    try:
        record = dns.rdata.from_text(dns.rdataclass.IN, kind, data)
        if isinstance(record, DNSKEY):
            return dns.dnssec.make_ds(dns.name.root, record, "SHA256")
    except (dns.exception.DNSException, ValueError, struct.error) as error:
        raise ParseError(f"a broken {kind} record") from error
    assert isinstance(record, DS)
    return record
