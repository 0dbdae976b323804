"""What a warning names, and whether an instance runs it: by CPE where the entry has any, else by whole words
of its title.  Never by its summary: names stand there for comparison, too.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from django.db import connection, transaction

from checks.data.support import stack as known_stack
from fedisec.watch.models import Concern, Entry, SourceKind, Stack

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
    """Compares the entries that nobody compared yet with what every instance runs.  Returns how many concern
    somebody; safe to call from several processes."""
    made = 0
    while True:
        with transaction.atomic():
            rows = Entry.objects.filter(matched=False).select_related("source").order_by("pk")
            if connection.features.has_select_for_update_skip_locked:
                rows = rows.select_for_update(skip_locked=True, of=("self",))
            entries = list(rows[:BATCH])
            if not entries:
                return made
            stacks = list(Stack.objects.filter(instance__demo=False))
            found = _concerns(entries, stacks, now)
            Concern.objects.bulk_create(found, ignore_conflicts=True)
            Entry.objects.filter(pk__in=[entry.pk for entry in entries]).update(matched=True)
            made += len(found)


def match_stacks(stacks: Iterable[Stack], now: datetime) -> None:
    """Compares the entries of the last weeks with instances that are new, or run something new.  Of these
    nobody is told: they are on the reading list."""
    stacks = list(stacks)
    if not stacks:
        return
    entries = Entry.objects.filter(
        matched=True, source__kind=SourceKind.WARNINGS, published_at__gte=now - LOOKED_BACK
    )
    found = _concerns(entries.select_related("source").order_by("pk"), stacks, now)
    for one in found:
        one.told_at = now
    Concern.objects.bulk_create(found, ignore_conflicts=True)


def _concerns(entries: Iterable[Entry], stacks: Iterable[Stack], now: datetime) -> list[Concern]:
    by_product = _by_product(stacks)
    found = []
    for entry in entries:
        about = entry.source.about
        named = names_in(entry.title, entry.data.get("cpe", ()), distribution=bool(about))
        seen: set[int] = set()
        for one in named[:NAMED_MAX]:
            for stack in by_product.get(one.product, ()):
                if stack.pk in seen or (about and about != stack.distribution):
                    continue
                seen.add(stack.pk)
                found.append(_concern(entry, stack, one, now))
    return found


def _concern(entry: Entry, stack: Stack, named: Named, now: datetime) -> Concern:
    concern = Concern(
        instance_id=stack.pk,
        entry=entry,
        story=entry.story or f"e{entry.pk}",
        product=named.product,
        matched=named.matched[:60],
        by_cpe=named.by_cpe,
        created_at=now,
    )
    if entry.data.get("first"):  # the first reading of a feed tells nothing
        concern.told_at = now
    return concern


def _by_product(stacks: Iterable[Stack]) -> Mapping[str, list[Stack]]:
    found: dict[str, list[Stack]] = defaultdict(list)
    for stack in stacks:
        names = {name for name, _ in stack.products} | {stack.software, stack.family}
        for name in names - {""}:
            found[name].append(stack)
    return found


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
    listed = known_stack().get(name)
    return listed[0] if listed else _titles().get(name, name)


@cache
def _titles() -> Mapping[str, str]:
    table = tomllib.loads(files(__package__).joinpath("data", "products.toml").read_text(encoding="utf-8"))
    return {name: row["words"][0] for name, row in table["product"].items()}
