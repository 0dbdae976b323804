"""The whole SPF tree of a domain over answers that are already there: counted, judged, never asked.

The walk assumes that no mechanism matches, so it sees what the mail that runs through the whole record sees
(RFC 7208 4.6.4).  Terms behind `all` are never evaluated and never counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache

from checks.errors import ParseError, Reason
from checks.facts import Missing
from checks.facts.dns import Lookup, Outcome
from checks.parse.spf import MAX_RECORD, SpfRecord, Term, expand, is_spf, parse_spf
from checks.parse.spf_macro import can_be_asked

MAX_LOOKUPS = 10
MAX_VOIDS = 2
MAX_MX_HOSTS = 10
MAX_QUESTIONS = 32  # of one walk: a tree that needs more is over the limit anyway
LONG_BYTES = 450  # longer answers leave one datagram with the rest of a usual TXT set
UNSEEN = "unseen"
_STOP_AFTER = 2 * MAX_LOOKUPS  # a tree this far over the limit is not followed any further

_WIDE_OWN = {"ip4": 16, "ip6": 32}
_WIDE_INCLUDED = {"ip4": 12, "ip6": 20}  # large providers announce /14 and /15 of their own

Answers = Mapping[tuple[str, str], Lookup | Missing]


@dataclass(frozen=True, slots=True)
class Note:
    """Something about one record.  `code`: see the sets below; `detail` for people."""

    code: str
    name: str
    detail: str = ""


# Problems make the record a permerror or worthless: none several syntax include_none redirect_none loop
# mx_many lookups voids plus_all.  Warnings: ptr wide long open_end near_limit bad_name.  Gaps: macro unseen.


@dataclass(frozen=True, slots=True)
class Step:
    """One record in the tree, for people: how deep, whose, what it says."""

    depth: int
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Branch:
    """One term that costs a look-up, or the record that the tree grows from (number 0); in walking order."""

    depth: int
    text: str
    number: int  # of the look-up, from 1
    lookups: int  # in this branch, its own included
    voids: int
    mark: str = ""  # void, macro, unseen, not_asked, not_followed, or the problem found just there


@dataclass(frozen=True, slots=True)
class SpfWalk:
    lookups: int
    voids: int
    ending: str  # qualifier of the `all` that ends the tree; "" where none does, UNSEEN where it lies unseen
    problems: tuple[Note, ...]
    warnings: tuple[Note, ...]
    macros: tuple[Note, ...]  # branches that depend on the single mail
    unseen: tuple[tuple[str, Missing], ...]  # questions that were asked and not answered
    needed: tuple[tuple[str, str], ...]  # questions not asked yet
    steps: tuple[Step, ...]
    tree: tuple[Branch, ...]


@dataclass
class _Walker:
    sender: str
    answers: Answers
    lookups: int = 0
    voids: int = 0
    problems: list[Note] = field(default_factory=list)
    warnings: list[Note] = field(default_factory=list)
    macros: list[Note] = field(default_factory=list)
    unseen: dict[str, Missing] = field(default_factory=dict)
    needed: dict[tuple[str, str], None] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    tree: list[Branch | None] = field(default_factory=list)

    @contextmanager
    def branch(self, depth: int, text: str, cost: int = 1) -> Iterator[None]:
        """Notes what the block adds to the counts, and what it finds, as one line of the tree."""
        place, before = len(self.tree), self._counts()
        self.tree.append(None)
        self.lookups += cost
        number = self.lookups if cost else 0
        yield
        lookups, voids, *_ = (now - then for now, then in zip(self._counts(), before, strict=True))
        leaf = len(self.tree) == place + 1
        mark = self._mark(before) if leaf else ""
        self.tree[place] = Branch(depth, text, number, lookups, voids, mark)

    def _counts(self) -> tuple[int, ...]:
        found = self.problems, self.macros, self.unseen, self.needed
        return self.lookups, self.voids, *map(len, found)

    def _mark(self, before: tuple[int, ...]) -> str:
        _, voids, problems, macros, unseen, needed = self._counts()
        if problems > before[2]:
            return self.problems[-1].code
        gaps = zip((macros, unseen, needed, voids), (*before[3:], before[1]), strict=True)
        names = ("macro", UNSEEN, "not_asked", "void")
        return next((n for n, (now, then) in zip(names, gaps, strict=True) if now > then), "")

    def answer(self, name: str, rdtype: str) -> Lookup | None:
        """The answer where there is one; what is not asked or not answered is noted."""
        found = self.answers.get((name, rdtype))
        if isinstance(found, Lookup):
            return found
        if found is None:
            self.needed[name, rdtype] = None
        else:
            self.unseen[f"{rdtype} {name}"] = found
        return None

    def visit(self, name: str, chain: tuple[str, ...], via: str) -> str:
        """Walks the record of `name`; returns the qualifier of the `all` that ends it, "" for none."""
        found = self.answer(name, "TXT")
        if found is None:
            return UNSEEN
        records = [text for text in found.records if is_spf(text)]
        if len(records) != 1:
            self.problems.append(Note("several" if records else f"{via}none", name, str(len(records))))
            return ""
        if len(records[0]) > MAX_RECORD:
            self.unseen[f"TXT {name}"] = Missing(Reason.TOO_LARGE, f"TXT {name}")
            return UNSEEN
        self.steps.append(Step(len(chain), name, records[0]))
        record = _read(records[0])
        if isinstance(record, str):
            self.problems.append(Note("syntax", name, record))
            return ""
        if len(records[0]) > LONG_BYTES:
            self.warnings.append(Note("long", name, str(len(records[0]))))
        for term in record.terms:
            if term.kind == "all":
                return term.qualifier
            if self.lookups > _STOP_AFTER:
                self.tree.append(Branch(len(chain) + 1, term.text, 0, 0, 0, "not_followed"))
                return ""
            self.term(term, name, (*chain, name))
        return self.redirect(record, name, (*chain, name))

    def redirect(self, record: SpfRecord, name: str, chain: tuple[str, ...]) -> str:
        if record.redirect is None:
            return ""
        with self.branch(len(chain), record.redirect.text):
            target = expand(record.redirect.domain, name, self.sender)
            if target is None:
                self.macros.append(Note("macro", name, record.redirect.text))
                return UNSEEN
            return self.descend(target, chain, "redirect_")

    def descend(self, target: str, chain: tuple[str, ...], via: str) -> str:
        if target in chain:
            self.problems.append(Note("loop", chain[-1], target))
            return ""
        if not can_be_asked(target):
            self.problems.append(Note(f"{via}none", target))
            return ""
        return self.visit(target, chain, via)

    def term(self, term: Term, name: str, chain: tuple[str, ...]) -> None:
        if term.network:
            self.network(term, name, own=len(chain) == 1)
        if term.kind not in {"include", "a", "mx", "ptr", "exists"}:
            return
        with self.branch(len(chain), term.text):
            self.lookup(term, name, chain)

    def lookup(self, term: Term, name: str, chain: tuple[str, ...]) -> None:
        if term.kind == "ptr":
            self.warnings.append(Note("ptr", name, term.text))
            return
        target = expand(term.domain, name, self.sender)
        if target is None:
            self.macros.append(Note("macro", name, term.text))
        elif term.kind == "include":
            ending = self.descend(target, chain, "include_")
            if ending == "+" and term.qualifier == "+":
                self.problems.append(Note("plus_all", target, term.text))
        elif not can_be_asked(target):
            self.warnings.append(Note("bad_name", name, term.text))
        elif term.kind == "mx":
            self.mx(target, name)
        else:
            self.address(target, term.kind)

    def mx(self, target: str, name: str) -> None:
        found = self.answer(target, "MX")
        if found is None:
            return
        if len(found.records) > MAX_MX_HOSTS:
            self.problems.append(Note("mx_many", name, str(len(found.records))))
        self.voids += found.outcome is not Outcome.FOUND

    def address(self, target: str, kind: str) -> None:
        """A void look-up is one without any address; `exists` asks for IPv4 whatever the client has (5.7)."""
        v4 = self.answer(target, "A")
        if v4 is None or v4.outcome is Outcome.FOUND:
            return
        if kind == "exists" or v4.outcome is Outcome.NO_NAME:
            self.voids += 1
            return
        v6 = self.answer(target, "AAAA")
        self.voids += v6 is not None and v6.outcome is not Outcome.FOUND

    def network(self, term: Term, name: str, *, own: bool) -> None:
        """Wider than any mail sender needs; providers (an include) get more room than one's own line."""
        if term.qualifier != "+":
            return
        limits = _WIDE_OWN if own else _WIDE_INCLUDED
        if int(term.network.rpartition("/")[2]) <= limits[term.kind]:
            self.warnings.append(Note("wide", name, term.text))


def walk(domain: str, answers: Answers) -> SpfWalk:
    """The tree of `domain` as far as `answers` reach; ask `needed` and walk again until it is empty."""
    walker = _Walker(domain, answers)
    with walker.branch(0, domain, cost=0):
        ending = walker.visit(domain, (), "")
    if ending == "+":
        walker.problems.append(Note("plus_all", domain))
    if walker.lookups > MAX_LOOKUPS:
        walker.problems.append(Note("lookups", domain, str(walker.lookups)))
    elif walker.lookups >= MAX_LOOKUPS - 2:
        walker.warnings.append(Note("near_limit", domain, str(walker.lookups)))
    if walker.voids > MAX_VOIDS:
        walker.problems.append(Note("voids", domain, str(walker.voids)))
    if ending in ("", "?"):
        walker.warnings.append(Note("open_end", domain))
    return SpfWalk(
        walker.lookups,
        walker.voids,
        ending,
        tuple(walker.problems),
        tuple(walker.warnings),
        tuple(walker.macros),
        tuple(walker.unseen.items()),
        tuple(walker.needed)[:MAX_QUESTIONS],
        tuple(walker.steps),
        tuple(branch for branch in walker.tree if branch is not None),
    )


@lru_cache(maxsize=32)
def _read(text: str) -> SpfRecord | str:
    """The record, or what is wrong with it; kept, because every round of questions walks the tree again."""
    try:
        return parse_spf(text)
    except ParseError as error:
        return str(error)
