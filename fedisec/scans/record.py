"""What a look brought, into the database: judged before, stored in one transaction that the token fences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from checks import CHECKS_VERSION
from checks.clean import clean
from checks.codec import encode_facts
from checks.evaluate import evaluate
from checks.evaluate import judge as evaluate_one
from checks.facts import Facts
from checks.items import all_items
from checks.model import Status, Verdict
from checks.probes import Gathered
from fedisec.instances.models import Instance
from fedisec.lib import crash
from fedisec.scans.blind import Blind
from fedisec.scans.certificates import Shown, shown
from fedisec.scans.models import ItemState, Scan, ScanState, Side, Span
from fedisec.scans.moves import Moves
from fedisec.scans.queue import queue_scan
from fedisec.scans.reach import UNSEEN, Reached, reach
from fedisec.scans.sides import carried_alone, joined, judged_by, last_facts
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
    reach: Reached = UNSEEN
    certificates: tuple[Shown, ...] = ()
    carried: frozenset[str] = frozenset()  # shown, but by old facts alone: nothing is settled by them
    counted: Mapping[str, Verdict] | None = None  # all verdicts, where only a part of them is stored anew

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
        for key, verdict in (self.verdicts if self.counted is None else self.counted).items():
            levels.setdefault(all_items()[key].level.value, Counter())[verdict.status.value] += 1
        return {level: dict(found) for level, found in levels.items()}


def judge_one(item_id: str, facts: Facts) -> Judged:
    """The verdict on one item alone.  Nothing else is said by it, not even that the server answers."""
    verdict = evaluate_one(all_items()[item_id], facts)
    evidence = {item_id: EvidenceBudget().fit(verdict.evidence)}
    return Judged(None, {item_id: verdict}, evidence, {})


def judge(facts: Facts, connections: Mapping[str, int] | None = None, *, seen: Facts | None = None) -> Judged:
    """Every verdict on `facts`, and both in a form that any database takes.  `seen`: the part of the facts
    that this look brought; it alone says whether the server answers, and with which certificates."""
    verdicts, budget = evaluate(facts), EvidenceBudget()
    evidence = {key: budget.fit(verdict.evidence) for key, verdict in verdicts.items()}
    stored, used, seen = storable(encode_facts(facts)), dict(connections or {}), seen or facts
    return Judged(stored, verdicts, evidence, used, reach(seen), shown(seen))


def record(scan: Scan, token: str, gathered: Gathered, now: datetime) -> bool:
    """Stores a finished look that `token` holds.  False, and nothing stored, when the token is no longer
    valid: somebody else looks or has looked."""
    judged = _judge_scan(scan, gathered, now)
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


def _judge_scan(scan: Scan, gathered: Gathered, now: datetime) -> Judged:
    """What the scan may store: all of it, single items, or those of the side that it looked from."""
    if scan.only:
        return judge(gathered.facts, gathered.connections).single(scan.only)
    side = Side(scan.side)
    if side is Side.BOTH:
        return judge(gathered.facts, gathered.connections)
    facts = joined(side, gathered.facts, last_facts(scan, now))
    judged = judge(facts, gathered.connections, seen=gathered.facts)
    carried = carried_alone(side, facts, judged.verdicts)
    mine = judged_by(side) & judged.verdicts.keys()
    return replace(judged.only(sorted(mine)), carried=carried, counted=judged.verdicts)


def move_states(
    scan: Scan,
    judged: Judged,
    *,
    began: datetime,
    now: datetime,
    again: bool = False,
    heard: Collection[str] = (),
) -> datetime | None:
    """Moves the state of each item and lists what changed; inside the caller's transaction.  Returns when a
    second look is wanted, if one is.  `again`: old facts, judged by rules that may be new.  `heard`: items of
    whose fall people hear in another way."""
    # One writer per instance at a time: `rejudge` may run beside a scan.
    instance = Instance.objects.select_for_update().get(pk=scan.instance_id)
    known = {state.item_id: state for state in ItemState.objects.filter(instance=instance)}
    moves = Moves(instance, scan, began, now, again=again, heard=heard)
    reached = True if again else moves.server(judged.reach, _fails_anew(judged, known))
    spans, blind = Spans(scan, now, again or _other_rules(scan)), Blind(scan, reached=reached and not again)
    states = []
    for key, verdict in judged.verdicts.items():
        state = known.get(key) or ItemState(instance=instance, item_id=key, since=now)
        before = Said.of(state) if key in known else None
        _move(state, verdict, now)
        state.evidence = judged.evidence[key]
        spans.moved(before, state)
        state.seen_at = scan.finished_at if again and scan.finished_at is not None else now
        # A server that does not answer says nothing of its items, whatever one of them could still see.
        unseen = judged.reach.silences_items or key in judged.carried
        moves.item(state, Status.UNKNOWN if unseen else verdict.status)
        blind.note(state, verdict, quiet=key in moves.quiet)
        states.append(state)
    moves.changes += blind.changes(now)
    _save(states)
    moves.store()
    Span.objects.bulk_create(spans.begun)
    if not again:
        moves.certificates(judged.certificates, states)
    return moves.confirm_at


def _fails_anew(judged: Judged, known: Mapping[str, ItemState]) -> list[str]:
    """Items that are seen to fail and were not settled so."""
    failing = (key for key, verdict in judged.verdicts.items() if verdict.status is Status.FAIL)
    return sorted(key for key in failing if key not in known or known[key].settled != Status.FAIL)


def _other_rules(scan: Scan) -> bool:
    """The scan before this one was judged by another version of the checks."""
    before = Scan.objects.whole().filter(instance_id=scan.instance_id, pk__lt=scan.pk)
    return before.values_list("checks_version", flat=True).first() not in {None, CHECKS_VERSION}


def _move(state: ItemState, verdict: Verdict, now: datetime) -> None:
    if state.status != verdict.status:
        state.since = now
    blind = verdict.status in {Status.UNKNOWN, Status.ERROR}
    state.blind_scans = min(state.blind_scans + 1, _BLIND_MAX) if blind else 0
    state.status, state.code = verdict.status.value, verdict.code
    state.data = storable(dict(verdict.data))
    state.reason = verdict.reason.value if verdict.reason is not None else ""
    state.detail = clean(verdict.detail, 500, newlines=False)


def _save(states: list[ItemState]) -> None:
    """One statement, whatever their number."""
    ItemState.objects.bulk_create(
        states, update_conflicts=True, unique_fields=["instance", "item_id"], update_fields=_STATE_FIELDS
    )


def _drop_old_facts(scan: Scan) -> None:
    kept = Scan.objects.whole().filter(instance_id=scan.instance_id).values("pk")[:FACTS_KEPT]
    Scan.objects.filter(instance_id=scan.instance_id, facts__isnull=False).exclude(
        pk__in=list(kept.values_list("pk", flat=True))
    ).update(facts=None)
