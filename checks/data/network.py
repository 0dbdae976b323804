"""The dated tables of the network: ports, content delivery networks, SSH algorithms."""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from checks.facts.dns import Addresses

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Danger(StrEnum):
    """What an open port means; see ports.toml."""

    WEB = "web"
    SSH = "ssh"
    MAIL = "mail"
    DATABASE = "database"
    CONTROL = "control"
    LEGACY = "legacy"
    APP = "app"
    METRICS = "metrics"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Port:
    """A port worth a connection.  `ask` names the way to recognise the service, "" for none."""

    number: int
    service: str
    danger: Danger
    ask: str


@dataclass(frozen=True, slots=True)
class Cdn:
    """A network in front of servers, and how it shows."""

    name: str
    has_waf: bool  # inspects requests on every plan
    networks: tuple[_Network, ...]
    aliases: tuple[str, ...]
    headers: tuple[tuple[str, str], ...]  # name, beginning of the value in lower case


@cache
def watched_ports() -> dict[int, Port]:
    """Port number -> entry, in the order of the numbers."""
    rows = sorted(_toml("ports.toml")["port"], key=lambda row: int(row["number"]))
    return {
        row["number"]: Port(row["number"], row["service"], Danger(row["danger"]), row.get("ask", ""))
        for row in rows
    }


@cache
def canary_ports() -> tuple[int, ...]:
    return tuple(_toml("ports.toml")["canaries"])


@cache
def app_ports(family: str) -> tuple[int, ...]:
    """Where this family of software listens behind its proxy; () for an unknown one."""
    return tuple(_toml("ports.toml")["app"].get(family, ()))


@cache
def cdns() -> tuple[Cdn, ...]:
    return tuple(
        Cdn(
            row["name"],
            row["waf"] == "yes",
            tuple(ipaddress.ip_network(n) for n in row["networks"]),
            tuple(row["aliases"]),
            _markers(row["headers"]),
        )
        for row in _toml("cdn_networks.toml")["cdn"]
    )


@cache
def firewalls() -> dict[str, tuple[tuple[str, str], ...]]:
    """Web application firewalls that are no CDN -> the headers that they add."""
    return {row["name"]: _markers(row["headers"]) for row in _toml("cdn_networks.toml")["firewall"]}


@lru_cache(maxsize=1024)
def cdn_of_address(address: str) -> Cdn | None:
    """The CDN in whose published ranges an address lies."""
    ip = ipaddress.ip_address(address)
    for cdn in cdns():
        if any(ip.version == network.version and ip in network for network in cdn.networks):
            return cdn
    return None


def cdn_of_alias(names: Iterable[str]) -> Cdn | None:
    """The CDN that one of the alias targets belongs to."""
    targets = [name.rstrip(".").lower() for name in names]
    for cdn in cdns():
        if any(t == a or t.endswith("." + a) for t in targets for a in cdn.aliases):
            return cdn
    return None


def cdn_in_front(addresses: Addresses) -> Cdn | None:
    """The CDN that the addresses or the alias of a name lead to."""
    ranges = (cdn_of_address(address) for address in addresses.v4 + addresses.v6)
    return next((cdn for cdn in ranges if cdn is not None), None) or cdn_of_alias(addresses.aliases)


def cdn_of_headers(headers: Iterable[tuple[str, str]]) -> Cdn | None:
    """The CDN whose headers an answer carries."""
    held = tuple(headers)
    return next((cdn for cdn in cdns() if carries(held, cdn.headers)), None)


def carries(headers: Iterable[tuple[str, str]], markers: tuple[tuple[str, str], ...]) -> str:
    """The first header ("name: value") that carries one of the markers; "" if none does."""
    for name, value in headers:
        if any(name == key and value.lower().startswith(begin) for key, begin in markers):
            return f"{name}: {value}"
    return ""


def judge_algorithms(verdict: str, kind: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names that the table calls `verdict` (broken, weak, post_quantum) for `kind` (kex, host_keys,
    ciphers, macs), in their order."""
    patterns = _toml("ssh_algorithms.toml")[verdict].get(kind, ())
    return tuple(name for name in names if any(fnmatchcase(name, p) for p in patterns))


def terrapin_modes(kex: Iterable[str], ciphers: Iterable[str], macs: Iterable[str]) -> tuple[str, ...]:
    """What CVE-2023-48795 can attack: ChaCha20-Poly1305, or CBC together with encrypt-then-MAC.  Empty where
    strict key exchange is offered."""
    table = _toml("ssh_algorithms.toml")["terrapin"]
    if table["strict_marker"] in kex:
        return ()
    found = [c for c in ciphers if c in table["ciphers"]]
    etm = [m for m in macs if any(fnmatchcase(m, p) for p in table["etm"])]
    cbc = [c for c in ciphers if any(fnmatchcase(c, p) for p in table["cbc"])]
    return tuple(found + (cbc + etm if cbc and etm else []))


def _markers(rows: Iterable[str]) -> tuple[tuple[str, str], ...]:
    split = (row.partition("=") for row in rows)
    return tuple((name, begin) for name, _, begin in split)


@cache
def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))
