"""What a warning names, and whether an instance runs it: by CPE where the entry has any, else by whole words
of its title.  Never by its summary: names stand there for comparison, too.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from django.db import connection, transaction

from checks.data.support import product_titles
from fedisec.watch import judging, lines
from fedisec.watch.models import Concern, Entry, SourceKind, Stack, Verdict

BATCH = 500
LOOKED_BACK = timedelta(days=30)  # of an instance that is new, or runs something new
NAMED_MAX = 5  # products named of one entry


@dataclass(frozen=True, slots=True)
class Named:
    """A product that an entry names: by which name."""

    product: str
    matched: str
    by_cpe: bool


@dataclass(frozen=True, slots=True)
class _Product:
    name: str
    cpes: frozenset[str]
    words: re.Pattern[str]
    not_words: re.Pattern[str] | None
    of_distribution: re.Pattern[str]


def names_in(title: str, cpes: Iterable[str], *, distribution: bool = False) -> tuple[Named, ...]:
    """The products that an entry is about.  `distribution`: it is a distribution's, whose titles name source
    packages."""
    return _names_in(title, tuple(cpes), distribution)


@lru_cache(maxsize=8192)
def _names_in(title: str, cpes: tuple[str, ...], distribution: bool) -> tuple[Named, ...]:
    if cpes:
        found = {one.product: one for cpe in cpes for one in _by_cpe().get(cpe, ())}
        return tuple(found.values())
    named = []
    for product in _products():
        text = product.not_words.sub(" ", title) if product.not_words else title
        match = (product.of_distribution if distribution else product.words).search(text)
        if match:
            named.append(Named(product.name, match[0], by_cpe=False))
    return tuple(named)


def match_new(now: datetime) -> int:
    """Compares the entries that nobody compared yet with what every instance runs.  Returns how many lines
    that made; safe to call from several processes."""
    if not Entry.objects.filter(matched=False).exists():
        return 0
    runs = _Runs(Stack.objects.filter(instance__demo=False))
    made = 0
    while True:
        with transaction.atomic():
            rows = Entry.objects.filter(matched=False).select_related("source").order_by("pk")
            if connection.features.has_select_for_update_skip_locked:
                rows = rows.select_for_update(skip_locked=True, of=("self",))
            entries = list(rows[:BATCH])
            if not entries:
                return made
            made += sum(runs.add_lines(entry, now) for entry in entries)
            Entry.objects.filter(pk__in=[entry.pk for entry in entries]).update(matched=True)


def match_stacks(stacks: Iterable[Stack], now: datetime) -> None:
    """Compares the entries of the last weeks with instances that are new, or run something new.  Of these
    nobody is told: they are on the reading list."""
    stacks = list(stacks)
    if not stacks:
        return
    entries = Entry.objects.filter(
        matched=True, source__kind=SourceKind.WARNINGS, published_at__gte=now - LOOKED_BACK
    )
    runs = _Runs(stacks)
    with transaction.atomic():
        for entry in entries.select_related("source").order_by("pk"):
            runs.add_lines(entry, now, told=True)


class _Runs:
    """What instances run, by product."""

    def __init__(self, stacks: Iterable[Stack]) -> None:
        self._stacks = {stack.pk: stack for stack in stacks}
        self._by_product = _by_product(self._stacks.values())
        self._asked: dict[tuple[str, str], tuple[list[int], list[Stack]]] = {}
        self._flaws = judging.flaws_of(self._stacks.values())

    def add_lines(self, entry: Entry, now: datetime, *, told: bool = False) -> int:
        """A line for each instance that runs what an entry names and has none of its story.  `told`: nobody
        hears of them; nor of the first reading of a feed, nor of what a distribution has repaired there."""
        about, story, made = entry.source.about, entry.story or f"e{entry.pk}", 0
        named = names_in(entry.title, entry.data.get("cpe", ()), distribution=bool(about))
        told_at = now if told or entry.data.get("first") else None
        for one in named[:NAMED_MAX]:
            ids, judged = self._asked_of(one.product, about)
            said: lines.Said = {
                "story": story,
                "product": one.product,
                "matched": one.matched[:60],
                "by_cpe": one.by_cpe,
                "created_at": now,
                "told_at": told_at,
            }
            if ids:
                made += lines.add(entry, ids, said)
            made += len(self._add_judged(entry, judged, said, now))
        return made

    def _asked_of(self, product: str, about: str) -> tuple[list[int], list[Stack]]:
        """Instances of which nobody but upstream judges the product, and those whose distribution does."""
        key = (product, about)
        if key not in self._asked:
            mine = [stack for stack in self._by_product.get(product, ()) if _is_asked(product, about, stack)]
            judged = [
                stack
                for stack in mine
                if product in stack.owned and (stack.release, stack.owned[product]) in self._flaws
            ]
            others = {stack.pk for stack in mine} - {stack.pk for stack in judged}
            self._asked[key] = (sorted(others), judged)
        return self._asked[key]

    def _add_judged(
        self, entry: Entry, stacks: Sequence[Stack], said: lines.Said, now: datetime
    ) -> list[Concern]:
        made = [Concern(instance_id=stack.pk, entry=entry, **said) for stack in stacks]
        for concern, stack in zip(made, stacks, strict=True):
            judging.judge(concern, stack, self._flaws)
            if concern.verdict == Verdict.REPAIRED:
                concern.told_at = now
        return Concern.objects.bulk_create(made, ignore_conflicts=True)


def _is_asked(product: str, about: str, stack: Stack) -> bool:
    """Whether a warning about a product is for who has this stack: a distribution's are for its own, and of
    kernels nobody but the distribution knows which are hit."""
    if about:
        return about == stack.distribution
    return product != "linux" or stack.distribution not in judging.JUDGED


def _by_product(stacks: Iterable[Stack]) -> Mapping[str, list[Stack]]:
    found: dict[str, list[Stack]] = defaultdict(list)
    for stack in stacks:
        names = {name for name, _ in stack.products} | {stack.software, stack.family}
        for name in names - {""}:
            found[name].append(stack)
    return found


def cpes_of(products: Iterable[str]) -> list[str]:
    """ "vendor:product" of the products of these names."""
    wanted = set(products)
    return sorted({cpe for product in _products() if product.name in wanted for cpe in product.cpes})


@cache
def _by_cpe() -> Mapping[str, list[Named]]:
    found: dict[str, list[Named]] = defaultdict(list)
    for product in _products():
        for cpe in product.cpes:
            found[cpe].append(Named(product.name, cpe, by_cpe=True))
    return found


@cache
def _products() -> tuple[_Product, ...]:
    table = tomllib.loads(files(__package__).joinpath("data", "products.toml").read_text(encoding="utf-8"))
    return tuple(_product(name, row) for name, row in table["product"].items())


def _product(name: str, row: Mapping[str, Any]) -> _Product:
    without = row.get("not_words", ())
    return _Product(
        name,
        frozenset(row["cpe"]),
        _pattern(row["words"]),
        _pattern(without) if without else None,
        _pattern([*row["words"], *row.get("debian_words", ())]),
    )


def _pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Whole words: no letter or digit beside them, nor a hyphen and a letter (php-imap is not PHP).  Japanese
    stands beside a name without a space, so only ASCII counts as a letter."""
    longest = sorted(words, key=len, reverse=True)
    any_of = "|".join(re.escape(word) for word in longest)
    return re.compile(
        rf"(?<![A-Za-z0-9_.])(?<![A-Za-z0-9]-)(?:{any_of})(?![A-Za-z0-9_]|-[A-Za-z])", re.IGNORECASE
    )


def product_title(name: str) -> str:
    """As people write it; the name itself where no table says."""
    return product_titles().get(name) or _titles().get(name, name)


@cache
def _titles() -> Mapping[str, str]:
    table = tomllib.loads(files(__package__).joinpath("data", "products.toml").read_text(encoding="utf-8"))
    return {name: row["words"][0] for name, row in table["product"].items()}
