"""Families of suites by their registered names: what the words of every peer are brought to."""

from __future__ import annotations

from collections.abc import Iterable

from tests.checks.tls.matrix.truth import FAMILIES, Facts


def families(names: Iterable[str]) -> Facts:
    """Yes or no for every family, of the suites that a server takes with SSL 3.0 to TLS 1.2."""
    taken = {family for name in names for family in families_of(name)}
    return {family: family in taken for family in FAMILIES}


def families_of(name: str) -> set[str]:
    """ "TLS_RSA_WITH_RC4_128_SHA" is RSA and RC4; a suite of TLS 1.3 is none."""
    exchange, found, cipher = name.partition("_WITH_")
    if not found:
        return set()
    if cipher.startswith("NULL"):
        return {"NULL"}
    if exchange.endswith("anon"):
        return {"anon"}
    if "EXPORT" in exchange:
        return {"anon", "EXPORT"} if "anon" in exchange else {"EXPORT"}
    weak = next((family for part, family in _WEAK if cipher.startswith(part)), None)
    families = {weak} if weak else set()
    if exchange == "TLS_RSA":
        families.add("RSA")
    if exchange.startswith("TLS_DHE_"):
        families.add("DHE")
    if "_CBC" in cipher and not weak:
        families.add("CBC")
    if any(mode in cipher for mode in ("GCM", "CCM", "POLY1305")) and exchange.startswith(
        ("TLS_DHE_", "TLS_ECDHE_")
    ):
        families.add("AEAD")
    return families


_WEAK = (("RC4_128", "RC4"), ("3DES", "3DES"), ("DES_CBC", "DES"), ("IDEA", "DES"), ("RC2", "DES"))


def is_real_dhe(name: str) -> bool:
    """Whether the size of its group is that of an honest DHE."""
    return name.startswith("TLS_DHE_") and "EXPORT" not in name
