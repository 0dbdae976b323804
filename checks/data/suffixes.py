"""Where names end, by the public suffix list that the publicsuffixlist package brings: its ICANN section, but
for `lender`."""

from __future__ import annotations

from functools import cache

from publicsuffixlist import PublicSuffixList


@cache
def _list() -> PublicSuffixList:
    return PublicSuffixList(only_icann=True)


def public_suffix(name: str) -> str:
    return str(_list().publicsuffix(name) or "")


def registrable(name: str) -> str | None:
    """The public suffix and one label; None for a public suffix itself."""
    found = _list().privatesuffix(name)
    return str(found) if found else None


def same_registrable(one: str, other: str) -> bool:
    """Whether two names lie under one registered domain (or are equal)."""
    mine = registrable(one)
    return one == other or (mine is not None and mine == registrable(other))


@cache
def _whole_list() -> PublicSuffixList:
    return PublicSuffixList()


def lender(name: str) -> str:
    """The suffix of the private section (github.io) that a name lies under or is; "" where it does not."""
    found = str(_whole_list().publicsuffix(name) or "")
    return found if found and found != public_suffix(name) else ""
