"""All packet filter rules of a host from what nft and iptables list together.

Where iptables writes through nft, its rules stand in nft's listing as well, but partly without their
arguments: then the word of iptables counts for its table.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, replace

from checks.errors import ParseError, Reason
from checks.facts import Missing, MissingFact
from checks.facts.inside import Inside
from checks.parse.host.common import Part, denied, parts
from checks.parse.host.firewall import Address, Base, Fate, Packet, Ruled, Truth, fate_of, same_interface
from checks.parse.host.iptables import marks, parse_iptables
from checks.parse.host.nft import parse_nft

_BUILT_IN = frozenset({"INPUT", "OUTPUT", "FORWARD"})
_NOT_THERE = ("not found", "no such file", "absent")


@dataclass(frozen=True, slots=True)
class HostRules:
    """`whole` False: rules may be in force that were not listed, so only a drop is sure."""

    bases: tuple[Base, ...]
    marks: bool
    whole: bool

    def fate(self, packet: Packet) -> Ruled:
        """What becomes of a stranger's packet; `marked` is filled in here."""
        ruled = fate_of(self.bases, replace(packet, marked=self.marks))
        if ruled.fate is Fate.ACCEPT and not self.whole:
            return Ruled(Fate.MAYBE, ruled.by)
        return ruled

    def worst(
        self, family: int, ports: Iterable[int], way: WayOut | None = None, *, outgoing: bool = False
    ) -> Ruled:
        """The fate of the port that gets furthest."""
        way = way or WayOut()
        packets = (Packet(family, port, way.interface, outgoing, own=way.own) for port in ports)
        found = [self.fate(packet) for packet in packets]
        for wanted in (Fate.ACCEPT, Fate.MAYBE):
            open_ = next((one for one in found if one.fate is wanted), None)
            if open_ is not None:
                return open_
        return found[0] if found else Ruled(Fate.MAYBE)


def read_rules(nft: tuple[str, ...], iptables: tuple[str, ...] = ()) -> HostRules | Missing:
    """The sections `nft` and `iptables` together; Missing where neither shows rules."""
    heads = {part.label: part for part in parts(iptables)}
    variant = " ".join(heads["variant"].lines) if "variant" in heads else ""
    four, six = _listed(heads.get("v4"), 4), _listed(heads.get("v6"), 6)
    hidden = any("legacy tables present" in line for line in iptables) and "legacy" not in variant
    marked = marks(iptables)
    try:
        found = parse_nft(nft)
    except ParseError as error:
        if four or six:
            return HostRules((*four, *six), marked, whole=False)
        return _why_not(nft, iptables, str(error))
    native = found.bases
    if "nf_tables" in variant:
        told = {"ip": bool(four), "ip6": bool(six)}
        native = tuple(base for base in native if not (told.get(base.family) and _is_iptables(base)))
    return HostRules((*native, *four, *six), marked or found.marks, whole=not hidden)


def _listed(part: Part | None, family: int) -> tuple[Base, ...]:
    try:
        return parse_iptables(part.lines, family) if part is not None else ()
    except ParseError:
        return ()


def _is_iptables(base: Base) -> bool:
    return base.label.split()[-2:-1] == ["filter"] and base.start in _BUILT_IN


def _why_not(nft: tuple[str, ...], iptables: tuple[str, ...], detail: str) -> Missing:
    if denied(nft) or denied(iptables):
        return Missing(Reason.DENIED, "nft list ruleset")
    said = " ".join(nft).lower()
    if any(words in said for words in _NOT_THERE):
        return Missing(Reason.NO_TOOL, "nft, iptables")
    return Missing(Reason.MALFORMED, detail)


def host_rules(inside: Inside) -> HostRules | Missing:
    """The rules of a report; Missing with the reason where they were not shown, or not as a whole."""
    try:
        return read_rules(inside.lines("nft"), inside.lines("iptables"))
    except MissingFact as gap:
        return gap.missing


def shown(inside: Inside, section: str) -> tuple[str, ...]:
    """The lines of a section that an item can do without."""
    try:
        return inside.lines(section)
    except MissingFact:
        return ()


@dataclass(frozen=True, slots=True)
class WayOut:
    """The default routes: by which interface ("" if not one physical one), whether IPv6 has one (None: not
    shown), and the addresses that they give as the server's own."""

    interface: str = ""
    has_ipv6: bool | None = None
    own: frozenset[Address] = frozenset()


def way_out(lines: tuple[str, ...]) -> WayOut:
    """From the section `egress`."""
    found = {part.label: part for part in parts(lines)}
    if "routes" not in found or found["routes"].absent:
        return WayOut()
    routes = [line.split() for line in found["routes"].lines if line.startswith("default")]
    devices = {words[words.index("dev") + 1] for words in routes if "dev" in words[:-1]}
    physical = [name for name in devices if same_interface(name) is not Truth.NO]
    six = any(":" in word for words in routes for word in words[1:4])
    own = {_address(words[words.index("src") + 1]) for words in routes if "src" in words[:-1]}
    interface = physical[0] if len(devices) == 1 and physical else ""
    return WayOut(interface, six if routes else None, frozenset(one for one in own if one is not None))


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
