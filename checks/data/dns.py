"""The dated tables of names: certificate authorities, names that are only lent, mail providers."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from checks.parse.dnssec import parse_anchors


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority: the issuer domains it honours in CAA, the O= of its intermediates."""

    name: str
    domains: tuple[str, ...]
    organisations: tuple[str, ...]
    accounts: tuple[str, ...] = ()  # how the URIs of its ACME accounts begin; () = not known
    methods: tuple[str, ...] = ()  # validation methods it offers; () = not known, or not bound by CAA


@dataclass(frozen=True, slots=True)
class LentNames:
    tunnels: frozenset[str]  # gone when the tunnel ends
    dynamic: frozenset[str]  # dynamic DNS


@dataclass(frozen=True, slots=True)
class MailProvider:
    """How a provider shows in the DNS: endings of MX hosts, of SPF includes, its fixed DKIM selectors."""

    name: str
    mx: tuple[str, ...]
    spf: tuple[str, ...]
    selectors: tuple[str, ...]


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files("checks.data").joinpath(name).read_text(encoding="utf-8"))


_LISTS = ("domains", "organisations", "accounts", "methods")


@cache
def authorities() -> tuple[Authority, ...]:
    rows = _read("acme_cas.toml")["authority"]
    return tuple(Authority(r["name"], *(tuple(r.get(key, ())) for key in _LISTS)) for r in rows)


@cache
def lent_names() -> LentNames:
    return LentNames(
        frozenset(_read("tunnels.toml")["suffixes"]), frozenset(_read("dynamic_dns.toml")["suffixes"])
    )


@cache
def mail_providers() -> tuple[MailProvider, ...]:
    rows = _read("mail_providers.toml")["provider"]
    return tuple(
        MailProvider(r["name"], tuple(r["mx"]), tuple(r["spf"]), tuple(r.get("selectors", ()))) for r in rows
    )


@cache
def common_selectors() -> tuple[str, ...]:
    """Selectors that mail software sets by default, the most common first."""
    return tuple(_read("mail_providers.toml")["common_selectors"])


@cache
def root_anchors(path: str = "") -> tuple[str, ...]:
    """The root's keys in the file at `path`, or the shipped ones for "": DS or DNSKEY records, one a line.
    Read once; raises OSError, and ValueError for a file without such records."""
    text = (
        Path(path).read_text(encoding="ascii", errors="replace")
        if path
        else resources.files("checks.data").joinpath("root_anchors.txt").read_text(encoding="ascii")
    )
    parse_anchors(text)
    return tuple(text.splitlines())


def authority_of(organisation: str) -> Authority | None:
    """The authority behind the O= of an issuer name.  Two of them issue as "Cloudflare, Inc." in different
    case, so the exact spelling goes first."""
    wanted = organisation.strip()
    exact = (a for a in authorities() if wanted in a.organisations)
    folded = (a for a in authorities() if wanted.casefold() in {o.casefold() for o in a.organisations})
    return next(exact, None) or next(folded, None)


def provider_of_mx(host: str) -> MailProvider | None:
    """The service that runs a mail host; None for one that nobody knows, or that a customer runs."""
    if any(_under(host, ending) for ending in _rented()):
        return None
    return _longest(host, {ending: p for p in mail_providers() for ending in p.mx})


def provider_of_spf(name: str) -> MailProvider | None:
    return _longest(name, {ending: p for p in mail_providers() for ending in p.spf})


@cache
def _rented() -> tuple[str, ...]:
    return tuple(_read("mail_providers.toml")["rented"])


def _longest(name: str, endings: dict[str, MailProvider]) -> MailProvider | None:
    fitting = [ending for ending in endings if _under(name, ending)]
    return endings[max(fitting, key=lambda ending: ending.count("."))] if fitting else None


def lent_suffix(name: str, suffixes: frozenset[str]) -> str:
    """The suffix of the table that `name` stands under; "" for none."""
    labels = name.split(".")
    return next((s for i in range(len(labels)) if (s := ".".join(labels[i:])) in suffixes), "")


def _under(name: str, ending: str) -> bool:
    """Whether a name is the ending or lies below it; `*` stands for one label."""
    if "*" not in ending:
        return name == ending or name.endswith("." + ending)
    wanted = ending.split(".")
    labels = name.split(".")[-len(wanted) :]
    return len(labels) == len(wanted) and all(w in ("*", x) for w, x in zip(wanted, labels, strict=True))
