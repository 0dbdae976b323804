"""The rules of `nft -j list ruleset` (libnftables-json(5)), ready to be walked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from checks.errors import ParseError
from checks.parse.host.firewall import Action, Base, Does, Packet, Rule, Truth
from checks.parse.host.nft_match import Elements, bare, holds, matches, value_of
from checks.parse.json_caps import load_object

_SILENT = frozenset(
    {"counter", "log", "comment", "notrack", "mangle", "ct helper", "ct timeout", "ct expectation", "flow",
     "secmark", "dup", "last", "tcp option", "map"}
)  # fmt: skip
_SILENT_TARGETS = frozenset(
    {"LOG", "NFLOG", "ULOG", "MARK", "CONNMARK", "TCPMSS", "CT", "NOTRACK", "CHECKSUM", "TRACE", "SET",
     "CLASSIFY", "DSCP", "TOS", "HL", "TTL", "AUDIT", "CONNSECMARK", "SECMARK", "RATEEST"}
)  # fmt: skip
_DONE = {
    "accept": Action(Does.ACCEPT),
    "drop": Action(Does.DROP),
    "reject": Action(Does.DROP),
    "return": Action(Does.RETURN),
}
_ANYTHING = Action(Does.ANYTHING)
_ELEMENTS_MAX = (
    32  # of a named set; the collector asks for a listing without them, and many rules may name one
)
_FAMILIES = frozenset({"ip", "ip6", "inet", "netdev"})


@dataclass(frozen=True, slots=True)
class NftRule:
    """The statements of one rule, and the sets of its table."""

    statements: tuple[Any, ...]
    sets: Mapping[str, Elements]

    def meets(self, packet: Packet) -> tuple[Truth, Action | None]:
        truth = Truth.YES
        for statement in self.statements:
            if not isinstance(statement, dict) or len(statement) != 1:
                return Truth.MAYBE, _ANYTHING
            (kind, inner), *_ = statement.items()
            if kind in _DONE or kind in {"jump", "goto"}:
                return truth, _action(statement)
            if kind == "vmap":
                found, action = self._mapped(inner, packet)
                return min(truth, found), action
            held, opaque = _condition(kind, inner, packet, self.sets)
            truth = min(truth, held)
            if truth is Truth.NO:
                return Truth.NO, None
            if opaque is not None:
                return truth, opaque
        return truth, None

    def _mapped(self, inner: Any, packet: Packet) -> tuple[Truth, Action]:
        """A verdict map.  What is not in it goes on with the next rule."""
        data = inner.get("data") if isinstance(inner, dict) else None
        if isinstance(data, str):
            pairs = self.sets.get(data.removeprefix("@"))
        else:
            listed = data.get("set") if isinstance(data, dict) else None
            pairs = tuple(listed) if isinstance(listed, list) else None
        if pairs is None:
            return Truth.MAYBE, _ANYTHING
        value = value_of(inner.get("key"), packet)
        met = [
            (holds(value, bare(p[0]), self.sets), p[1]) for p in pairs if isinstance(p, list) and len(p) == 2
        ]
        sure = next((verdict for held, verdict in met if held is Truth.YES), None)
        if any(held is Truth.MAYBE for held, _ in met):
            return Truth.MAYBE, _ANYTHING
        return (Truth.YES, _action(sure)) if sure is not None else (Truth.NO, _ANYTHING)


def _action(verdict: Any) -> Action:
    if not isinstance(verdict, dict) or len(verdict) != 1:
        return _ANYTHING
    (kind, inner), *_ = verdict.items()
    if kind in {"jump", "goto"}:
        target = inner.get("target") if isinstance(inner, dict) else None
        return Action(Does(kind), target) if isinstance(target, str) else _ANYTHING
    return _DONE.get(kind, _ANYTHING)


def _condition(
    kind: str, inner: Any, packet: Packet, sets: Mapping[str, Elements]
) -> tuple[Truth, Action | None]:
    """Whether a statement lets the rule go on, and what it may do that cannot be read.  Limits are those of a
    stranger's first packet: nothing is over them yet."""
    if kind == "match":
        return matches(inner, packet, sets), None
    if kind in {"limit", "ct count", "quota"}:
        return (Truth.NO if _is_over(inner) else Truth.YES), None
    if kind in {"set", "meter"}:
        limits = inner.get("stmt") if isinstance(inner, dict) else None
        asked = limits if isinstance(limits, list) else [limits]
        over = any(_is_over(value) for one in asked if isinstance(one, dict) for value in one.values())
        return (Truth.NO if over else Truth.YES), None
    if kind == "xt":
        return _foreign(inner)
    return (Truth.YES, None) if kind in _SILENT else (Truth.MAYBE, _ANYTHING)


def _is_over(limit: Any) -> bool:
    return isinstance(limit, dict) and limit.get("inv") is True


def _foreign(inner: Any) -> tuple[Truth, Action | None]:
    """A piece of iptables: nft knows its name at best, never its arguments."""
    kind, name = (inner.get("type"), inner.get("name")) if isinstance(inner, dict) else (None, None)
    if kind == "match" and name == "comment":
        return Truth.YES, None
    if kind == "target" and name in _SILENT_TARGETS:
        return Truth.YES, None
    if kind == "target" and name == "REJECT":
        return Truth.YES, Action(Does.DROP)
    return Truth.MAYBE, None if kind == "match" else _ANYTHING


@dataclass(frozen=True, slots=True)
class Nft:
    """`marks`: some rule sets packet marks; `untracks`: one takes packets out of connection tracking."""

    bases: tuple[Base, ...]
    marks: bool
    untracks: bool = False


def parse_nft(lines: tuple[str, ...]) -> Nft:
    """The base chains in the order of their priorities, without NAT.  In front of the JSON there may stand
    the heads of the plain listing, which tell the tables that sleep.  ParseError where no JSON is."""
    start = next((n for n, line in enumerate(lines) if line.startswith("{")), None)
    if start is None:
        raise ParseError("no ruleset in JSON")
    listed = load_object("\n".join(lines[start:])).get("nftables")
    if not isinstance(listed, list) or not listed:
        raise ParseError("no ruleset in JSON")
    objects = [one for one in listed if isinstance(one, dict)]
    return _Reader(_flags(lines[:start])).read(objects)


_Table = tuple[str, str]
_TELLS_FLAGS = (1, 0, 7)  # 1.0.6 has a random word in the place of the flags, older ones have no such place


def _flags(lines: tuple[str, ...]) -> dict[_Table, frozenset[str]] | None:
    """Of each table what "flags ..." says below its "table inet NAME {"; None where they were not listed."""
    if "== tables" not in lines:
        return None
    found: dict[_Table, frozenset[str]] = {}
    table: _Table | None = None
    for line in lines:
        words = line.replace(",", " ").split()
        if words[:1] == ["table"] and len(words) >= 3:
            table = (words[1], words[2])
            found[table] = frozenset()
        elif words[:1] == ["flags"] and table:
            found[table] |= frozenset(words[1:])
    return found


def _tells_flags(inner: dict[str, Any]) -> bool:
    """Of the object "metainfo": whether this nft writes the flags of a table into its JSON."""
    numbers = str(inner.get("version")).split(".")[:3]
    if not all(one.isascii() and one.isdigit() and len(one) < 4 for one in numbers):
        return False
    return tuple(int(one) for one in numbers) >= _TELLS_FLAGS


class _Reader:
    """`flags`: those of the plain listing, which count for more than the JSON's own."""

    def __init__(self, flags: dict[_Table, frozenset[str]] | None) -> None:
        self._flags = flags
        self._tells_flags = False
        self._rules: dict[_Table, dict[str, list[Rule]]] = {}
        self._sets: dict[_Table, dict[str, Elements]] = {}
        self._heads: list[tuple[int, _Table, dict[str, Any]]] = []
        self._asleep: set[_Table] = set()
        self._marks = self._untracks = False

    def read(self, objects: list[dict[str, Any]]) -> Nft:
        for one in objects:
            if isinstance(one.get("metainfo"), dict):
                self._tells_flags = _tells_flags(one["metainfo"])
            for kind, inner in one.items():
                if isinstance(inner, dict) and inner.get("family") in _FAMILIES:
                    self._take(kind, inner)
        heads = sorted(self._heads, key=lambda head: head[0])
        bases = tuple(self._base(table, head) for _, table, head in heads if not self._sleeps(table))
        return Nft(bases, self._marks, self._untracks)

    def _sleeps(self, table: _Table) -> bool:
        listed = self._flags.get(table) if self._flags is not None else None
        return "dormant" in listed if listed is not None else table in self._asleep

    def _is_awake(self, table: _Table) -> bool:
        """Of a table that is not known to sleep: whether it is known not to."""
        return self._tells_flags if self._flags is None else table in self._flags

    def _take(self, kind: str, inner: dict[str, Any]) -> None:
        name = str(inner.get("name"))
        table = (str(inner["family"]), name if kind == "table" else str(inner.get("table")))
        if kind == "table" and "dormant" in _as_list(inner.get("flags")):
            self._asleep.add(table)
        elif kind in {"set", "map"}:
            elements = inner.get("elem")
            is_short = isinstance(elements, list) and len(elements) <= _ELEMENTS_MAX
            self._sets.setdefault(table, {})[name] = tuple(elements) if is_short and elements else None
        elif kind == "chain":
            self._rules.setdefault(table, {}).setdefault(name, [])
            priority = inner.get("prio")
            if isinstance(inner.get("hook"), str) and inner.get("type") != "nat":
                self._heads.append((priority if isinstance(priority, int) else 0, table, inner))
        elif kind == "rule":
            statements = inner.get("expr")
            rule = NftRule(
                tuple(statements) if isinstance(statements, list) else (None,),
                self._sets.setdefault(table, {}),
            )
            self._marks = self._marks or _sets_mark(rule.statements)
            self._untracks = self._untracks or _untracks(rule.statements)
            self._rules.setdefault(table, {}).setdefault(str(inner.get("chain")), []).append(rule)

    def _base(self, table: _Table, head: dict[str, Any]) -> Base:
        chains = {name: tuple(rules) for name, rules in self._rules[table].items()}
        label = f"nft {' '.join(table)} {head.get('name')}"
        accepts = head.get("policy") != "drop"
        devices = tuple(str(name) for name in _as_list(head.get("dev")) if name)
        if head["hook"] in {"ingress", "egress"}:
            devices = devices or ("",)  # it has one, but nft 1.0.6 does not say which
        name, awake = str(head.get("name")), self._is_awake(table)
        return Base(label, table[0], head["hook"], accepts, name, chains, devices, awake)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _untracks(statements: tuple[Any, ...]) -> bool:
    named = [one for one in statements if isinstance(one, dict)]
    foreign = [one["xt"] for one in named if isinstance(one.get("xt"), dict)]
    return any("notrack" in one for one in named) or any(
        one.get("name") in {"NOTRACK", "CT"} for one in foreign
    )


def _sets_mark(statements: tuple[Any, ...]) -> bool:
    named = [one for one in statements if isinstance(one, dict)]
    mangled = any(
        isinstance(one.get("mangle"), dict) and one["mangle"].get("key") == {"meta": {"key": "mark"}}
        for one in named
    )
    foreign = [one["xt"] for one in named if isinstance(one.get("xt"), dict)]
    return mangled or any(one.get("name") in {"MARK", "CONNMARK"} for one in foreign)
