"""What fedisec keeps and tells of a hostile look: through `record`, as a scan does, with the real outbox behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from itertools import count

from django.utils import timezone

from checks.probes import Gathered
from fedisec.accounts.models import Team
from fedisec.alerts import outbox
from fedisec.alerts.models import Delivery, MailKind, Notice
from fedisec.instances.models import Instance
from fedisec.scans.models import REACH, Incident, ItemState, Scan, ScanState
from fedisec.scans.record import record
from fedisec.scans.run import with_self_facts
from tests.factories import a_running_scan, a_subscriber, an_instance
from tests.hostile.model import Behaviour

EVIDENCE_BYTES = 256 * 1024  # of one scan
ITEM_BYTES = 4096
FACTS_BYTES = 1 << 20
_stories = count()
_BETWEEN = timedelta(minutes=30)
# The far side as a whole fell silent, which is true, and is told apart from its items.
_OF_THE_SERVER = frozenset({MailKind.UNREACHABLE})


@dataclass(frozen=True)
class Kept:
    """`alerts`: what was opened or told although the behaviour proves nothing; `server`: whether the server as a whole
    was told to be silent; `swollen`: what is stored beyond its cap; `bytes`: of the facts, as JSON."""

    alerts: tuple[str, ...]
    server: bool
    swollen: tuple[str, ...]
    bytes: int


def keep(behaviour: Behaviour, sound: Gathered, seen: Gathered) -> Kept:
    """Stores a sound past, then what was seen, twice: as if the second look had confirmed the first."""
    # Hours apart from each other: too many servers that change at once would be held back, as a storm.
    now = timezone.now().replace(microsecond=0) + timedelta(hours=3 * next(_stories) - 3000)
    instance = an_instance(domain=behaviour.target)
    Team.objects.filter(pk=instance.team_id).update(name=behaviour.name)
    a_subscriber(instance)
    for n, gathered in enumerate((sound, sound, seen, seen)):
        _store(instance, gathered, now + (n - 4) * _BETWEEN)
    outbox.tick(now)
    outbox.tick(now + timedelta(hours=1))
    return Kept(
        tuple(_alerts(behaviour, instance)),
        Incident.objects.filter(instance=instance, item_id=REACH).exists(),
        tuple(_swollen(instance)),
        len(json.dumps(Scan.objects.filter(instance=instance, state=ScanState.DONE)[0].facts)),
    )


def _store(instance: Instance, gathered: Gathered, at: datetime) -> None:
    Scan.objects.filter(instance=instance, state=ScanState.QUEUED).delete()
    scan = a_running_scan(instance, at)
    facts = with_self_facts(gathered.facts, instance)
    assert record(scan, scan.token, Gathered(facts, gathered.connections), at)


def _alerts(behaviour: Behaviour, instance: Instance) -> Iterator[str]:
    def proved(item: str) -> bool:
        return any(fnmatchcase(item, pattern) for pattern in behaviour.allows.true)

    for incident in Incident.objects.filter(instance=instance):
        if incident.item_id != REACH and not proved(incident.item_id):
            yield f"incident {incident.item_id}"
    loud = False
    for notice in Notice.objects.filter(instance=instance).select_related("change"):
        item = notice.change.item_id if notice.change is not None else ""
        if notice.kind in _OF_THE_SERVER or item == REACH or proved(item):
            loud = True
        else:
            yield f"notice {notice.kind} {item}".strip()
    if not loud:
        mails = Delivery.objects.filter(user__subscriptions__instance=instance).count()
        if mails:
            yield f"{mails} mails"


def _swollen(instance: Instance) -> Iterator[str]:
    total = 0
    for state in ItemState.objects.filter(instance=instance):
        size = sum(len(str(text).encode()) for _, text in state.evidence)  # the labels are our own
        total += size
        if size > ITEM_BYTES + len("…".encode()):  # the mark of what was cut
            yield f"evidence of {state.item_id}: {size} bytes"
    if total > EVIDENCE_BYTES:
        yield f"evidence of all items: {total} bytes"
    facts = Scan.objects.filter(instance=instance, state=ScanState.DONE)[0].facts
    if len(json.dumps(facts)) > FACTS_BYTES:
        yield f"facts: {len(json.dumps(facts))} bytes"
