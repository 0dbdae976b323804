"""What a look brought, into the database: judged before, stored in one transaction that the token fences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from checks import CHECKS_VERSION
from checks.clean import clean
from checks.codec import encode_facts
from checks.evaluate import evaluate
from checks.facts import Facts
from checks.items import all_items
from checks.model import Status, Verdict
from checks.probes import Gathered
from fedisec.instances.models import Instance
from fedisec.lib import crash
from fedisec.scans.models import Change, Incident, ItemState, Scan, ScanState, Span
from fedisec.scans.queue import queue_scan
from fedisec.scans.settle import STRICT_ITEMS, Kind, Look, State, Step, settle
from fedisec.scans.spans import Said, Spans
from fedisec.scans.tidy import EvidenceBudget, storable

FACTS_KEPT = 3  # scans that keep their facts: one to judge anew, two for who looks into a fault

_BLIND_MAX = 30_000  # fits a small integer of any database
_STATE_FIELDS = [
    f.name for f in ItemState._meta.concrete_fields if f.name not in ("id", "instance", "item_id")
]


@dataclass(frozen=True, slots=True)
class Judged:
    """A look, judged and made storable; nothing is computed between here and the commit."""

    facts: Any
    verdicts: Mapping[str, Verdict]
    evidence: Mapping[str, list[list[str]]]
    connections: dict[str, int]

    def only(self, keys: Iterable[str]) -> Judged:
        """The same with these verdicts alone."""
        return replace(self, verdicts={key: self.verdicts[key] for key in keys})

    def single(self, keys: Iterable[str]) -> Judged:
        """What a look at these items alone may store.  Its facts judge nothing else, not even later."""
        return replace(self.only(key for key in keys if key in self.verdicts), facts=None)

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """level -> {status: number}."""
        levels: dict[str, Counter[str]] = {}
        for key, verdict in self.verdicts.items():
            levels.setdefault(all_items()[key].level.value, Counter())[verdict.status.value] += 1
        return {level: dict(found) for level, found in levels.items()}


def judge(facts: Facts, connections: Mapping[str, int] | None = None) -> Judged:
    """Every verdict on `facts`, and both in a form that any database takes."""
    verdicts, budget = evaluate(facts), EvidenceBudget()
    evidence = {key: budget.fit(verdict.evidence) for key, verdict in verdicts.items()}
    return Judged(storable(encode_facts(facts)), verdicts, evidence, dict(connections or {}))


def record(scan: Scan, token: str, gathered: Gathered, now: datetime) -> bool:
    """Stores a finished look that `token` holds.  False, and nothing stored, when the token is no longer
    valid: somebody else looks or has looked."""
    judged = judge(gathered.facts, gathered.connections)
    if scan.only:
        judged = judged.single(scan.only)
    with transaction.atomic():
        fenced = Scan.objects.filter(pk=scan.pk, token=token, state=ScanState.RUNNING)
        done = fenced.update(
            state=ScanState.DONE,
            token="",
            finished_at=now,
            error="",
            facts=judged.facts,
            counts=judged.counts,
            connections=judged.connections,
            checks_version=CHECKS_VERSION,
        )
        if done != 1:
            return False
        confirm_at = move_states(scan, judged, began=scan.started_at or now, now=now)
        if confirm_at is not None:
            queue_scan(scan.instance, "confirm", due_at=confirm_at, now=now)
        _drop_old_facts(scan)
        import_string(settings.ON_RECORDED)(scan.instance, now, scanned=not scan.only)
        crash.point("before_commit")
    crash.point("after_commit")
    return True


def move_states(
    scan: Scan, judged: Judged, *, began: datetime, now: datetime, again: bool = False
) -> datetime | None:
    """Moves the state of each item and lists what changed; inside the caller's transaction.  Returns when a
    second look is wanted, if one is.  `again`: old facts, judged by rules that may be new."""
    # One writer per instance at a time: `rejudge` may run beside a scan.
    instance = Instance.objects.select_for_update().get(pk=scan.instance_id)
    known = {state.item_id: state for state in ItemState.objects.filter(instance=instance)}
    confirm_after = timedelta(seconds=settings.CONFIRM_AFTER_S)
    states, changes, wanted = [], [], []
    spans = Spans(scan, now, again or _other_rules(scan))
    for key, verdict in judged.verdicts.items():
        state = known.get(key) or ItemState(instance=instance, item_id=key, since=now)
        before = Said.of(state) if key in known else None
        look = Look(verdict.status, began, now, CHECKS_VERSION)
        step = settle(_settled_part(state, again), look, confirm_after, strict=key in STRICT_ITEMS)
        _move(state, verdict, now)
        state.evidence = judged.evidence[key]
        spans.moved(before, state)
        state.seen_at = scan.finished_at if again and scan.finished_at is not None else now
        _keep_settled(state, step)
        states.append(state)
        if step.change is not None:
            changes.append(_change(scan, state, step, now))
        if step.confirm_at is not None:
            wanted.append(step.confirm_at)
    _keep_incidents(changes, now)
    _save(states, changes)
    Span.objects.bulk_create(spans.begun)
    return min(wanted, default=None)


def _other_rules(scan: Scan) -> bool:
    """The scan before this one was judged by another version of the checks."""
    before = Scan.objects.whole().filter(instance_id=scan.instance_id, pk__lt=scan.pk)
    return before.values_list("checks_version", flat=True).first() not in {None, CHECKS_VERSION}


def _settled_part(state: ItemState, again: bool) -> State:
    return State(
        state.settled,
        state.settled_since,
        state.candidate,
        state.candidate_since,
        state.alerted,
        rules="" if again else state.checks_version,  # "" differs from every version
    )


def _keep_settled(state: ItemState, step: Step) -> None:
    new = step.state
    state.settled, state.settled_since = new.settled, new.settled_since
    state.candidate, state.candidate_since = new.candidate, new.candidate_since
    state.alerted, state.checks_version = new.alerted, new.rules or state.checks_version


def _move(state: ItemState, verdict: Verdict, now: datetime) -> None:
    if state.status != verdict.status:
        state.since = now
    blind = verdict.status in {Status.UNKNOWN, Status.ERROR}
    state.blind_scans = min(state.blind_scans + 1, _BLIND_MAX) if blind else 0
    state.status, state.code = verdict.status.value, verdict.code
    state.data = storable(dict(verdict.data))
    state.reason = verdict.reason.value if verdict.reason is not None else ""
    state.detail = clean(verdict.detail, 500, newlines=False)


def _change(scan: Scan, state: ItemState, step: Step, now: datetime) -> Change:
    assert step.change is not None
    return Change(
        instance_id=scan.instance_id,
        scan=scan,
        item_id=state.item_id,
        kind=step.change.kind.value,
        before=step.change.before,
        after=step.change.after,
        code=state.code,
        data=state.data,
        evidence=state.evidence,
        created_at=now,
        # What nobody is told of never enters the outbox.
        processed_at=None if step.change.told else now,
    )


def _keep_incidents(changes: list[Change], now: datetime) -> None:
    """Opens an incident for each regression, and closes it with the recovery."""
    for change in changes:
        mine = Incident.objects.filter(instance=change.instance_id, item_id=change.item_id, closed_at=None)
        if change.kind == Kind.REGRESSED:
            change.incident = mine.first() or Incident.objects.create(
                instance_id=change.instance_id, item_id=change.item_id, opened_at=now
            )
        elif change.kind in {Kind.RECOVERED, Kind.REJUDGED}:
            change.incident = mine.first()
            mine.update(closed_at=now, closed_by=change.kind)


def _save(states: list[ItemState], changes: list[Change]) -> None:
    """One statement each, whatever their number."""
    ItemState.objects.bulk_create(
        states, update_conflicts=True, unique_fields=["instance", "item_id"], update_fields=_STATE_FIELDS
    )
    Change.objects.bulk_create(
        changes,
        update_conflicts=True,
        unique_fields=["scan", "item_id", "kind"],
        update_fields=["after", "code", "data", "evidence", "created_at"],
    )


def _drop_old_facts(scan: Scan) -> None:
    kept = Scan.objects.whole().filter(instance_id=scan.instance_id).values("pk")[:FACTS_KEPT]
    Scan.objects.filter(instance_id=scan.instance_id, facts__isnull=False).exclude(
        pk__in=list(kept.values_list("pk", flat=True))
    ).update(facts=None)
