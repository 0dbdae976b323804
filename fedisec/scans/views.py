"""Adding and changing an instance, looking now, and following a look while it runs."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseClientRefresh
from django_htmx.middleware import HtmxDetails

from fedisec.accounts.models import Role, User
from fedisec.accounts.sudo import confirmed_lately
from fedisec.enrolment.models import SshAccess
from fedisec.instances import proof
from fedisec.instances.access import instance_for, teams_for
from fedisec.instances.forms import AddForm, SettingsForm
from fedisec.instances.typed import TypedDomainForm
from fedisec.scans.keeping import added, remove, saved
from fedisec.scans.models import Scan
from fedisec.scans.queue import Asked, pause_of, queue_scan, too_soon


class HtmxRequest(HttpRequest):
    """A request that django-htmx has looked at, by a signed-in user."""

    htmx: HtmxDetails
    user: User


def person(request: HttpRequest) -> User:
    """The signed-in user; every view that calls this is closed to strangers by the middleware."""
    return cast(User, request.user)


@require_http_methods(["GET", "POST"])
def instance_add(request: HttpRequest) -> HttpResponse:
    """Takes a domain, looks whether it may be visited, stores it and starts the first scan."""
    teams = list(teams_for(person(request), Role.EDITOR))
    if not teams:
        raise Http404
    form = AddForm(teams, request.POST or None)
    if request.method == "POST" and form.is_valid():
        instance = added(form, form.whose, person(request))
        if instance is not None:
            page = "instance" if proof.holds(instance) else "proof"
            instance.names_team = len(teams) > 1
            return redirect(page, instance.address)
    return render(request, "instances/add.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def instance_edit(request: HttpRequest, domain: str) -> HttpResponse:
    """What the admin knows about an instance and fedisec cannot see; a change is looked at at once."""
    instance = instance_for(person(request), domain, Role.EDITOR)
    form = SettingsForm(request.POST, instance=instance) if request.method == "POST" else None
    if form is None or not form.is_valid():
        owned = set(teams_for(person(request), Role.OWNER).values_list("pk", flat=True))
        context = {
            "instance": instance,
            "form": form or SettingsForm.of(instance),
            "is_owner": instance.team_id in owned,
            "may_move": len(owned) > 1,
        }
        return render(request, "instances/edit.html", context, status=422 if form is not None else 200)
    looks_anew = saved(instance, form, person(request))
    pause_s = pause_of(person(request))
    asked = queue_scan(instance, "manual", pause_s=pause_s) if looks_anew else None
    told = {
        Asked.QUEUED: _("Saved. fedisec looks again now."),
        Asked.LIVE: _("Saved. It counts from the next look on."),
        Asked.TOO_SOON: _("Saved. It counts from the next look on."),
        Asked.DEMO: _("Saved."),
        Asked.UNPROVEN: _("Saved."),
    }
    messages.success(request, told[asked] if asked is not None else _("Saved."))
    return redirect("instance", instance.address)


@require_http_methods(["GET", "POST"])
@confirmed_lately
def instance_remove(request: HttpRequest, domain: str) -> HttpResponse:
    """Removes an instance with all that belongs to it, once its domain was typed.  The trail stays."""
    instance = instance_for(person(request), domain, Role.OWNER)
    form = TypedDomainForm(instance, request.POST or None)
    if request.method == "POST" and form.is_valid():
        remove(instance, person(request))
        messages.success(request, _("%(name)s is gone.") % {"name": instance.name})
        return redirect("overview")
    connected = SshAccess.objects.filter(instance=instance).exists()
    context = {"instance": instance, "form": form, "connected": connected}
    return render(request, "instances/remove.html", context, status=422 if form.errors else 200)


@require_POST
def scan_now(request: HttpRequest, domain: str) -> HttpResponse:
    """Queues a scan, unless the last one of the instance began a moment ago."""
    instance = instance_for(person(request), domain, Role.EDITOR)
    pause_s = pause_of(person(request))
    asked = queue_scan(instance, "manual", pause_s=pause_s)
    if asked is Asked.TOO_SOON:
        messages.info(request, too_soon(pause_s))
    elif asked is Asked.UNPROVEN:
        return redirect("proof", instance.address)
    elif asked is Asked.DEMO:
        messages.info(request, _("A demo server is made up: fedisec never looks at it."))
    return redirect("instance", instance.address)


@require_GET
@vary_on_headers("HX-Request")
def progress(request: HttpRequest, domain: str) -> HttpResponse:
    """The live scan as a fragment that asks for itself again; once it ended, the page is loaded anew."""
    instance = instance_for(person(request), domain)
    scan = Scan.objects.filter(instance=instance).first()
    if scan is None or not scan.is_live:
        if not cast(HtmxRequest, request).htmx:
            return redirect("instance", instance.address)
        return HttpResponseClientRefresh()
    return render(request, "scans/progress.html", {"instance": instance, "scan": scan})
