"""The checklist of one instance as its page shows it: rows and posture.  Four queries, whatever its size."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from django.db.models import QuerySet
from django.utils import timezone

from checks.errors import Reason
from checks.items import TOPICS, all_items
from checks.model import Item, Level, Status, Text
from checks.reasons import REASONS
from fedisec.checklist import own
from fedisec.checklist.models import Attestation, Waiver
from fedisec.checklist.state import Effective, Said, Seen, State, Waived, effective
from fedisec.instances.models import Instance
from fedisec.scans.models import ItemState

NEW_FOR = timedelta(hours=24)

_NOT_SCANNED = Text("Not scanned yet.", "まだスキャンされていません。")
_ASKED = Text("Only you can answer this.", "あなただけが答えられる項目です。")


@dataclass(frozen=True)
class Row:
    """One item on one instance, with everything its page needs."""

    item: Item
    state: Effective
    machine: ItemState | None
    attestation: Attestation | None
    waiver: Waiver | None

    @property
    def is_new(self) -> bool:
        """Not met for less than a day, after it had been met."""
        machine = self.machine
        return (
            self.state.state is State.NOT_MET
            and machine is not None
            and machine.settled_since is not None
            and machine.alerted
            and machine.settled_since > timezone.now() - NEW_FOR
        )

    @property
    def being_confirmed(self) -> bool:
        """Seen once; a second look follows before anybody is told."""
        return self.machine is not None and self.machine.candidate == "fail"

    @property
    def waits_for_ssh(self) -> bool:
        """Would be seen if fedisec were connected."""
        return self.machine is not None and self.machine.reason == Reason.NOT_CONNECTED

    @property
    def ssh_failed(self) -> bool:
        """fedisec is connected, and what it needs was not shown."""
        return self.machine is not None and self.machine.reason in _SSH_FAILED

    def summary(self, language: str) -> str:
        """The sentence for what the machine found, or why it found nothing."""
        machine = self.machine
        if machine is None or (machine.status == Status.MANUAL and not machine.code):
            return (_ASKED if self.item.takes_answers else _NOT_SCANNED).in_language(language)
        text = self.item.codes.get(machine.code)
        if text is not None:
            return text.filled(language, machine.data)
        try:
            return REASONS[Reason(machine.reason)].in_language(language)
        except ValueError:  # a code of an older version
            return machine.code


_SSH_FAILED = frozenset({Reason.KEY_REFUSED, Reason.HOST_KEY_CHANGED, Reason.DENIED, Reason.NO_SHELL})
_ASKING = frozenset({State.NOT_MET, State.WARNING, State.NEEDS_YOU, State.COULD_NOT_CHECK})


@dataclass(frozen=True)
class LevelCount:
    """Met of applicable; accepted ones stand apart."""

    level: Level
    met: int
    applicable: int
    accepted: int


@dataclass(frozen=True)
class Posture:
    """Where an instance stands."""

    levels: tuple[LevelCount, ...]
    states: Mapping[State, int]
    required_not_met: int
    not_met_since: datetime | None  # since when the oldest of them is not met
    new: int  # of the required ones
    needs_you: int
    unseen: int

    @property
    def present(self) -> list[tuple[State, int]]:
        """The states that occur, with their counts, in the order of `State`."""
        return [(state, self.states[state]) for state in State if self.states.get(state)]

    @property
    def asking(self) -> list[tuple[State, int]]:
        """Of these, the states in which somebody has something to do or to know."""
        return [(state, count) for state, count in self.present if state in _ASKING]

    @property
    def behind(self) -> str:
        """The filter that lists what the sentence of the page counts."""
        if self.required_not_met:
            return f"level={Level.REQUIRED}&state={State.NOT_MET}"
        return f"state={State.NEEDS_YOU}" if self.needs_you else f"level={Level.REQUIRED}"


@dataclass(frozen=True)
class Topic:
    """A topic with the rows that a filter left in it."""

    id: str
    title: Text
    rows: tuple[Row, ...]
    met: int
    applicable: int


def rows_of(instance: Instance, *, now: datetime | None = None) -> list[Row]:
    """Every item of the catalogue, and then the team's own, with its state on `instance`, in the order of the
    checklist."""
    return rows_of_all([instance], ItemState.objects.all(), now=now)[instance.pk]


def rows_of_all(
    instances: Sequence[Instance], states: QuerySet[ItemState], *, now: datetime | None = None
) -> dict[int, list[Row]]:
    """The same for many: instance id -> rows, in as many queries as for one.  `states` says which columns of
    the machine's side are wanted."""
    now, asked = now or timezone.now(), own.items_by_instance(instances)
    machine = _by_instance(states.filter(instance__in=instances))
    spoken = {"instance__in": instances, "ended_at": None}
    said = _by_instance(Attestation.objects.filter(**spoken).select_related("by"))
    waived = _by_instance(Waiver.objects.filter(**spoken).select_related("by"))
    return {
        pk: [
            make_row(item, machine[pk].get(key), said[pk].get(key), waived[pk].get(key), now)
            for key, item in [*all_items().items(), *((item.id, item) for item in asked[pk])]
        ]
        for pk in (instance.pk for instance in instances)
    }


class _Entry(Protocol):
    """What the three models have in common."""

    instance_id: int
    item_id: str


E = TypeVar("E", bound=_Entry)


def _by_instance(entries: Iterable[E]) -> dict[int, dict[str, E]]:
    grouped: dict[int, dict[str, E]] = defaultdict(dict)
    for entry in entries:
        grouped[entry.instance_id][entry.item_id] = entry
    return grouped


def row_of(instance: Instance, item: Item, *, now: datetime | None = None) -> Row:
    """One item with its state on `instance`."""
    key = item.id
    return make_row(
        item,
        ItemState.objects.filter(instance=instance, item_id=key).first(),
        _live(Attestation, instance).filter(item_id=key).first(),
        _live(Waiver, instance).filter(item_id=key).first(),
        now or timezone.now(),
    )


def _live(model, instance: Instance):  # type: ignore[no-untyped-def]  # one generic line for two models
    return model.objects.filter(instance=instance, ended_at=None).select_related("by")


def make_row(
    item: Item,
    machine: ItemState | None,
    said: Attestation | None,
    waived: Waiver | None,
    now: datetime,
) -> Row:
    """The merge of one item's stored parts."""
    state = effective(
        item,
        seen_of(machine),
        Said(said.met, said.created_at, said.valid_until) if said else None,
        Waived(waived.kind, waived.created_at, waived.valid_until) if waived else None,
        now,
    )
    return Row(item, state, machine, said, waived)


def seen_of(machine: ItemState | None) -> Seen | None:
    """The machine's side of a stored state."""
    if machine is None:
        return None
    reason = Reason(machine.reason) if machine.reason in set(Reason) else None
    return Seen(
        Status(machine.status), machine.since, reason, machine.code, machine.settled, machine.settled_since
    )


def software_of(rows: Sequence[Row]) -> str:
    """Name and version as the software item saw them; "" before the first scan."""
    for row in rows:
        if row.item.id == "plan.software_fits" and row.machine is not None:
            data = row.machine.data
            return f"{data.get('name', '')} {data.get('version', '')}".strip()
    return ""


def posture(rows: Iterable[Row]) -> Posture:
    """Counts over all rows; a filter of the page never changes them."""
    rows = list(rows)
    states = Counter(row.state.state for row in rows)
    bad = [r for r in rows if r.item.level is Level.REQUIRED and r.state.state is State.NOT_MET]
    since = [r.state.since for r in bad if r.state.since is not None]
    return Posture(
        levels=tuple(_level(level, rows) for level in Level),
        states=states,
        required_not_met=len(bad),
        not_met_since=min(since) if since else None,
        new=sum(row.is_new for row in bad),
        needs_you=states[State.NEEDS_YOU],
        unseen=states[State.COULD_NOT_CHECK],
    )


def _level(level: Level, rows: Iterable[Row]) -> LevelCount:
    states = Counter(row.state.state for row in rows if row.item.level is level)
    apart = states[State.ACCEPTED] + states[State.NOT_APPLICABLE]
    return LevelCount(level, states[State.MET], states.total() - apart, states[State.ACCEPTED])


def topics(rows: Iterable[Row]) -> list[Topic]:
    """Rows grouped by topic in the order of the checklist; empty topics are left out."""
    titles = {**TOPICS, own.TOPIC: own.TITLE}
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row.item.topic, []).append(row)
    return [
        Topic(
            key,
            titles[key],
            tuple(grouped[key]),
            sum(r.state.state is State.MET for r in grouped[key]),
            sum(r.state.state not in {State.ACCEPTED, State.NOT_APPLICABLE} for r in grouped[key]),
        )
        for key in titles
        if key in grouped
    ]
