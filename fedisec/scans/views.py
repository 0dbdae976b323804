"""Adding and changing an instance, looking now, and following a look while it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

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

from fedisec.accounts import audit
from fedisec.accounts.models import Role, Team, User
from fedisec.accounts.sudo import confirmed_lately
from fedisec.enrolment.models import SshAccess
from fedisec.instances import proof
from fedisec.instances.access import instance_for, teams_for
from fedisec.instances.forms import OWN_FIELDS, AddForm, SettingsForm
from fedisec.instances.models import Instance, Tag
from fedisec.instances.reach import refusal
from fedisec.instances.typed import TypedDomainForm
from fedisec.lib import bounds
from fedisec.scans.models import Scan
from fedisec.scans.queue import Asked, pause_of, queue_scan, set_pace, too_soon


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
        instance = _add(form, form.whose, person(request))
        if instance is not None:
            page = "instance" if proof.holds(instance) else "proof"
            instance.names_team = len(teams) > 1
            return redirect(page, instance.address)
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
            team = Team.objects.select_for_update().get(pk=team.pk)
            bounds.room("instances", Instance.objects.filter(team=team, demo=False))
            instance = Instance.objects.create(team=team, domain=domain, created_by=user, **form.more)
            import_string(settings.ON_INSTANCE_ADDED)(instance)
            audit.record("instance.added", team=team, by=user, instance=instance)
            queue_scan(instance, "first")
    except IntegrityError:
        form.refuse("known", domain)
        return None
    return instance


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
    looks_anew = _save(instance, form, person(request))
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
        with transaction.atomic():
            audit.record("instance.removed", team=instance.team, by=person(request), instance=instance)
            instance.delete()
        messages.success(request, _("%(name)s is gone.") % {"name": instance.name})
        return redirect("overview")
    connected = SshAccess.objects.filter(instance=instance).exists()
    context = {"instance": instance, "form": form, "connected": connected}
    return render(request, "instances/remove.html", context, status=422 if form.errors else 200)


def _save(instance: Instance, form: SettingsForm, user: User) -> bool:
    """Stores what was set, with lines in the trail; True where a look may now find other things."""
    tags = sorted(form.cleaned_data["tags"], key=str.casefold)
    own = {name: form.cleaned_data[name] for name in OWN_FIELDS}
    wanted = {**form.more, **own, "tags": tags}
    with transaction.atomic():
        stored = Instance.objects.select_for_update().get(pk=instance.pk)
        had = {name: getattr(stored, name) for name in wanted if name != "tags"}
        had["tags"] = sorted((tag.name for tag in stored.tags.all()), key=str.casefold)
        changed = [name for name, value in wanted.items() if value != had[name]]
        for name in changed:
            if name != "tags":
                setattr(stored, name, wanted[name])
        stored.save(update_fields=[name for name in changed if name != "tags"])
        set_pace(stored, changed)
        if "tags" in changed:
            stored.tags.all().delete()
            Tag.objects.bulk_create(Tag(instance=stored, name=name) for name in tags)
        _tell(stored, user, had, wanted, changed)
    return any(name in form.more for name in changed)


def _tell(
    instance: Instance,
    user: User,
    had: Mapping[str, Any],
    wanted: Mapping[str, Any],
    changed: Sequence[str],
) -> None:
    """One line for the switch that stops the looks, one for the rest."""
    team = instance.team
    if "paused" in changed:
        action = "instance.paused" if wanted["paused"] else "instance.resumed"
        audit.record(action, team=team, by=user, instance=instance)
    rest = [name for name in changed if name != "paused"]
    if rest:
        before, after = ("; ".join(f"{n}: {_plain(side[n])}" for n in rest) for side in (had, wanted))
        audit.record("instance.changed", team=team, by=user, instance=instance, before=before, after=after)


def _plain(value: Any) -> str:
    if value is None:
        return "–"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


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
