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
from checks.parse.host.iptables import marks, parse_iptables, untracks
from checks.parse.host.nft import parse_nft

_TABLES = ("raw", "mangle", "filter")
_BUILT_IN = frozenset({"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"})
_NOT_THERE = ("not found", "no such file", "absent")


@dataclass(frozen=True, slots=True)
class HostRules:
    """`whole` False: rules may be in force that were not listed, so only a drop is sure.  `untracks`: some
    rule takes packets out of connection tracking, maybe this one too."""

    bases: tuple[Base, ...]
    marks: bool
    whole: bool
    untracks: bool = False

    def fate(self, packet: Packet) -> Ruled:
        """What becomes of a stranger's packet; `marked` and `state` are filled in here."""
        ruled, *others = (
            fate_of(self.bases, replace(packet, marked=self.marks, state=state))
            for state in (("new", "untracked") if self.untracks else ("new",))
        )
        if any(other.fate is not ruled.fate for other in others):
            return Ruled(Fate.MAYBE, ruled.by)
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
    listed = {
        (f"ip{family}".removesuffix("4"), table): _listed(heads.get(_label(family, table)), family, table)
        for family in (4, 6)
        for table in _TABLES
    }
    foreign = tuple(base for bases in listed.values() for base in bases)
    four, six = listed["ip", "filter"], listed["ip6", "filter"]
    hidden = any("legacy tables present" in line for line in iptables) and "legacy" not in variant
    marked, untracked = marks(iptables), untracks(iptables)
    try:
        found = parse_nft(nft)
    except ParseError as error:
        if four or six:
            return HostRules(foreign, marked, whole=False, untracks=untracked)
        return _why_not(nft, iptables, str(error))
    native = found.bases
    if "nf_tables" in variant:
        native = tuple(base for base in native if not listed.get((base.family, _table_of(base))))
    untracked = untracked or found.untracks
    return HostRules((*native, *foreign), marked or found.marks, whole=not hidden, untracks=untracked)


def _label(family: int, table: str) -> str:
    return f"v{family}" if table == "filter" else f"v{family}_{table}"


def _listed(part: Part | None, family: int, table: str) -> tuple[Base, ...]:
    try:
        return parse_iptables(part.lines, family, table) if part is not None else ()
    except ParseError:
        return ()


def _table_of(base: Base) -> str:
    """The table of iptables that the chain is one of by its names, "" for none."""
    return base.label.split()[-2] if base.start in _BUILT_IN else ""


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
