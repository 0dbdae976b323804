"""Moves an instance to another team of somebody who owns both."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from fedisec.accounts import audit
from fedisec.accounts.models import Role, Team, User
from fedisec.accounts.sudo import confirmed_lately
from fedisec.checklist import daily
from fedisec.checklist.models import OwnItem
from fedisec.instances.access import instance_for, teams_for
from fedisec.instances.models import Instance, Proof
from fedisec.lib import bounds
from fedisec.scans.views import person


class MoveForm(forms.Form):
    """Where to: one of the other teams that the reader owns."""

    team = forms.ChoiceField(label=gettext_lazy("To the team"))

    def __init__(self, teams: list[Team], *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._teams = {str(team.pk): team for team in teams}
        self.fields["team"].choices = [(key, team.name) for key, team in self._teams.items()]  # type: ignore[attr-defined]  # a ChoiceField's

    @property
    def chosen(self) -> Team:
        return self._teams[self.cleaned_data["team"]]


@require_http_methods(["GET", "POST"])
@confirmed_lately
def instance_move(request: HttpRequest, domain: str) -> HttpResponse:
    """Takes the instance, with its history, answers and key, over to another team."""
    user = person(request)
    instance = instance_for(user, domain, Role.OWNER)
    others = [team for team in teams_for(user, Role.OWNER) if team.pk != instance.team_id]
    if not others:
        raise Http404
    form = MoveForm(others, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        if move(instance, form.chosen, user):
            messages.success(request, _("Moved to %(team)s.") % {"team": form.chosen.name})
            return redirect("instance", f"{instance.domain}~{form.chosen.pk}")
        form.add_error("team", _("That team watches this server already."))
    context = {"instance": instance, "form": form}
    return render(request, "instances/move.html", context, status=422 if form.errors else 200)


def move(instance: Instance, team: Team, by: User) -> bool:
    """False where `team` has one of that domain.  What belongs to the team before (its channels, mails to
    people who are not in the new one, a proof of control) stays behind.  bounds.Full where no room is."""
    before = instance.team
    try:
        with transaction.atomic():
            Team.objects.select_for_update().get(pk=team.pk)
            bounds.room("instances", Instance.objects.filter(team=team, demo=False))
            Instance.objects.filter(pk=instance.pk, team=before).update(team=team)
            OwnItem.objects.filter(instance=instance).update(team=team)
            Proof.objects.filter(instance=instance).delete()
            instance.channels.clear()  # of a layer above
            instance.subscriptions.exclude(user__teams=team).delete()
            instance.team = team
            daily.note(instance, timezone.now())
            for one in (before, team):
                audit.record(
                    "instance.moved",
                    team=one,
                    by=by,
                    instance=instance,
                    before=before.name,
                    after=team.name,
                )
    except IntegrityError:
        return False
    return True
