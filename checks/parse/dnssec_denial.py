"""Proofs that something does not exist: NSEC (RFC 4035 5.4) and NSEC3 (RFC 5155 section 8).

The records that come in here have been verified against the keys of the zone already.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

import dns.name
import dns.rdatatype
import dns.rrset
from dns.rdtypes.ANY.NSEC import NSEC
from dns.rdtypes.ANY.NSEC3 import NSEC3

MAX_ITERATIONS = 100  # more make the answer insecure (RFC 9276 section 3.2)
_SHA1, _OPT_OUT = 1, 0x01
_MAX_RECORDS = 12


class Denied(Enum):
    """What the parent's records show about a DS at a name."""

    NO_DS = "a delegation is there, and no DS"
    NO_CUT = "the name is no delegation"
    NO_NAME = "the name does not exist"
    OPT_OUT = "an unsigned delegation may be there"
    ITERATIONS = "too many iterations to look"
    UNPROVEN = "nothing is shown"


@dataclass(frozen=True, slots=True)
class _Hashed:
    """One NSEC3 record: the hash that its owner name holds, and the record."""

    owner: bytes
    record: NSEC3

    @property
    def way(self) -> tuple[bytes, int]:
        """Salt and iterations: how names are hashed."""
        return self.record.salt, self.record.iterations


@dataclass(frozen=True, slots=True)
class Proofs:
    """The NSEC and NSEC3 records of one zone in one answer."""

    zone: dns.name.Name
    nsec: tuple[tuple[dns.name.Name, NSEC], ...]
    nsec3: tuple[_Hashed, ...]

    @property
    def too_many_iterations(self) -> bool:
        return any(entry.record.iterations > MAX_ITERATIONS for entry in self.nsec3)


def proofs_of(zone: dns.name.Name, sets: Iterable[dns.rrset.RRset]) -> Proofs:
    """Sorts verified record sets; what is no NSEC or NSEC3 of this zone is left out."""
    nsec: list[tuple[dns.name.Name, NSEC]] = []
    nsec3: list[_Hashed] = []
    for rrset in sets:
        for record in rrset:
            if isinstance(record, NSEC) and rrset.name.is_subdomain(zone):
                nsec.append((rrset.name, record))
            elif isinstance(record, NSEC3) and len(rrset.name) == len(zone) + 1:
                nsec3 += _hashed(rrset.name, zone, record)
    alike = [entry for entry in nsec3 if entry.way == nsec3[0].way]  # RFC 5155 8.2: one salt in one answer
    return Proofs(zone, tuple(nsec[:_MAX_RECORDS]), tuple(alike[:_MAX_RECORDS]))


def _hashed(owner: dns.name.Name, zone: dns.name.Name, record: NSEC3) -> list[_Hashed]:
    """Hash algorithms and flags that are not known are passed over (RFC 5155 8.1, 8.2)."""
    if owner.parent() != zone or record.algorithm != _SHA1 or record.flags & ~_OPT_OUT:
        return []
    try:
        digest = base64.b32hexdecode(owner.labels[0].upper())
    except ValueError:
        return []
    return [_Hashed(digest, record)] if len(digest) == 20 and len(record.next) == 20 else []


def denial_of_ds(name: dns.name.Name, proofs: Proofs) -> Denied:
    """What is shown about a DS at `name`, which is below the zone of the proofs."""
    if proofs.nsec:
        found = _ds_by_nsec(name, proofs)
        if found is not Denied.UNPROVEN:
            return found
    return _ds_by_nsec3(name, proofs) if proofs.nsec3 else Denied.UNPROVEN


def _of_types(record: NSEC | NSEC3) -> Denied:
    """What the types at the very name say.  A SOA there is the child speaking, who cannot deny a DS."""
    if has_type(record, dns.rdatatype.DS) or has_type(record, dns.rdatatype.SOA):
        return Denied.UNPROVEN
    return Denied.NO_DS if has_type(record, dns.rdatatype.NS) else Denied.NO_CUT


def has_type(record: NSEC | NSEC3, rdtype: int) -> bool:
    """RFC 4034 4.1.2: windows of 256 types, a bit per type."""
    for window, bits in record.windows:
        octet, bit = divmod(rdtype & 0xFF, 8)
        if window == rdtype >> 8 and octet < len(bits) and bits[octet] & (0x80 >> bit):
            return True
    return False


def _ds_by_nsec(name: dns.name.Name, proofs: Proofs) -> Denied:
    for owner, record in proofs.nsec:
        if owner == name:
            return _of_types(record)
    for owner, record in proofs.nsec:
        if _spans(owner, record, name, proofs.zone):
            return Denied.NO_CUT if record.next.is_subdomain(name) else Denied.NO_NAME
    return Denied.UNPROVEN


def _spans(owner: dns.name.Name, record: NSEC, name: dns.name.Name, zone: dns.name.Name) -> bool:
    """`name` lies strictly between owner and next; the last record of a zone points back to the apex.  A
    delegation or DNAME says nothing about what is below it (RFC 6840 4.1)."""
    if name.is_subdomain(owner) and (
        has_type(record, dns.rdatatype.DNAME)
        or (has_type(record, dns.rdatatype.NS) and not has_type(record, dns.rdatatype.SOA))
    ):
        return False
    if not owner < name:
        return False
    return bool(name < record.next or record.next == zone)


@lru_cache(maxsize=256)
def nsec3_hash(name: dns.name.Name, salt: bytes, iterations: int) -> bytes:
    """RFC 5155 section 5; `iterations` is at most MAX_ITERATIONS here."""
    digest = hashlib.sha1(name.to_digestable() + salt, usedforsecurity=False).digest()
    for _ in range(iterations):
        digest = hashlib.sha1(digest + salt, usedforsecurity=False).digest()
    return digest


def _ds_by_nsec3(name: dns.name.Name, proofs: Proofs) -> Denied:
    if proofs.too_many_iterations:
        return Denied.ITERATIONS
    exact = _match(name, proofs)
    if exact is not None:
        return _of_types(exact)
    below = name
    while below != proofs.zone and len(below) > 1:
        above = below.parent()
        encloser = _match(above, proofs)
        if encloser is not None and _may_enclose(encloser):
            cover = _cover(below, proofs)
            if cover is None:
                return Denied.UNPROVEN
            return Denied.OPT_OUT if cover.flags & _OPT_OUT else Denied.NO_NAME
        below = above
    return Denied.UNPROVEN


def _may_enclose(record: NSEC3) -> bool:
    """RFC 5155 8.3: the closest encloser is neither a delegation nor a DNAME."""
    if has_type(record, dns.rdatatype.DNAME):
        return False
    return not has_type(record, dns.rdatatype.NS) or has_type(record, dns.rdatatype.SOA)


def _match(name: dns.name.Name, proofs: Proofs) -> NSEC3 | None:
    for entry in proofs.nsec3:
        if entry.owner == nsec3_hash(name, *entry.way):
            return entry.record
    return None


def _cover(name: dns.name.Name, proofs: Proofs) -> NSEC3 | None:
    for entry in proofs.nsec3:
        digest = nsec3_hash(name, *entry.way)
        if entry.owner < entry.record.next:
            inside = entry.owner < digest < entry.record.next
        else:  # the last span of the ring
            inside = digest > entry.owner or digest < entry.record.next
        if inside:
            return entry.record
    return None


def denial_of_closer(name: dns.name.Name, labels: int, proofs: Proofs) -> Denied:
    """For an answer made from a wildcard of `labels` labels: NO_NAME when nothing closer to `name` exists
    (RFC 4035 5.3.4, RFC 5155 8.8), OPT_OUT or ITERATIONS when that is left open, else UNPROVEN."""
    closer = dns.name.Name(name.labels[-(labels + 2) :])
    for owner, record in proofs.nsec:
        if _spans(owner, record, closer, proofs.zone) and not record.next.is_subdomain(closer):
            return Denied.NO_NAME
    if not proofs.nsec3:
        return Denied.UNPROVEN
    if proofs.too_many_iterations:
        return Denied.ITERATIONS
    cover = _cover(closer, proofs)
    if cover is None:
        return Denied.UNPROVEN
    return Denied.OPT_OUT if cover.flags & _OPT_OUT else Denied.NO_NAME
