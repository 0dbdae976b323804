"""Of the ways to mend something, the one for this instance's own software comes first."""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.model import Item, Text
from fedisec.instances.models import Instance
from fedisec.scans.models import ItemState

# What other items saw of an instance, the surest first: its software, its system, all that it runs.
_TELLING = ("plan.software_fits", "host.os_supported", "updates.inventory_known")
_FAMILY = {
    "almalinux": "rhel",
    "rocky": "rhel",
    "centos": "rhel",
    "oracle": "rhel",
    "raspbian": "debian",
    "mint": "ubuntu",
    "valkey": "redis",
    "hometown": "mastodon",
}
_WORD = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Way:
    """One variant of a fix.  `own`: for something that this instance was seen to run."""

    name: str
    text: Text
    own: bool


def ways_of(item: Item, instance: Instance, known: list[set[str]] | None = None) -> list[Way]:
    """The variants of the item's fix, what the instance runs first; the order of the item otherwise.
    `known`: `known_of(instance)`, where many items are shown."""
    variants = item.fix.variants
    if not variants:
        return []
    known = known_of(instance) if known is None else known
    ranked = sorted(variants, key=lambda variant: _rank(variant[0], known))
    return [Way(name, text, _rank(name, known) < len(known)) for name, text in ranked]


def known_of(instance: Instance) -> list[set[str]]:
    """Words for what was seen of `instance`, as sets, the surest first."""
    states = ItemState.objects.filter(instance=instance, item_id__in=_TELLING)
    seen = {state.item_id: state for state in states.only("item_id", "data", "evidence")}
    return [_words_of(seen[key]) if key in seen else set() for key in _TELLING]


def _words_of(state: ItemState) -> set[str]:
    texts = [str(state.data.get(name, "")) for name in ("name", "release")]
    if state.item_id == _TELLING[-1]:
        texts += [_names(text) for _, text in state.evidence]
    words = set(_WORD.findall(" ".join(texts).casefold()))
    return words | {_FAMILY[word] for word in words & _FAMILY.keys()}


def _names(listing: str) -> str:
    """The first word of each line: the program, without its version and package."""
    return " ".join(line.split(" ", 1)[0] for line in listing.splitlines())


def _rank(name: str, known: list[set[str]]) -> int:
    """The place of the first set that the label has a word in common with."""
    words = set(_WORD.findall(name.casefold()))
    return next((place for place, seen in enumerate(known) if words & seen), len(known))
