"""The rules of `iptables -S` and `ip6tables -S` (tables filter, mangle and raw), ready to be walked."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from checks.errors import ParseError
from checks.parse.host.firewall import (
    STRANGERS,
    Action,
    Base,
    Does,
    Packet,
    Rule,
    Truth,
    in_network,
    own_address,
    same_interface,
)

_DONE = {
    "ACCEPT": Action(Does.ACCEPT),
    "DROP": Action(Does.DROP),
    "REJECT": Action(Does.DROP),
    "TARPIT": Action(Does.DROP),
    "RETURN": Action(Does.RETURN),
}
_SILENT = frozenset(
    {"LOG", "NFLOG", "ULOG", "MARK", "CONNMARK", "TCPMSS", "CT", "NOTRACK", "CHECKSUM", "TRACE", "SET",
     "CLASSIFY", "DSCP", "TOS", "HL", "TTL", "AUDIT", "CONNSECMARK", "SECMARK", "RATEEST", "TEE"}
)  # fmt: skip
_HOOKS = {
    "filter": {"INPUT": "input", "OUTPUT": "output"},
    "mangle": {
        "PREROUTING": "prerouting",
        "INPUT": "input",
        "OUTPUT": "output",
        "POSTROUTING": "postrouting",
    },
    "raw": {"PREROUTING": "prerouting", "OUTPUT": "output"},
}
_TCP = frozenset({"tcp", "all", "6", "0"})
_SYN = frozenset({"SYN"})
# True and false for the first packet of a stranger: no limit is reached yet, no list knows the address.
_ALWAYS = frozenset(
    {"--limit", "--limit-burst", "--hashlimit", "--hashlimit-upto", "--connlimit-upto", "--set", "--comment"}
)
# A stranger answers on the way on which it came: it does not fail the reverse path filter (--invert).
_NEVER = frozenset({"--connlimit-above", "--hashlimit-above", "--rcheck", "--update", "--remove", "--invert"})
_DETAIL = frozenset(
    {"--name", "--rsource", "--rdest", "--seconds", "--hitcount", "--rttl", "--mask", "--reap",
     "--connlimit-mask", "--connlimit-saddr", "--connlimit-daddr", "--hashlimit-burst", "--hashlimit-mode",
     "--hashlimit-name", "--hashlimit-htable-size", "--hashlimit-htable-max", "--hashlimit-htable-expire",
     "--hashlimit-srcmask", "--hashlimit-dstmask", "--hashlimit-htable-gcinterval", "-m", "--match",
     "--loose", "--validmark", "--accept-local"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Option:
    """`-s 10.0.0.0/8`, `! --dport 22`: the values up to the next option."""

    name: str
    values: tuple[str, ...]
    negated: bool = False

    @property
    def value(self) -> str:
        return self.values[0] if self.values else ""


@dataclass(frozen=True, slots=True)
class IptablesRule:
    """`-A`: its conditions, and what follows.  `action` None: it only counts, marks or logs."""

    options: tuple[_Option, ...]
    action: Action | None

    def meets(self, packet: Packet) -> tuple[Truth, Action | None]:
        truth = Truth.YES
        for option in self.options:
            held = _holds(option, packet)
            truth = min(truth, held.turned() if option.negated else held)
            if truth is Truth.NO:
                return Truth.NO, None
        return truth, self.action


def parse_iptables(lines: tuple[str, ...], family: int = 4, table: str = "filter") -> tuple[Base, ...]:
    """The base chains that a host's own packets meet.  ParseError where the policy of the table's first one
    (INPUT or PREROUTING) is not among the lines."""
    policies: dict[str, str] = {}
    chains: dict[str, list[Rule]] = {}
    for line in lines:
        words = _words(line)
        if words is None:
            if line.startswith("-A "):
                name = line.split()[1] if len(line.split()) > 1 else ""
                chains.setdefault(name, []).append(IptablesRule(_OPAQUE, Action(Does.ANYTHING)))
        elif words[0] == "-P" and len(words) >= 3:
            policies[words[1]] = words[2]
            chains.setdefault(words[1], [])
        elif words[0] == "-N" and len(words) >= 2:
            chains.setdefault(words[1], [])
        elif words[0] == "-A" and len(words) >= 2:
            chains.setdefault(words[1], []).append(_rule(words[2:]))
    hooks = _HOOKS[table]
    if policies.get(next(iter(hooks))) not in {"ACCEPT", "DROP"}:
        raise ParseError(f"no policy in the table {table}")
    whole = {name: tuple(rules) for name, rules in chains.items()}
    tool = ("iptables" if family == 4 else "ip6tables") + ("" if table == "filter" else f" {table}")
    return tuple(
        Base(f"{tool} {name}", "ip" if family == 4 else "ip6", hook, policies[name] == "ACCEPT", name, whole)
        for name, hook in hooks.items()
        if name in policies
    )


def marks(lines: tuple[str, ...]) -> bool:
    """Whether some rule sets packet marks."""
    return any("-j MARK" in line or "-j CONNMARK" in line for line in lines)


def untracks(lines: tuple[str, ...]) -> bool:
    """Whether some rule takes packets out of connection tracking."""
    return any("-j NOTRACK" in line or "--notrack" in line for line in lines)


def _words(line: str) -> list[str] | None:
    if not line.startswith("-"):
        return None
    try:
        return shlex.split(line)
    except ValueError:
        return None


def _rule(words: list[str]) -> IptablesRule:
    options = list[_Option]()
    for option in _options(words):
        if option.name in {"-j", "--jump", "-g", "--goto"}:
            return IptablesRule(tuple(options), _follows(option))
        options.append(option)
    return IptablesRule(tuple(options), None)


def _options(words: list[str]) -> Iterator[_Option]:
    """Each option with its values.  What stands behind -j belongs to the target, and nobody asks for it."""
    at, negated = 0, False
    while at < len(words):
        name = words[at]
        at += 1
        if name == "!":
            negated = True
            continue
        values = list[str]()
        while at < len(words) and words[at] != "!" and (not words[at].startswith("-") or name == "--comment"):
            values.append(words[at])
            at += 1
            if name == "--comment":
                break
        yield _Option(name, tuple(values), negated)
        negated = False


def _follows(option: _Option) -> Action | None:
    target = option.value
    if target in _SILENT:
        return None
    if target in _DONE:
        return _DONE[target]
    if option.name in {"-g", "--goto"}:
        return Action(Does.GOTO, target)
    return Action(Does.ANYTHING) if target in {"QUEUE", "NFQUEUE", "SYNPROXY"} else Action(Does.JUMP, target)


_OPAQUE = (_Option("--opaque", ()),)


def _holds(option: _Option, packet: Packet) -> Truth:
    name, value = option.name, option.value
    if name in {"-m", "--match"} and value == "socket":
        return Truth.MAYBE  # a condition by itself; the others have theirs in options of their own
    if name in _ALWAYS or name in _DETAIL:
        return Truth.YES
    if name in _NEVER:
        return Truth.NO
    if name in {"-s", "--source", "-d", "--destination"}:
        theirs = (name in {"-s", "--source"}) != packet.outgoing
        return in_network(STRANGERS[packet.family], value) if theirs else own_address(value, packet.own)
    if name in {"-i", "-o"}:
        here = (name == "-i") != packet.outgoing
        return same_interface(value, packet.interface, "+") if here else Truth.NO
    if name in {"--dport", "--dports", "--destination-port", "--destination-ports"}:
        return _in_ports(value, packet.port)
    if name in {"-p", "--protocol"}:
        return _sure(value in _TCP)
    return _in_state(option, packet)


def _in_state(option: _Option, packet: Packet) -> Truth:
    name, value = option.name, option.value
    if name in {"--ctstate", "--state"}:
        return _sure(packet.state.upper() in value.split(","))
    if name == "--syn":
        return Truth.YES
    if name == "--tcp-flags" and len(option.values) == 2:
        mask, wanted = (set(part.split(",")) for part in option.values)
        return _sure((_SYN if "ALL" in mask else _SYN & mask) == wanted - {"NONE"})
    if name in {"--dst-type", "--src-type"}:
        own = (name == "--dst-type") != packet.outgoing
        return _sure(("LOCAL" if own else "UNICAST") in value.split(","))
    if name == "--match-set" and len(option.values) == 2:
        theirs = "dst" if packet.outgoing else "src"
        return Truth.NO if theirs in option.values[1].split(",") else Truth.MAYBE
    if name == "--mark":
        return Truth.MAYBE if packet.marked else _is_unmarked(value)
    if name in {"--icmp-type", "--icmpv6-type"}:
        return Truth.NO
    if name == "--pkt-type" and not packet.outgoing:
        return _sure(value == "unicast")
    if name in {"--uid-owner", "--gid-owner"}:
        return Truth.NO if packet.outgoing else Truth.MAYBE
    return Truth.MAYBE


def _sure(found: bool) -> Truth:
    return Truth.YES if found else Truth.NO


def _in_ports(value: str, port: int) -> Truth:
    for piece in value.split(","):
        low, colon, high = piece.partition(":")
        first, last = low or "0", (high or "65535") if colon else low
        if not (_is_number(first) and _is_number(last)):
            return Truth.MAYBE
        if int(first) <= port <= int(last):
            return Truth.YES
    return Truth.NO


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5


def _is_unmarked(value: str) -> Truth:
    """A mark of 0 is wanted, under any mask."""
    try:
        return _sure(int(value.partition("/")[0], 0) == 0)
    except ValueError:
        return Truth.MAYBE
