"""One scan from claim to record.  Safe to call twice, from anywhere, at any time: the database decides."""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db.models import F, QuerySet
from django.db.models.expressions import CombinedExpression
from django.utils import timezone
from django.utils.module_loading import import_string

from checks.clean import clean
from checks.facts import Facts
from checks.probes import Gathered
from checks.target import Target, Vantage
from fedisec.enrolment.inside import WayIn, way_into
from fedisec.instances import proof
from fedisec.instances.models import Instance
from fedisec.lib import crash
from fedisec.lib.limits import TimeIsUp
from fedisec.lib.vantage import vantage
from fedisec.scans import news, outlook
from fedisec.scans.heartbeat import Heartbeat, Superseded
from fedisec.scans.models import Scan, ScanState, Side
from fedisec.scans.patience import record_with_patience
from fedisec.scans.queue import in_turn
from fedisec.scans.sides import probes_of

log = logging.getLogger(__name__)


def run_scan(scan_id: int) -> bool:
    """Claims the scan if it is queued and due, looks, and records; False where nothing was claimed.  A look
    that breaks off goes back to the queue, with a growing pause, at most SCAN_ATTEMPTS times.  A machine
    without a network claims nothing, and records no bad news: the scan waits, and that is no try."""
    scan = claim(scan_id) if outlook.sees() else None
    if scan is None:
        return False
    crash.point("claimed")
    try:
        if not proof.still_holds(scan.instance):
            _held(scan).update(
                state=ScanState.FAILED, token="", finished_at=timezone.now(), error="the domain is not proven"
            )
            return True
        gathered = _look(scan)
        if news.is_bad(scan, gathered.facts) and not outlook.saw(scan.started_at or timezone.now()):
            _not_believed(scan)
        elif not record_with_patience(scan, scan.token, gathered, timezone.now()):
            log.warning("scan %s was taken over by somebody else", scan_id)
    except Superseded:
        log.warning("scan %s was taken over by somebody else", scan_id)
    except (TimeIsUp, SoftTimeLimitExceeded):
        give_back(scan, "the time limit of a job was reached")
    except (SystemExit, KeyboardInterrupt):
        # We are asked to stop; that is no failed try.
        _requeue(_held(scan), F("attempt") - 1, timezone.now(), "")
        raise
    except BaseException as error:
        give_back(scan, f"{type(error).__name__}: {error}")
        raise
    return True


def claim(scan_id: int, now: datetime | None = None) -> Scan | None:
    """The scan, running under a fresh token; None when it is not queued, not due, or somebody was first."""
    now, token = now or timezone.now(), secrets.token_hex(16)
    due = Scan.objects.filter(state=ScanState.QUEUED, due_at__lte=now)
    if not in_turn(due).filter(pk=scan_id).exists():
        # Somebody else's turn, or not due: the clock rings again for what a broker brought too early.
        due.filter(pk=scan_id).update(rung_at=None)
        return None
    claimed = Scan.objects.filter(pk=scan_id, state=ScanState.QUEUED, due_at__lte=now).update(
        state=ScanState.RUNNING,
        token=token,
        attempt=F("attempt") + 1,
        started_at=now,
        heartbeat_at=now,
        progress={},
    )
    if claimed != 1:
        return None
    return Scan.objects.select_related("instance").filter(pk=scan_id, token=token).first()


def give_back(scan: Scan, error: str, *, silent_since: datetime | None = None) -> None:
    """Ends a try that broke off: queued again after a pause, or failed after the last one.  With
    `silent_since`: only if there was still no heartbeat since."""
    error, held = clean(error, 500, newlines=False), _held(scan)
    if silent_since is not None:
        held = held.filter(heartbeat_at__lt=silent_since)
    if scan.attempt < settings.SCAN_ATTEMPTS:
        pauses = settings.SCAN_RETRY_PAUSES_S
        pause = pauses[min(scan.attempt, len(pauses)) - 1]
        _requeue(held, scan.attempt, timezone.now() + timedelta(seconds=pause), error)
        return
    held.update(state=ScanState.FAILED, token="", finished_at=timezone.now(), error=error)


def _not_believed(scan: Scan) -> None:
    """The scan waits until this machine has a network again, or another one takes it."""
    log.warning("scan %s is to be done again: fedisec itself had no network", scan.pk)
    _requeue(_held(scan), F("attempt") - 1, timezone.now(), "")
    outlook.drop_look()


def _held(scan: Scan) -> QuerySet[Scan]:
    """The scan as long as our token is good."""
    return Scan.objects.filter(pk=scan.pk, token=scan.token, state=ScanState.RUNNING)


def _requeue(held: QuerySet[Scan], attempt: int | CombinedExpression, due_at: datetime, error: str) -> None:
    held.update(
        state=ScanState.QUEUED,
        token="",
        attempt=attempt,
        due_at=due_at,
        started_at=None,
        heartbeat_at=None,
        rung_at=None,
        error=error,
    )


def _look(scan: Scan) -> Gathered:
    """All network I/O of a scan, outside any transaction.  Superseded when the token was lost meanwhile."""
    place = vantage()
    way_in = way_into(scan.instance) if scan.side != Side.OUTSIDE else WayIn()
    target = replace(scan.instance.target, access=way_in.access)
    with Heartbeat(scan.pk, scan.token) as heartbeat:
        gathered = asyncio.run(_gather(target, place, heartbeat, Side(scan.side)))
    facts = way_in.noted(gathered.facts)
    return Gathered(with_self_facts(facts, scan.instance), gathered.connections)


async def _gather(target: Target, place: Vantage, heartbeat: Heartbeat, side: Side) -> Gathered:
    gather = import_string(settings.GATHER)
    if side is not Side.BOTH:
        gather = partial(gather, probes=probes_of(side))
    heartbeat.ends(asyncio.current_task())
    try:
        found: Gathered = await gather(target, place, progress=heartbeat.progress)
    except asyncio.CancelledError:
        if heartbeat.lost:
            raise Superseded from None
        raise
    return found


def with_self_facts(facts: Facts, instance: Instance) -> Facts:
    """Adds what only the dashboard knows, also of what `facts` show; named by settings, because it lives in
    layers above this one."""
    more = [fact for path in settings.SELF_FACTS for fact in import_string(path)(instance)]
    more += [fact for path in settings.SEEN_FACTS for fact in import_string(path)(instance, facts)]
    return facts.with_facts(*more)
