"""The overview: all instances of a reader, from counts that are kept, so that thousands cost few queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone

from checks.items import all_items
from checks.model import Item, Level
from fedisec.checklist import own
from fedisec.checklist.board import LevelCount, Posture
from fedisec.checklist.daily import standings_of
from fedisec.checklist.ending import AHEAD_DAYS, ASKED_AGAIN_AFTER, Ending, ending
from fedisec.checklist.listing import Listing, newest_looks
from fedisec.checklist.models import Attestation, OwnItem, Waiver
from fedisec.checklist.next_actions import SHOWN
from fedisec.checklist.sentence import sentence
from fedisec.checklist.sieve import Sieve
from fedisec.checklist.state import State
from fedisec.checklist.trouble import Condition, Trouble, troubles_of
from fedisec.history.models import Standing
from fedisec.history.standing import applicable
from fedisec.history.trend import sparkline
from fedisec.instances.models import Instance, NextAction, Tag
from fedisec.scans.models import LIVE

PER_PAGE = 50
NAMED_PER_ACTION = 3


@dataclass(frozen=True)
class Brief:
    """One instance of the page."""

    id: int
    domain: str
    software: str
    looked_at: datetime | None  # end of the last look that ended well
    is_live: bool
    troubles: tuple[Trouble, ...]
    unreached_since: datetime | None
    worse: int
    better: int
    unseen: int
    tags: tuple[str, ...] = ()
    demo: bool = False
    team_id: int = 0
    team: str = ""
    names_team: bool = False  # another team of the reader watches the same domain

    @property
    def address(self) -> str:
        """What stands for it in the addresses of its pages."""
        return f"{self.domain}~{self.team_id}" if self.names_team else self.domain

    @property
    def name(self) -> str:
        return Instance(domain=self.domain).name if "xn--" in self.domain else self.domain

    @property
    def changed(self) -> bool:
        return bool(self.worse or self.better or self.unseen)


@dataclass(frozen=True)
class Line:
    """One instance on the page."""

    brief: Brief
    posture: Posture
    sentence: str
    trend: str = ""  # safe SVG


@dataclass(frozen=True)
class Action:
    """One thing to do, and where."""

    item: Item
    state: State
    weight: int
    places: tuple[Instance, ...]  # NAMED_PER_ACTION at most
    has_more: bool


@dataclass(frozen=True)
class Totals:
    """What the sentence over all instances says."""

    instances: int
    needing: int
    not_met: int
    all_met: int
    scanned: int
    first_needing: str = ""  # the name of the one to begin with
    troubles: Mapping[Trouble, int] = field(default_factory=dict)


_COLUMNS = (
    "pk",
    "domain",
    "team",
    "team__name",
    "paused",
    "demo",
    "newest",
    "standing__software",
    "glance__looked_at",
    "glance__worse",
    "glance__better",
    "glance__unseen",
    "glance__unreached_since",
    "ssh_access__changed_at",
)


def briefs_of(listing: Listing, found: QuerySet[Instance]) -> list[Brief]:
    """The instances of one page, in the order of `found`.  Three queries at most."""
    rows = list(newest_looks(found).values(*_COLUMNS))
    tags: dict[int, list[str]] = {}
    for pk, name in Tag.objects.filter(instance__in=[row["pk"] for row in rows]).values_list(
        "instance_id", "name"
    ):
        tags.setdefault(pk, []).append(name)
    shared = listing.shared({row["domain"] for row in rows})
    return [_brief(row, tuple(tags.get(row["pk"], ())), row["domain"] in shared) for row in rows]


def _brief(row: Mapping[str, Any], tags: tuple[str, ...], names_team: bool) -> Brief:
    looked_at = row["glance__looked_at"]
    return Brief(
        id=row["pk"],
        domain=row["domain"],
        software=row["standing__software"] or "",
        looked_at=looked_at,
        is_live=row["newest"] in LIVE,
        troubles=troubles_of(
            paused=row["paused"] and not row["demo"],
            newest=row["newest"] or "",
            looked_at=looked_at,
            host_key_changed=row["ssh_access__changed_at"] is not None,
            unreached_since=row["glance__unreached_since"],
        ),
        unreached_since=row["glance__unreached_since"],
        worse=row["glance__worse"] or 0,
        better=row["glance__better"] or 0,
        unseen=row["glance__unseen"] or 0,
        tags=tags,
        demo=row["demo"],
        team_id=row["team"],
        team=row["team__name"],
        names_team=names_team,
    )


def lines_of(briefs: Sequence[Brief]) -> list[Line]:
    """The lines of a page, in the order of `briefs`: three queries, more while a count is out of date."""
    instances = list(Instance.objects.filter(pk__in=[brief.id for brief in briefs]))
    standings, trends = standings_of(instances), sparkline(instances)
    return [
        _line(brief, standings[brief.id], trends.get(brief.id, ""))
        for brief in briefs
        if brief.id in standings
    ]


def _line(brief: Brief, standing: Standing, trend: str) -> Line:
    where = posture_of(standing)
    scanned = brief.looked_at is not None
    said = sentence(where, scanned=scanned, failed=Trouble.FAILED in brief.troubles)
    return Line(brief, where, said, trend if scanned else "")


def posture_of(standing: Standing) -> Posture:
    """The counts that were kept, in the form that a page of one instance makes of its rows."""
    states: dict[State, int] = {}
    for found in standing.counts.values():
        for state, number in found.items():
            states[State(state)] = states.get(State(state), 0) + number
    levels = tuple(
        LevelCount(level, found.get(State.MET, 0), applicable(found), found.get(State.ACCEPTED, 0))
        for level in Level
        for found in (standing.counts.get(level.value, {}),)
    )
    return Posture(
        levels,
        states,
        standing.required_not_met,
        standing.not_met_since,
        standing.new,
        states.get(State.NEEDS_YOU, 0),
        states.get(State.COULD_NOT_CHECK, 0),
    )


def totals_of(listing: Listing) -> Totals:
    """Two queries, and one for the failed looks."""
    counts = listing.counts()
    needing, first = counts[Condition.NEEDS_A_HAND], None
    if needing:
        first = listing.ordered(listing.fitting(Sieve(condition=Condition.NEEDS_A_HAND))).first()
    return Totals(
        instances=counts["instances"],
        needing=needing,
        not_met=counts["items_not_met"],
        all_met=counts[Condition.MET],
        scanned=counts["scanned"],
        first_needing=first.name if first is not None else "",
        troubles={trouble: counts[trouble] for trouble in Trouble if counts[trouble]},
    )


def actions_of(listing: Listing, found: QuerySet[Instance], count: int = SHOWN) -> list[Action]:
    """The weightiest things to do on `found`; the same item on several instances is one thing.  One query,
    one for each that is shown, and one where a team's own item is among them."""
    mine = NextAction.objects.filter(instance__in=found)
    best = mine.values("item_id").annotate(heaviest=Max("weight"), places=Count("pk"))
    heaviest = best.order_by("-heaviest", "-places", "item_id").values_list("item_id", flat=True)
    order = list(heaviest[: 2 * count])
    items = _items(order)  # some may be gone since they were counted
    found_now = (_action(mine, items[key]) for key in order if key in items)
    return _told_apart(listing, list(islice((action for action in found_now if action), count)))


def _action(mine: QuerySet[NextAction], item: Item) -> Action | None:
    """None where a look that ended in between has just done away with it."""
    where = list(
        mine.filter(item_id=item.id)
        .order_by("-weight", "instance")
        .select_related("instance")[: NAMED_PER_ACTION + 1]
    )
    if not where:
        return None
    places = tuple(one.instance for one in where[:NAMED_PER_ACTION])
    return Action(item, State(where[0].state), where[0].weight, places, len(where) > NAMED_PER_ACTION)


def _told_apart(listing: Listing, actions: list[Action]) -> list[Action]:
    places = [place for action in actions for place in action.places]
    shared = listing.shared({place.domain for place in places})
    for place in places:
        place.names_team = place.domain in shared
    return actions


def _items(ids: Sequence[str]) -> dict[str, Item]:
    """The items of these ids that still exist."""
    catalogue = all_items()
    found = {key: catalogue[key] for key in ids if key in catalogue}
    numbers = [int(key.partition(".")[2]) for key in ids if key.startswith(f"{own.TOPIC}.")]
    if numbers:
        found |= {
            item.id: item
            for item in map(own.item_of, OwnItem.objects.filter(pk__in=numbers, retired_at=None))
        }
    return found


def ending_soon(listing: Listing, found: QuerySet[Instance], count: int) -> list[Ending]:
    """The first answers and waivers to end on any of them.  Eight queries at most, and no more objects than
    the ones that may be shown."""
    now = timezone.now()
    soon = Q(valid_until__gt=now, valid_until__lte=now + timedelta(days=AHEAD_DAYS))
    asked_again = Q(valid_until=None, created_at__lte=now - timedelta(days=ASKED_AGAIN_AFTER - AHEAD_DAYS))
    places: set[int] = set()
    for said in (Attestation.objects.filter(soon), Waiver.objects.filter(soon | asked_again)):
        first = said.filter(instance__in=found, ended_at=None).order_by("valid_until")
        # More than are shown: what the machine says is met is left out of the list.
        places.update(first.values_list("instance", flat=True)[: 3 * count])
    instances = list(Instance.objects.filter(pk__in=places)) if places else []
    shared = listing.shared({instance.domain for instance in instances})
    for instance in instances:
        instance.names_team = instance.domain in shared
    return ending(instances, now=now)[:count] if instances else []
