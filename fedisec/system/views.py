"""The page of the system, for operators, and what a load balancer asks."""

from __future__ import annotations

from collections import Counter

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_safe

from fedisec.scans.views import person
from fedisec.system import doctor, ready, words
from fedisec.system.line import State


@require_GET
def system(request: HttpRequest) -> HttpResponse:
    """How fedisec itself is; for everybody but its operators the page does not exist."""
    if not person(request).is_superuser:
        raise Http404
    lines = doctor.examine()
    counts = Counter(line.state for line in lines)
    order = (State.BROKEN, State.ATTENTION, State.UNKNOWN, State.OK)
    context = {
        "lines": [
            {
                "name": line.name,
                "title": words.TITLES[line.name],
                "state": words.STATES[line.state],
                "mark": words.MARKS[line.state],
                "cause": words.cause(line),
                "cure": words.cure(line),
                "at": line.at,
            }
            for line in sorted(lines, key=lambda line: order.index(line.state))
        ],
        "counts": [
            (words.STATES[state], words.MARKS[state], counts[state]) for state in order if counts[state]
        ],
        "now": timezone.now(),
    }
    return render(request, "system/system.html", context)


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Whether to send people here: 200, or 503 without a word on why."""
    good = ready.is_ready()
    said = "ready" if good else "not ready"
    return HttpResponse(said, content_type="text/plain", status=200 if good else 503)
