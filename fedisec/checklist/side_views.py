"""What people keep beside the checklist: views of the overview, and grades from other sites."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from fedisec.accounts import audit
from fedisec.accounts.models import Role
from fedisec.checklist.sieve import Sieve
from fedisec.checklist.view_forms import VIEWS_MAX, GradeForm, ViewForm
from fedisec.instances.access import instance_for
from fedisec.instances.graders import BY_ID, GRADERS
from fedisec.instances.models import Instance, NotedGrade, SavedView
from fedisec.scans.views import person


@require_POST
def view_save(request: HttpRequest) -> HttpResponse:
    """Keeps a filter of the overview under a name; a name that exists gets the new filter."""
    user = person(request)
    form = ViewForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("A view needs a name of 40 characters at most."))
        return redirect("overview")
    query = Sieve.of(QueryDict(form.cleaned_data["query"])).query
    name = form.cleaned_data["name"]
    with transaction.atomic():
        known = SavedView.objects.filter(user=user)
        if known.count() >= VIEWS_MAX and not known.filter(name=name).exists():
            messages.error(request, _("%(count)d views at most. Drop one first.") % {"count": VIEWS_MAX})
        else:
            SavedView.objects.update_or_create(user=user, name=name, defaults={"query": query})
    return redirect(_overview(query))


@require_POST
def view_drop(request: HttpRequest, pk: int) -> HttpResponse:
    """Forgets a saved view of the reader's own; the instances stay."""
    found = get_object_or_404(SavedView, pk=pk, user=person(request))
    query = found.query
    found.delete()
    return redirect(_overview(query))


def _overview(query: str) -> str:
    return f"{reverse('overview')}?{query}" if query else reverse("overview")


@require_POST
def grade_note(request: HttpRequest, domain: str) -> HttpResponse:
    """Keeps what somebody read on a grader's site."""
    instance = instance_for(person(request), domain, Role.EDITOR)
    form = GradeForm(request.POST)
    if form.is_valid():
        given, user = form.cleaned_data, person(request)
        with transaction.atomic():
            before = instance.grades.filter(grader=given["grader"]).first()
            NotedGrade.objects.create(instance=instance, by=user, **given)
            audit.record(
                "grade.noted",
                team=instance.team,
                by=user,
                instance=instance,
                before=before.grade if before else "",
                after=given["grade"],
                data={"site": BY_ID[given["grader"]].name, "seen on": given["seen_on"].isoformat()},
            )
    else:
        for errors in form.errors.values():
            messages.error(request, " ".join(str(error) for error in errors))
    return redirect(reverse("instance", args=[instance.address]) + "#opinions")


def opinions_of(instance: Instance) -> list[dict[str, Any]]:
    """Each grader with its link and the newest grade that somebody noted.  One query."""
    newest: dict[str, NotedGrade] = {}
    for grade in instance.grades.select_related("by"):
        newest.setdefault(grade.grader, grade)
    asked = {"internetnl-mail", "mxtoolbox"}  # they look at mail, so at the domain that mail comes from
    return [
        {
            "grader": grader,
            "link": grader.link(instance.target.mail_domain if grader.id in asked else instance.domain),
            "grade": newest.get(grader.id),
        }
        for grader in GRADERS
    ]


def grade_form() -> GradeForm:
    return GradeForm(initial={"seen_on": timezone.localdate()}, auto_id="grade-%s")
