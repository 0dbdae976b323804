"""Looks at an instance: those that were, the one that runs, and asking for another."""

from __future__ import annotations

import math
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router, Status

from fedisec.accounts.models import Role
from fedisec.api.models import Scope
from fedisec.api.problems import Problem
from fedisec.api.v1 import paging, reach
from fedisec.api.v1.paging import Cursor, Limit
from fedisec.api.v1.reach import Key
from fedisec.api.v1.schemas import Page, ScanOut
from fedisec.instances.models import Instance
from fedisec.scans.models import LIVE, Scan
from fedisec.scans.queue import Asked, pause_of, queue_scan

router = Router(tags=["scans"])


@reach.serves(router, "GET", "/instances/{int:instance}/scans", Scope.READ, Page[ScanOut])
def list_scans(
    request: HttpRequest,
    response: HttpResponse,
    instance: Key,
    cursor: Cursor = "",
    limit: Limit = paging.MOST,
) -> dict[str, Any]:
    """The newest first."""
    found = Scan.objects.filter(instance=reach.instance(request, instance)).defer("facts")
    rows, following = paging.piece(found, cursor, limit, newest_first=True)
    return paging.answer(request, response, [_scan(one) for one in rows], following)


@reach.serves(router, "GET", "/instances/{int:instance}/scans/{int:scan}", Scope.READ, ScanOut)
def get_scan(request: HttpRequest, instance: Key, scan: Key) -> dict[str, Any]:
    """One of them; while it runs, how far it is."""
    found = Scan.objects.filter(instance=reach.instance(request, instance), pk=scan).defer("facts").first()
    if found is None:
        raise Problem(404, "not_found")
    return _scan(found)


@reach.serves(router, "POST", "/instances/{int:instance}/scans", Scope.SCAN, {200: ScanOut, 202: ScanOut})
def begin_scan(request: HttpRequest, response: HttpResponse, instance: Key) -> Status[dict[str, Any]]:
    """Looks now.  Where a look is on its way already, that one is given (200 in place of 202): whoever asks
    twice gets one.  Soon after the last look it is refused, and Retry-After says how long."""
    found, user = reach.instance(request, instance, Role.EDITOR), reach.person(request)
    pause_s = pause_of(user)
    asked = queue_scan(found, "manual", pause_s=pause_s)
    if asked is Asked.TOO_SOON:
        wait_s = str(_wait_s(found, pause_s))
        raise Problem(429, "too_soon", headers={"Retry-After": wait_s})
    if asked in {Asked.DEMO, Asked.UNPROVEN}:
        raise Problem(409, asked.value)
    live = Scan.objects.filter(instance=found, state__in=LIVE).defer("facts").first()
    one = live or Scan.objects.filter(instance=found).defer("facts").first()
    if one is None:
        raise Problem(404, "not_found")  # removed in this moment
    response["Location"] = f"/api/v1/instances/{instance}/scans/{one.pk}"
    return Status(202 if asked is Asked.QUEUED else 200, _scan(one))


def _wait_s(found: Instance, pause_s: int) -> int:
    """Until the pause after the last look is over."""
    last = Scan.objects.filter(instance=found, started_at__isnull=False).order_by("-started_at").first()
    if last is None or last.started_at is None:
        return 1
    return max(1, math.ceil(pause_s - (timezone.now() - last.started_at).total_seconds()))


def _scan(one: Scan) -> dict[str, Any]:
    return {
        "id": one.pk,
        "instance": one.instance_id,
        "state": one.state,
        "reason": one.reason,
        "side": one.side,
        "only": one.only,
        "due_at": one.due_at,
        "started_at": one.started_at,
        "finished_at": one.finished_at,
        "progress": [{"phase": phase, "done": done, "total": total} for phase, done, total in one.phases],
        "error": one.error,
        "counts": one.counts,
        "connections": one.connections,
        "checks_version": one.checks_version,
    }
