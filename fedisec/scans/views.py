"""Adding and changing an instance, looking now, and following a look while it runs."""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseClientRefresh
from django_htmx.middleware import HtmxDetails

from fedisec.accounts.models import Role, Team, User
from fedisec.instances.access import instance_for
from fedisec.instances.forms import AddForm, MoreForm
from fedisec.instances.models import Instance
from fedisec.instances.reach import refusal
from fedisec.scans.models import Scan
from fedisec.scans.queue import Asked, queue_scan


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
    team = _team_of_editor(person(request))
    form = AddForm(team, request.POST or None)
    if request.method == "POST" and form.is_valid():
        instance = _add(form, team, person(request))
        if instance is not None:
            return redirect("instance", instance.domain)
    return render(request, "instances/add.html", {"form": form}, status=422 if form.errors else 200)


def _add(form: AddForm, team: Team, user: User) -> Instance | None:
    """The stored instance with its first scan queued; None with an error on the form, and nothing stored."""
    domain = form.cleaned_data["domain"]
    code = refusal(domain)  # network, so before any transaction
    if code:
        form.refuse(code, domain)
        return None
    try:
        with transaction.atomic():
            instance = Instance.objects.create(team=team, domain=domain, created_by=user, **form.more)
            import_string(settings.ON_INSTANCE_ADDED)(instance)
            queue_scan(instance, "first")
    except IntegrityError:
        form.refuse("known", domain)
        return None
    return instance


@require_http_methods(["GET", "POST"])
def instance_edit(request: HttpRequest, domain: str) -> HttpResponse:
    """What the admin knows about an instance and fedisec cannot see; a change is looked at at once."""
    instance = instance_for(person(request), domain, Role.EDITOR)
    if request.method != "POST":
        return render(request, "instances/edit.html", {"instance": instance, "form": MoreForm.of(instance)})
    form = MoreForm(request.POST)
    if not form.is_valid():
        return render(request, "instances/edit.html", {"instance": instance, "form": form}, status=422)
    for name, value in form.more.items():
        setattr(instance, name, value)
    instance.save(update_fields=list(form.more))
    asked = queue_scan(instance, "manual")
    told = {
        Asked.QUEUED: _("Saved. fedisec looks again now."),
        Asked.LIVE: _("Saved. It counts from the next look on."),
        Asked.TOO_SOON: _("Saved. It counts from the next look on."),
        Asked.DEMO: _("Saved."),
    }
    messages.success(request, told[asked])
    return redirect("instance", instance.domain)


def _team_of_editor(user: User) -> Team:
    team = (
        Team.objects.filter(memberships__user=user, memberships__role__in=(Role.EDITOR, Role.OWNER))
        .order_by("pk")
        .first()
    )
    if team is None:
        raise Http404
    return team


@require_POST
def scan_now(request: HttpRequest, domain: str) -> HttpResponse:
    """Queues a scan, at most one a minute for an instance."""
    instance = instance_for(person(request), domain, Role.EDITOR)
    asked = queue_scan(instance, "manual")
    if asked is Asked.TOO_SOON:
        messages.info(request, _("The last scan was less than a minute ago. Try again in a moment."))
    elif asked is Asked.DEMO:
        messages.info(request, _("A demo server is made up: fedisec never looks at it."))
    return redirect("instance", instance.domain)


@require_GET
@vary_on_headers("HX-Request")
def progress(request: HttpRequest, domain: str) -> HttpResponse:
    """The live scan as a fragment that asks for itself again; once it ended, the page is loaded anew."""
    instance = instance_for(person(request), domain)
    scan = Scan.objects.filter(instance=instance).first()
    if scan is None or not scan.is_live:
        if not cast(HtmxRequest, request).htmx:
            return redirect("instance", instance.domain)
        return HttpResponseClientRefresh()
    return render(request, "scans/progress.html", {"instance": instance, "scan": scan})
