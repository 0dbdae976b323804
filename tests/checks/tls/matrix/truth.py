"""What is true of a server, written down from its configuration; and how an observer's words compare with it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

Value = bool | int | str
Facts = dict[str, Value]
VERSIONS = ("SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3")
# Suites up to TLS 1.2.  All but the first three are told of suites that encrypt, for somebody with a certificate.
FAMILIES = ("NULL", "anon", "EXPORT", "RC4", "DES", "3DES", "RSA", "DHE", "CBC", "AEAD")


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """The facts of a modern server; each row of the matrix names what differs.  None: there is nothing to be
    said (the extensions of TLS 1.2 where only 1.3 is spoken, an order where there is one suite)."""

    versions: str = "TLSv1.2 TLSv1.3"
    families: str = "AEAD"  # CBC without 64-bit blocks; AEAD with forward secrecy
    dh_bits: int = 0  # of DHE with a certificate and without EXPORT; 0: no such DHE
    http2: bool = True
    extended_master_secret: bool | None = True
    secure_renegotiation: bool | None = True
    compression: bool | None = False
    server_order: bool | None = None  # up to TLS 1.2
    group13: str | None = "x25519"  # what a client gets that offers X25519 first; "": no TLS 1.3
    post_quantum: bool | None = False  # X25519MLKEM768
    trusted: bool | None = True  # by the matrix's own root; dates and name stand apart
    name_matches: bool = True
    expired: bool = False
    days_left: int = 80
    keys: str = "EC 256"  # of every certificate, in order of the alphabet
    hash: str = "sha256"
    self_signed: bool = False
    stapled: bool = False
    must_staple: bool = False
    revoked: bool | None = False  # so says a staple
    logs: int = 0  # different ones that have signed for the certificate
    proven: bool = True  # that the key is there: not by a key exchange of RSA, which signs nothing
    sent: int = 2  # certificates of the longest chain

    def facts(self) -> Facts:
        """By name: one yes or no for each version and family, and the rest as it is."""
        spoken, taken = set(self.versions.split()), set(self.families.split())
        if not spoken <= set(VERSIONS) or not taken <= set(FAMILIES):
            raise ValueError(f"unknown version or family: {self.versions} {self.families}")
        found: Facts = {name: name in spoken for name in VERSIONS}
        found |= {name: name in taken for name in FAMILIES}
        for field in fields(self)[2:]:
            value = getattr(self, field.name)
            if value is not None:
                found[field.name] = value
        return found


ONLY_13 = {"families": "", "extended_master_secret": None, "secure_renegotiation": None, "compression": None}


class Mark(StrEnum):
    """How one fact of an observer compares."""

    RIGHT = "right"
    WRONG = "wrong"
    UNSEEN = "not reported"


def compare(truth: Facts, seen: Facts) -> dict[str, Mark]:
    """A mark for every fact of the truth; what the observer says beyond it is of no account."""
    marks = {}
    for name, value in truth.items():
        if name not in seen:
            marks[name] = Mark.UNSEEN
        else:
            # 1 == True: a number is never a yes.
            same = type(seen[name]) is type(value) and seen[name] == value
            marks[name] = Mark.RIGHT if same else Mark.WRONG
    return marks


def wrong(truth: Facts, seen: Facts) -> list[str]:
    """ "fact: seen, in truth …" for each wrong one."""
    marks = compare(truth, seen)
    return [
        f"{name}: {seen[name]!r}, in truth {truth[name]!r}" for name, m in marks.items() if m is Mark.WRONG
    ]
