"""What the inventory page shows: every part with its version, its source and its end.  Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from checks.data.support import Tables, tables
from checks.facts import Facts, Missing, MissingFact
from checks.facts.inside import Inside
from checks.parse.host.versions import images_hidden, inventory
from fedisec.watch.parts import Kind, Part, Source, Stated, parts_of, seen_outside
from fedisec.watch.placing import Placed, Standing, placed


@dataclass(frozen=True, slots=True)
class Inventory:
    """`by_hand`: in the order of the lines that were given.  `outside`: what strangers are told, as told.
    `unread`: why the programs could not be read, None where they could."""

    system: tuple[Placed, ...] = ()
    software: tuple[Placed, ...] = ()
    stack: tuple[Placed, ...] = ()
    others: tuple[Placed, ...] = ()
    by_hand: tuple[Placed, ...] = ()
    outside: tuple[Part, ...] = ()
    unread: Missing | None = None
    images_hidden: bool = False

    @property
    def near(self) -> tuple[Placed, ...]:
        """What has ended or will soon, the earliest first."""
        everything = (*self.system, *self.software, *self.stack, *self.by_hand)
        found = [one for one in everything if one.support.standing in {Standing.ENDED, Standing.SOON}]
        # Packages of an ended system end with it, and are one thing to do.
        found = [one for one in found if one.part.source is not Source.DISTRIBUTION]
        return tuple(sorted(found, key=lambda one: _last_day(one) or date.min))


def _last_day(one: Placed) -> date | None:
    return max((end.day for end in one.support.ends), default=None)


def inventory_of(
    outside: Facts,
    inside: Inside | None,
    today: date,
    known: Tables | None = None,
    stated: Sequence[Stated] = (),
) -> Inventory:
    """`inside` may come from another, older look than `outside`; `known` None: the shipped tables."""
    known = known or tables()
    everything = placed(parts_of(outside, inside, stated), known, today)
    seen = [one for one in everything if one.part.source is not Source.HAND]
    programs = [
        one for one in seen if one.part.kind is Kind.PROGRAM and one.part.source is not Source.OUTSIDE
    ]
    unread = _unread(inside)
    return Inventory(
        system=tuple(one for one in seen if one.part.kind in {Kind.SYSTEM, Kind.KERNEL}),
        software=tuple(one for one in seen if one.part.kind is Kind.SOFTWARE),
        stack=tuple(one for one in programs if one.part.name in known.stack),
        others=tuple(one for one in programs if one.part.name not in known.stack),
        by_hand=tuple(one for one in everything if one.part.source is Source.HAND),
        outside=seen_outside(outside),
        unread=unread,
        images_hidden=inside is not None and unread is None and images_hidden(inside),
    )


def _unread(inside: Inside | None) -> Missing | None:
    if inside is None:
        return None
    try:
        inventory(inside)
    except MissingFact as error:
        return error.missing
    return None
