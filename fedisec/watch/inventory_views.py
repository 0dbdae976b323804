"""The page that lists what an instance is made of, and the lines that people write there."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from checks.data.support import os_as_of, stack_as_of
from checks.facts.inside import Inside
from fedisec.accounts.models import Role
from fedisec.enrolment.models import SshAccess
from fedisec.instances.access import instance_for, may_edit
from fedisec.instances.models import Instance
from fedisec.scans.views import person
from fedisec.watch import lifecycles, parts, stock
from fedisec.watch.inventory import inventory_of
from fedisec.watch.inventory_forms import StatedForm
from fedisec.watch.stock_models import Stated

RENEW_AHEAD_DAYS = 14  # so long before its end a line by hand asks to be confirmed


@require_http_methods(["GET", "POST"])
def inventory(request: HttpRequest, domain: str) -> HttpResponse:
    """Programs with versions, sources and ends of support, from the last look that brought each side; a POST
    writes a line down."""
    if request.method == "GET":
        return _page(request, instance_for(person(request), domain), StatedForm())
    user = person(request)
    instance = instance_for(user, domain, Role.EDITOR)
    form = StatedForm(request.POST)
    if form.is_valid():
        try:
            stock.state(instance, user, **form.cleaned_data)
        except stock.Full:
            form.add_error(None, _("There are too many lines; remove one first."))
        else:
            return redirect(reverse("inventory", args=[instance.address]) + "#by-hand")
    return _page(request, instance, form)


def _page(request: HttpRequest, instance: Instance, form: StatedForm) -> HttpResponse:
    access = SshAccess.objects.filter(instance=instance).first()
    scan, facts = stock.last_look(instance)
    inside = facts.maybe(Inside) or stock.last_inside(instance)
    lines = stock.live(instance)
    stated = [parts.Stated(one.product, one.version, timezone.localdate(one.valid_until)) for one in lines]
    today = timezone.localdate()
    known = lifecycles.tables_now()
    found = inventory_of(facts, inside, today, known, stated)
    by_hand = [
        (line, one, (one.part.until or today) - today) for line, one in zip(lines, found.by_hand, strict=True)
    ]
    context: dict[str, Any] = {
        "instance": instance,
        "scan": scan,
        "access": access,
        "inside": inside,
        "is_old": inside is not None and Inside not in facts.found,
        "found": found,
        "by_hand": [(line, one, left.days <= RENEW_AHEAD_DAYS) for line, one, left in by_hand],
        "form": form,
        "may_edit": may_edit(person(request), instance),
        "os_as_of": os_as_of(),
        "stack_as_of": stack_as_of(),
        "read_on": max(known.read.values(), default=None),
    }
    return render(request, "watch/inventory.html", context, status=422 if form.errors else 200)


@require_POST
def line(request: HttpRequest, domain: str, pk: int) -> HttpResponse:
    """Confirms a line by hand, or removes it."""
    user = person(request)
    instance = instance_for(user, domain, Role.EDITOR)
    found = Stated.objects.select_related("instance__team").filter(instance=instance, pk=pk).first()
    if found is None:
        raise Http404
    if found.ended_at is not None:
        messages.info(request, _("Somebody has changed this line meanwhile."))
    elif request.POST.get("do") == "confirm":
        stock.state(instance, user, found.product, found.version)
    else:
        stock.remove(found, user)
    return redirect(reverse("inventory", args=[instance.address]) + "#by-hand")
