"""The page that lists what an instance is made of."""

from __future__ import annotations

from typing import Any

from django.db.models import TextField
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from checks.codec import CodecError, decode_facts
from checks.data.support import os_as_of, stack_as_of
from checks.facts import Facts
from checks.facts.inside import Inside
from fedisec.checklist.inventory import inventory_of
from fedisec.enrolment.models import SshAccess
from fedisec.instances.access import instance_for, may_edit
from fedisec.instances.models import Instance
from fedisec.scans.models import Scan, ScanState
from fedisec.scans.views import person

_HAS_INSIDE = '"$": "Inside"'  # how the codec marks the fact, in the text of either database


@require_GET
def inventory(request: HttpRequest, domain: str) -> HttpResponse:
    """Programs with versions, sources and ends of support; from the last look that brought each side."""
    instance = instance_for(person(request), domain)
    access = SshAccess.objects.filter(instance=instance).first()
    scan, facts = _last(instance)
    inside = facts.maybe(Inside) or _last_inside(instance)
    found = inventory_of(facts, inside, timezone.localdate())
    context: dict[str, Any] = {
        "instance": instance,
        "scan": scan,
        "access": access,
        "inside": inside,
        "is_old": inside is not None and Inside not in facts.found,
        "found": found,
        "may_edit": may_edit(person(request), instance),
        "os_as_of": os_as_of(),
        "stack_as_of": stack_as_of(),
    }
    return render(request, "checklist/inventory.html", context)


def _last(instance: Instance) -> tuple[Scan | None, Facts]:
    """The last whole look, with what it saw."""
    scan = Scan.objects.whole().filter(instance=instance, facts__isnull=False).first()
    return scan, _decoded(scan)


def _last_inside(instance: Instance) -> Inside | None:
    """The report of the last login whose facts are still kept."""
    seen = Scan.objects.filter(instance=instance, state=ScanState.DONE, facts__isnull=False)
    text = seen.annotate(text=Cast("facts", TextField())).filter(text__contains=_HAS_INSIDE)
    return _decoded(text.first()).maybe(Inside)


def _decoded(scan: Scan | None) -> Facts:
    try:
        return decode_facts(scan.facts) if scan is not None else Facts()
    except CodecError:  # of another version: the next look brings new ones
        return Facts()
