"""The overview: all instances of a reader from counts that are kept, so that a thousand cost few queries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from checks.items import all_items
from checks.model import Item, Level
from fedisec.accounts.models import User
from fedisec.checklist import own
from fedisec.checklist.board import LevelCount, Posture
from fedisec.checklist.daily import standings_of
from fedisec.checklist.ending import AHEAD_DAYS, ASKED_AGAIN_AFTER, Ending, ending
from fedisec.checklist.models import Attestation, OwnItem, Waiver
from fedisec.checklist.next_actions import SHOWN
from fedisec.checklist.sentence import sentence
from fedisec.checklist.state import State
from fedisec.checklist.trouble import Condition, Trouble, troubles_of
from fedisec.history.models import Standing
from fedisec.history.standing import applicable
from fedisec.history.trend import sparkline
from fedisec.instances.access import instances_for
from fedisec.instances.models import Instance, Tag
from fedisec.scans.models import LIVE, Scan

PER_PAGE = 50
NAMED_PER_ACTION = 3


@dataclass(frozen=True)
class Brief:
    """One instance as far as sorting, filtering and adding up need it."""

    id: int
    domain: str
    required_not_met: int
    required_met: bool  # all that apply are
    software: str
    looked_at: datetime | None  # end of the last look that ended well
    is_live: bool
    troubles: tuple[Trouble, ...]
    unreached_since: datetime | None
    worse: int
    better: int
    unseen: int
    actions: Sequence[tuple[int, str, str]]  # (weight, item id, state)
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
    def needs_a_hand(self) -> bool:
        return bool(self.required_not_met) or any(trouble.is_urgent for trouble in self.troubles)

    @property
    def changed(self) -> bool:
        return bool(self.worse or self.better or self.unseen)

    @property
    def software_name(self) -> str:
        """Without the version."""
        name, _, version = self.software.rpartition(" ")
        return name if name and version[:1].isdigit() else self.software

    def is_in(self, condition: Condition) -> bool:
        """Whether the filter for `condition` shows this one."""
        if condition is Condition.NEEDS_A_HAND:
            return self.needs_a_hand
        if condition is Condition.NOT_MET:
            return bool(self.required_not_met)
        if condition is Condition.MET:
            return self.required_met
        if condition is Condition.CHANGED:
            return self.changed
        return Trouble(condition.value) in self.troubles


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
    places: tuple[Brief, ...]  # NAMED_PER_ACTION at most
    has_more: bool


@dataclass(frozen=True)
class Totals:
    """What the sentence over all instances says."""

    instances: int
    needing: int
    not_met: int
    all_met: int
    scanned: int
    first_needing: Brief | None = None
    troubles: Mapping[Trouble, int] = field(default_factory=dict)


_NEWEST = Scan.objects.filter(instance=OuterRef("pk")).order_by("-pk")
_COLUMNS = (
    "pk",
    "domain",
    "team",
    "team__name",
    "paused",
    "demo",
    "standing__required_not_met",
    "standing__counts",
    "standing__software",
    "glance__worse",
    "glance__better",
    "glance__unseen",
    "glance__unreached_since",
    "glance__actions",
    "ssh_access__changed_at",
)


def briefs_of(user: User) -> list[Brief]:
    """Every instance of `user`, those that need a hand first, then by domain.  Two queries."""
    mine = Instance.objects.filter(pk__in=instances_for(user).values("pk")).annotate(
        newest=Subquery(_NEWEST.values("state")[:1]),
        looked_at=Subquery(_NEWEST.whole().values("finished_at")[:1]),
    )
    tags: dict[int, list[str]] = {}
    for pk, name in Tag.objects.filter(instance__in=mine.values("pk")).values_list("instance_id", "name"):
        tags.setdefault(pk, []).append(name)
    rows = list(mine.values("newest", "looked_at", *_COLUMNS))
    domains = Counter(row["domain"] for row in rows)
    found = [_brief(row, tuple(tags.get(row["pk"], ())), domains[row["domain"]] > 1) for row in rows]
    return sorted(found, key=lambda b: (not b.needs_a_hand, -b.required_not_met, b.domain))


def _brief(row: Mapping[str, Any], tags: tuple[str, ...], names_team: bool) -> Brief:
    required = (row["standing__counts"] or {}).get(Level.REQUIRED.value, {})
    looked_at = row["looked_at"]
    return Brief(
        id=row["pk"],
        domain=row["domain"],
        required_not_met=row["standing__required_not_met"] or 0,
        required_met=bool(looked_at and required) and required.get(State.MET, 0) == applicable(required),
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
        actions=(row["glance__actions"] or ()) if looked_at else (),
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


def totals_of(briefs: Sequence[Brief]) -> Totals:
    needing = [brief for brief in briefs if brief.needs_a_hand]
    counted: dict[Trouble, int] = {}
    for brief in briefs:
        for trouble in brief.troubles:
            counted[trouble] = counted.get(trouble, 0) + 1
    return Totals(
        instances=len(briefs),
        needing=len(needing),
        not_met=sum(brief.required_not_met for brief in briefs),
        all_met=sum(brief.required_met for brief in briefs),
        scanned=sum(brief.looked_at is not None for brief in briefs),
        first_needing=needing[0] if needing else None,
        troubles={trouble: counted[trouble] for trouble in Trouble if trouble in counted},
    )


def actions_of(briefs: Iterable[Brief], count: int = SHOWN) -> list[Action]:
    """The weightiest things to do over all of them; the same item on several instances is one thing.  One
    query where a team's own item is among them."""
    places: dict[str, list[Brief]] = {}
    best: dict[str, tuple[int, str]] = {}
    for brief in briefs:
        for weight, item_id, state in brief.actions:
            places.setdefault(item_id, []).append(brief)
            best[item_id] = max(best.get(item_id, (0, "")), (weight, state))
    order = sorted(best, key=lambda key: (-best[key][0], -len(places[key]), key))
    items = _items(order[: 2 * count])  # some may be gone since they were counted
    return [
        Action(
            items[key],
            State(best[key][1]),
            best[key][0],
            tuple(places[key][:NAMED_PER_ACTION]),
            len(places[key]) > NAMED_PER_ACTION,
        )
        for key in order
        if key in items
    ][:count]


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


def ending_soon(briefs: Sequence[Brief], count: int) -> list[Ending]:
    """The first answers and waivers to end on any of them.  Seven queries at most, and no more objects than
    the ones that may be shown."""
    now = timezone.now()
    names_team = {brief.id: brief.names_team for brief in briefs}
    ids = list(names_team)
    soon = Q(valid_until__gt=now, valid_until__lte=now + timedelta(days=AHEAD_DAYS))
    asked_again = Q(valid_until=None, created_at__lte=now - timedelta(days=ASKED_AGAIN_AFTER - AHEAD_DAYS))
    places: set[int] = set()
    for found in (Attestation.objects.filter(soon), Waiver.objects.filter(soon | asked_again)):
        first = found.filter(instance__in=ids, ended_at=None).order_by("valid_until")
        # More than are shown: what the machine says is met is left out of the list.
        places.update(first.values_list("instance", flat=True)[: 3 * count])
    instances = list(Instance.objects.filter(pk__in=places)) if places else []
    for instance in instances:
        instance.names_team = names_team[instance.pk]
    return ending(instances, now=now)[:count] if instances else []
