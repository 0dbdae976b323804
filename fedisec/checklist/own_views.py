"""The page of a team's own items: list, add, change, retire."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fedisec.accounts.models import Role, User
from fedisec.checklist import own_changes
from fedisec.checklist.models import OwnItem
from fedisec.checklist.own_forms import OwnItemForm, stored
from fedisec.instances.access import instances_for, of_teams, teams_for
from fedisec.scans.views import person


@require_GET
def own_items(request: HttpRequest) -> HttpResponse:
    """The own items of the reader's teams; what was retired stands at the end."""
    user = person(request)
    mine = of_teams(OwnItem.objects.all(), user).select_related("team", "instance")
    items = list(mine)
    editable = set(teams_for(user, Role.EDITOR).values_list("pk", flat=True))
    context = {
        "items": [own for own in items if own.retired_at is None],
        "retired": [own for own in items if own.retired_at is not None],
        "editable": editable,
        "several": len({own.team_id for own in items} | editable) > 1,
    }
    return render(request, "checklist/own_items.html", context)


@require_http_methods(["GET", "POST"])
def own_item_add(request: HttpRequest) -> HttpResponse:
    """A new item; with ?instance=DOMAIN that one is chosen already."""
    user = person(request)
    form = _form(user, request)
    if request.method == "POST" and form.is_valid():
        own_changes.add(form.team, form.instance, user, form.texts)
        messages.success(request, _("Added. It is asked at the end of the checklist from now on."))
        return redirect("own_items")
    return render(request, "checklist/own_form.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def own_item_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Changes an item; answers that were given stay."""
    user = person(request)
    own = _mine(user, pk)
    form = _form(user, request, own)
    if request.method == "POST" and form.is_valid():
        if own_changes.change(own, form.team, form.instance, user, form.texts):
            messages.success(
                request, _("Saved. Answers that were given before stay; look whether they still fit.")
            )
        return redirect("own_items")
    context = {"form": form, "own": own}
    return render(request, "checklist/own_form.html", context, status=422 if form.errors else 200)


@require_POST
def own_item_retire(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks nobody any more; can be brought back, so no question comes before it."""
    own_changes.retire(_mine(person(request), pk), person(request))
    messages.success(
        request, _("Retired: nobody is asked any more. The answers are kept, and it can be brought back.")
    )
    return redirect("own_items")


@require_POST
def own_item_restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks again."""
    own_changes.restore(_mine(person(request), pk), person(request))
    messages.success(request, _("Brought back: it is asked again."))
    return redirect("own_items")


def _mine(user: User, pk: int) -> OwnItem:
    """An item of a team that the person may edit; for anybody else it does not exist."""
    mine = of_teams(OwnItem.objects.filter(pk=pk), user, Role.EDITOR)
    found = mine.select_related("team", "instance").first()
    if found is None:
        raise Http404
    return found


def _form(user: User, request: HttpRequest, own: OwnItem | None = None) -> OwnItemForm:
    teams = list(teams_for(user, Role.EDITOR))
    if not teams:
        raise Http404
    instances = list(instances_for(user, Role.EDITOR).order_by("domain"))
    initial = stored(own) if own is not None else {}
    wanted = request.GET.get("instance", "")
    chosen = next((one for one in instances if one.domain == wanted), None)
    if chosen is not None:
        initial["where"] = f"one:{chosen.pk}"
    return OwnItemForm(teams, instances, request.POST if request.method == "POST" else None, initial)
