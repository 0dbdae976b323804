"""A database as a year of scans would have left it: invented servers, rows as the real code writes them.

The verdicts are those of two real scans (the demo's facts); what a login would have shown is invented from
the items' own codes.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction

from checks import CHECKS_VERSION
from checks.codec import decode_facts
from checks.errors import Reason
from checks.items import all_items
from checks.model import Item, Level, Status
from checks.probes import PHASES
from fedisec.accounts.models import Membership, Role, Team, User
from fedisec.checklist import daily
from fedisec.checklist.models import Attestation, Waiver
from fedisec.history.models import DayCount
from fedisec.history.standing import day_of
from fedisec.history.words import state_of
from fedisec.instances.models import Instance, Tag
from fedisec.scans.models import Change, ItemState, Scan, ScanState, Span
from fedisec.scans.record import FACTS_KEPT, Judged, judge

FACTS = Path(__file__).resolve().parents[1] / "fedisec" / "share" / "demo_facts"
REPORT_BYTES = 120_000  # of a collector on a booted machine
_ONE_MORE_FLIP = 0.4  # so 0.67 a day on average: each item turns twice a year
OUTAGE_EVERY_DAYS = 90
VERSION_EVERY_DAYS = 30
_VERSIONED = ("plan.software_fits", "updates.software_current")
_BATCH = 2000

_PROGRESS = {phase: [5, 5] for phase in PHASES}
_CONNECTIONS = {"dns": 61, "http": 17, "tls": 21, "port": 40}
Counts = dict[str, dict[str, int]]
_STATES = {status.value: state_of(status) for status in Status}


@dataclass(frozen=True, slots=True)
class Says:
    """What the machine says of one item."""

    status: str
    code: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    evidence: list[list[str]] = field(default_factory=list)
    reason: str = ""


_SILENCE = Says("unknown", reason="timeout")


@dataclass(frozen=True, slots=True)
class World:
    """What a well-kept and a neglected server say of every item, and the facts of each."""

    good: dict[str, Says]
    bad: dict[str, Says]
    facts: tuple[Any, Any]

    @classmethod
    def load(cls) -> World:
        said, facts = [], []
        for name in ("good", "bad"):
            judged = judge(decode_facts(json.loads((FACTS / f"{name}.json").read_text("utf-8"))))
            facts.append(judged.facts)
            said.append({key: _says(judged, key) for key in judged.verdicts})
        return cls(said[0], said[1], (facts[0], facts[1]))


def _says(judged: Judged, key: str) -> Says:
    verdict = judged.verdicts[key]
    reason = verdict.reason.value if verdict.reason else ""
    return Says(verdict.status.value, verdict.code, dict(verdict.data), judged.evidence[key], reason)


class Server:
    """One instance over the days.  `step` says which items are seen otherwise than the day before."""

    def __init__(self, world: World, seed: int) -> None:
        self.dice = random.Random(seed)
        self.connected, self.neglect = seed % 2 == 0, self.dice.choice((0.1, 0.2, 0.35, 0.6))
        self.well = {key: self._says(world, item) for key, item in all_items().items()}
        self._keys, self.silent = list(self.well), 0
        self.now: dict[str, Says] = {}
        self.statuses = {level.value: Counter[str]() for level in Level}
        self._moved(self._keys)
        self.facts = dict(world.facts[self.neglect > 0.3])
        if self.connected:  # text that shrinks as little as a report does
            report = "".join(self.dice.choices("abcdefghijklmnop /=.:-\n0123456789", k=REPORT_BYTES))
            self.facts |= {"found": [*self.facts["found"], {"$": "Inside", "report": report}]}
        self._other = {key: self._other_of(world, key) for key in self.well}

    def _says(self, world: World, item: Item) -> Says:
        said = (world.bad if self.dice.random() < self.neglect else world.good)[item.id]
        return self._invented(item) if self.connected and said.reason == Reason.NOT_CONNECTED else said

    def _other_of(self, world: World, key: str) -> Says:
        one, other = world.good[key], world.bad[key]
        if one.reason == Reason.NOT_CONNECTED:
            return self._invented(all_items()[key]) if self.connected else one
        return other if self.well[key].status == one.status else one

    def _invented(self, item: Item) -> Says:
        status = self.dice.choices(("pass", "warn", "fail"), (7, 1, 2))[0]
        code = self.dice.choice(list(item.codes) or [""])
        lines = "\n".join(f"setting-{n} value {self.dice.random():.9f}" for n in range(8))
        data: dict[str, Any] = dict.fromkeys(("name", "path", "unit", "value", "setting"), "example")
        return Says(status, code, data, [["sshd -T on the server", lines]])

    def step(self, day: int) -> dict[str, Says]:
        """item id -> what is said from this day on."""
        touched = set()
        while self.dice.random() < _ONE_MORE_FLIP:
            key = self.dice.choice(self._keys)
            self.well[key], self._other[key] = self._other[key], self.well[key]
            touched.add(key)
        if day % VERSION_EVERY_DAYS == 0:
            for key in _VERSIONED:
                data = self.well[key].data | {"version": f"4.5.{day // VERSION_EVERY_DAYS}"}
                self.well[key] = replace(self.well[key], data=data)
                touched.add(key)
        was_silent = self.silent
        self.silent = max(0, was_silent - 1)
        if not was_silent and self.dice.random() < 1 / OUTAGE_EVERY_DAYS:
            self.silent = self.dice.choice((1, 1, 2))
        if bool(was_silent) != bool(self.silent):
            touched.update(self._keys)
        return self._moved(touched)

    def _moved(self, keys: Iterable[str]) -> dict[str, Says]:
        changed = {}
        for key in keys:
            said = self.well[key]
            if self.silent and said.status in {"pass", "warn", "fail"}:
                said = _SILENCE
            before = self.now.get(key)
            if said != before:
                level = self.statuses[all_items()[key].level.value]
                level[said.status] += 1
                if before is not None:
                    level[before.status] -= 1
                self.now[key] = changed[key] = said
        return changed

    @property
    def counts(self) -> tuple[Counts, Counts]:
        """level -> {status: number} and level -> {state: number}."""
        statuses = {level: {k: n for k, n in found.items() if n} for level, found in self.statuses.items()}
        states: Counts = {}
        for level, found in statuses.items():
            merged = states.setdefault(level, {})
            for status, number in found.items():
                merged[_STATES[status]] = merged.get(_STATES[status], 0) + number
        return statuses, states


def fill(instances: int, days: int, now: datetime) -> User:
    """Writes everything in the order of time, as scans would have; returns the owner of all."""
    world, owner = World.load(), User.objects.create_user("bench@example.org")
    team = Team.objects.create(name="Bench")
    Membership.objects.create(team=team, user=owner, role=Role.OWNER)
    since, soon = now - timedelta(days=days), now + timedelta(hours=9)
    made = Instance.objects.bulk_create(
        Instance(
            team=team, domain=f"server{n:04}.example", created_by=owner, created_at=since, next_scan_at=soon
        )
        for n in range(instances)
    )
    Tag.objects.bulk_create(
        Tag(instance=one, name=("mine", "friends", "club")[n % 3]) for n, one in enumerate(made)
    )
    servers = [Server(world, n) for n in range(instances)]
    states: list[dict[str, datetime]] = [{} for _ in made]
    for day in range(days):
        with transaction.atomic():
            _a_day(
                made,
                servers,
                states,
                day,
                now - timedelta(days=days - 1 - day),
                last=day >= days - FACTS_KEPT,
            )
    with transaction.atomic():
        ItemState.objects.bulk_create(_states(made, servers, states, now), batch_size=_BATCH)
        _words(made, owner, now)
    while daily.refresh(now):
        pass
    return owner


def _a_day(
    made: Sequence[Instance],
    servers: Sequence[Server],
    states: Sequence[dict[str, datetime]],
    day: int,
    at: datetime,
    *,
    last: bool,
) -> None:
    """One scan of every instance, a minute of the day apart for each."""
    moments = [at - timedelta(hours=1) + timedelta(seconds=n % 3500) for n in range(len(made))]
    changed = [server.step(day) if day else dict(server.now) for server in servers]
    counted = [server.counts for server in servers]
    scans = Scan.objects.bulk_create(
        (
            Scan(
                instance=one,
                state=ScanState.DONE,
                reason="scheduled" if day else "first",
                attempt=1,
                due_at=moment,
                started_at=moment - timedelta(seconds=35),
                heartbeat_at=moment,
                finished_at=moment,
                progress=_PROGRESS,
                facts=server.facts if last else None,
                counts=counts[0],
                connections=_CONNECTIONS,
                checks_version=CHECKS_VERSION,
            )
            for one, server, moment, counts in zip(made, servers, moments, counted, strict=True)
        ),
        batch_size=_BATCH,
    )
    spans, changes = [], []
    for scan, moment, new, since in zip(scans, moments, changed, states, strict=True):
        for key, said in new.items():
            since[key] = moment
            spans.append(_span(scan, key, said, moment))
            if day and said.status in {"fail", "pass"}:
                changes.append(_change(scan, key, said, moment))
    Span.objects.bulk_create(spans, batch_size=_BATCH)
    Change.objects.bulk_create(changes, batch_size=_BATCH)
    DayCount.objects.bulk_create(
        (
            _day_count(scan, moment, counts[1])
            for scan, moment, counts in zip(scans, moments, counted, strict=True)
        ),
        batch_size=_BATCH,
    )


def _span(scan: Scan, key: str, said: Says, at: datetime) -> Span:
    return Span(
        instance_id=scan.instance_id, item_id=key, scan=scan, first_at=at,
        status=said.status, code=said.code, data=said.data, evidence=said.evidence, reason=said.reason,
    )  # fmt: skip


def _change(scan: Scan, key: str, said: Says, at: datetime) -> Change:
    worse = said.status == "fail"
    return Change(
        instance_id=scan.instance_id, scan=scan, item_id=key, kind="regressed" if worse else "recovered",
        before="pass" if worse else "fail", after=said.status, code=said.code, data=said.data,
        evidence=said.evidence, created_at=at, processed_at=at,
    )  # fmt: skip


def _day_count(scan: Scan, at: datetime, counts: dict[str, dict[str, int]]) -> DayCount:
    met = sum(states.get("met", 0) for states in counts.values())
    applicable = sum(sum(states.values()) - states.get("not_applicable", 0) for states in counts.values())
    one, day = scan.instance_id, day_of(at)
    return DayCount(instance_id=one, day=day, counts=counts, met=met, applicable=applicable, scanned=True)


def _states(
    made: Sequence[Instance], servers: Sequence[Server], states: Sequence[dict[str, datetime]], now: datetime
) -> Iterator[ItemState]:
    for one, server, since in zip(made, servers, states, strict=True):
        for key, said in server.now.items():
            settled = said.status if said.status in {"pass", "warn", "fail"} else ""
            yield ItemState(
                instance=one, item_id=key, status=said.status, code=said.code, data=said.data,
                evidence=said.evidence, reason=said.reason, since=since[key], seen_at=now,
                settled=settled, settled_since=since[key] if settled else None, checks_version=CHECKS_VERSION,
            )  # fmt: skip


def _words(made: Sequence[Instance], owner: User, now: datetime) -> None:
    """What people said: a third of what only they can answer, and one waiver each."""
    asked = [key for key, item in all_items().items() if item.takes_answers][::3]
    said_at, until = now - timedelta(days=9), now + timedelta(days=90)
    both = {"by": owner, "created_at": said_at, "valid_until": until}
    Attestation.objects.bulk_create(
        (
            Attestation(instance=one, item_id=key, met=True, note="Checked by hand.", **both)
            for one in made
            for key in asked
        ),
        batch_size=_BATCH,
    )
    reason = "The front end needs it for now."
    Waiver.objects.bulk_create(
        (
            Waiver(instance=one, item_id="http.csp", kind="accepted_risk", reason=reason, **both)
            for one in made
        ),
        batch_size=_BATCH,
    )
