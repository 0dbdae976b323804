"""Reminders: what is still not met is told again, at the pace that each person chose, until it is met, set
aside or acknowledged.

Who is reminded was told of the incident before.  What was missed while nothing ran, or while something was
held, is one reminder and not several: the pause is counted from the last one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast

from checks.items import all_items
from checks.model import Level
from fedisec.accounts.models import Membership, User
from fedisec.alerts.confirming import may_be_mailed
from fedisec.alerts.models import DeliveryState, MailKind, Notice, Subscription
from fedisec.checklist.board import Row, make_row
from fedisec.checklist.models import Attestation, Waiver
from fedisec.checklist.state import State
from fedisec.scans.models import REACH, Incident, ItemState

BATCH = 500  # incidents looked at, and their reminders stored, at once
PACES = (1, 7, 30)  # days; Preference.reminder_days, and 0 for none
DEFAULT_PACE = 7
_AT_REST = frozenset({State.MET, State.ACCEPTED, State.NOT_APPLICABLE})


@dataclass(frozen=True, slots=True)
class _Due:
    incident_id: int
    user_id: int


def tick(now: datetime) -> None:
    """Stores the reminders that are due.  Safe to run twice and beside others: who counts from the same
    last reminder makes the same next one, which the table takes once."""
    _drop_needless(now)
    last = 0
    while True:
        incidents = list(_open(now).filter(pk__gt=last).values_list("pk", flat=True)[:BATCH])
        due = [_Due(*row) for row in _due(incidents, now)] if incidents else []
        if due:
            _remind(due, now)
        if len(incidents) < BATCH:
            return
        last = incidents[-1]


def _remind(batch: Sequence[_Due], now: datetime) -> None:
    """Eight questions, whatever the size of the batch."""
    with transaction.atomic():
        incidents = Incident.objects.select_related("instance").in_bulk({due.incident_id for due in batch})
        rows = _rows(incidents.values(), now)
        numbers = _numbers(batch)
        hearing = _hearing(batch, incidents)
        notices = []
        for due in batch:
            row = rows.get(due.incident_id)
            if due not in hearing or (row is not None and row.state.state in _AT_REST):
                continue
            incident, number = incidents[due.incident_id], numbers.get(due, 0) + 1
            notices.append(
                Notice(
                    kind=MailKind.REMINDER.value,
                    about=f"{incident.pk} {number}",
                    data=_data(incident, row, number),
                    instance_id=incident.instance_id,
                    incident=incident,
                    user_id=due.user_id,
                    created_at=now,
                )
            )
        Notice.objects.bulk_create(notices, ignore_conflicts=True)


def _hearing(batch: Sequence[_Due], incidents: Mapping[int, Incident]) -> set[_Due]:
    """Those who still hear of the instance: subscribed, in its team, and with an address to be mailed at."""
    users = {due.user_id for due in batch}
    people = may_be_mailed(User.objects.filter(pk__in=users, is_active=True))
    mailed = set(people.values_list("pk", flat=True))
    subscribed = set(Subscription.objects.filter(user__in=users).values_list("user", "instance"))
    members = set(Membership.objects.filter(user__in=users).values_list("user", "team"))
    return {
        due
        for due in batch
        if (incident := incidents.get(due.incident_id)) is not None
        and due.user_id in mailed
        and (due.user_id, incident.instance_id) in subscribed
        and (due.user_id, incident.instance.team_id) in members
    }


def _data(incident: Incident, row: Row | None, number: int) -> dict[str, Any]:
    """`state`: of the item when it was told, a checklist.state.State; "" for the server as a whole."""
    return {
        "item": incident.item_id,
        "number": number,
        "since": incident.opened_at.isoformat(),
        "state": row.state.state.value if row is not None else "",
    }


def _open(now: datetime) -> QuerySet[Incident]:
    """Open, known to nobody, and nobody has set it aside; where the whole server is silent, that is what its
    people are reminded of."""
    waived = Waiver.objects.filter(instance=OuterRef("instance"), item_id=OuterRef("item_id"))
    waived = waived.filter(Q(valid_until=None) | Q(valid_until__gt=now), ended_at=None)
    silent = Incident.objects.filter(instance=OuterRef("instance"), item_id=REACH, closed_at=None)
    return Incident.objects.filter(
        Q(item_id=REACH) | ~Exists(silent),
        ~Exists(waived),
        closed_at=None,
        acknowledged_at=None,
        opened_at__lte=now - timedelta(days=min(PACES)),
        instance__paused=False,
        instance__demo=False,
    ).order_by("pk")


def _due(incidents: Sequence[int], now: datetime) -> QuerySet[Notice, tuple[int, int]]:
    """(incident, person) of the reminders whose time has come.  A notice that is not on its way yet, or whose
    mail waits, says what there is to say: no second one is put behind it."""
    counts = {
        f"within_{days}": Count("pk", filter=Q(created_at__gt=now - long, created_at__lt=now + long))
        for days, long in ((days, timedelta(days=days)) for days in PACES)
    }
    unsent = Q(delivery=None) | Q(delivery__state__in=(DeliveryState.PENDING, DeliveryState.SENDING))
    return (
        Notice.objects.filter(incident__in=incidents, user__isnull=False, dropped_at=None)
        .annotate(
            kinds=Cast("user__preference__kinds", TextField()),
            levels=Cast("user__preference__levels", TextField()),
        )
        .filter(_wanted())
        .order_by()
        .values("incident", "user")
        .annotate(waiting=Count("pk", filter=unsent), **counts, pace=F("user__preference__reminder_days"))
        .filter(_over(), waiting=0)
        .values_list("incident", "user")
    )


def _wanted() -> Q:
    """As `Wishes.wants` and `Wishes.reminds_after` say, in SQL: a clock asks every few seconds.  What is no
    item of this version, and the server as a whole, remind like required items."""
    by_level: dict[Level, list[str]] = defaultdict(list)
    for item in all_items().values():
        by_level[item.level].append(item.id)
    recommended = Q(incident__item_id__in=by_level[Level.RECOMMENDED])
    required = ~recommended & ~Q(incident__item_id__in=by_level[Level.OPTIONAL])
    without_level = required & ~Q(incident__item_id__in=by_level[Level.REQUIRED])
    chosen = without_level | (required & Q(levels__contains=f'"{Level.REQUIRED.value}"'))
    chosen |= recommended & Q(
        user__preference__remind_recommended=True, levels__contains=f'"{Level.RECOMMENDED.value}"'
    )
    chosen &= Q(kinds__contains=f'"{MailKind.REMINDER.value}"') & ~Q(user__preference__reminder_days=0)
    return (Q(user__preference=None) & required) | chosen


def _over() -> Q:
    """Whether the pause is over.  Moments ahead count like moments ago: a clock that was set back reminds
    nobody twice, and one that was years ahead silences nobody."""
    over = Q(pace=None, **{f"within_{DEFAULT_PACE}": 0})
    for days in PACES:
        over |= Q(pace=days, **{f"within_{days}": 0})
    return over


def _rows(incidents: Iterable[Incident], now: datetime) -> dict[int, Row]:
    """incident -> its item as pages show it; three queries.  The server as a whole, and what is no item of
    this version, have none."""
    known = [one for one in incidents if one.item_id in all_items()]
    places = {
        "instance__in": {one.instance_id for one in known},
        "item_id__in": {one.item_id for one in known},
    }
    states = {(s.instance_id, s.item_id): s for s in ItemState.objects.filter(**places).defer("evidence")}
    said = {(a.instance_id, a.item_id): a for a in Attestation.objects.filter(**places, ended_at=None)}
    waived = {(w.instance_id, w.item_id): w for w in Waiver.objects.filter(**places, ended_at=None)}
    keys = {one.pk: (one.instance_id, one.item_id) for one in known}
    return {
        pk: make_row(all_items()[key[1]], states.get(key), said.get(key), waived.get(key), now)
        for pk, key in keys.items()
    }


def _numbers(batch: Sequence[_Due]) -> Mapping[_Due, int]:
    """The greatest number of a reminder so far.  Not their count: old notices are tidied away."""
    told = Notice.objects.filter(
        kind=MailKind.REMINDER.value,
        incident__in={due.incident_id for due in batch},
        user__in={due.user_id for due in batch},
    )
    numbers: dict[_Due, int] = {}
    for incident_id, user_id, about in told.values_list("incident", "user", "about"):
        due = _Due(incident_id or 0, user_id or 0)
        numbers[due] = max(numbers.get(due, 0), int(about.partition(" ")[2]))
    return numbers


def _drop_needless(now: datetime) -> None:
    """Reminders that nobody got yet, of what is over or acknowledged meanwhile."""
    waiting = Notice.objects.filter(kind=MailKind.REMINDER.value, delivery=None, dropped_at=None)
    over = Incident.objects.filter(Q(closed_at__isnull=False) | Q(acknowledged_at__isnull=False))
    waiting.filter(incident__in=over.values("pk")).update(dropped_at=now, dropped_why="over")
