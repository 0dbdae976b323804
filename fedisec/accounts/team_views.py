"""The pages of teams: mine, one of them with its members and invitations, and the ways in and out."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fedisec.accounts import invitations, teams
from fedisec.accounts.models import Membership, Role, Team, User
from fedisec.accounts.sudo import confirmed_lately
from fedisec.accounts.team_forms import InviteForm, NameForm, RoleForm, TypedNameForm

_REFUSED = {
    "last": gettext_lazy("A team needs an owner. Make somebody else an owner first."),
    "not_empty": gettext_lazy("The team still watches servers. Remove them or move them first."),
    "many": gettext_lazy("You own many teams already. Delete one first."),
}


def _person(request: HttpRequest) -> User:
    return cast(User, request.user)


@require_http_methods(["GET", "POST"])
def my_teams(request: HttpRequest) -> HttpResponse:
    """The teams that the reader is in, and a form for another one; the operator sees that others exist."""
    user = _person(request)
    form = NameForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = teams.create(form.cleaned_data["name"], user)
        except teams.Refused as error:
            form.add_error("name", str(_REFUSED[error.code]))
        else:
            messages.success(request, _("Made. Invite the others now."))
            return redirect("team", made.pk)
    mine = Membership.objects.filter(user=user).select_related("team").order_by("team__name", "team")
    counted = mine.annotate(members=Count("team__memberships", distinct=True))
    rows = [(one.team, Role(one.role), one.members) for one in counted]
    others = Team.objects.exclude(memberships__user=user) if user.is_superuser else Team.objects.none()
    context = {
        "rows": rows,
        "others": list(others.annotate(members_count=Count("memberships")).order_by("name", "pk")),
        "form": form,
    }
    return render(request, "teams/list.html", context, status=422 if form.errors else 200)


@require_GET
def team(request: HttpRequest, pk: int) -> HttpResponse:
    """Who is in it; its owners change that here."""
    return _page(request, _readable(_person(request), pk))


@require_POST
def team_rename(request: HttpRequest, pk: int) -> HttpResponse:
    found = teams.team_for(_person(request), pk, Role.OWNER)
    form = NameForm(request.POST)
    if not form.is_valid():
        return _page(request, found, rename=form)
    teams.rename(found, form.cleaned_data["name"], _person(request))
    messages.success(request, _("Saved."))
    return redirect("team", pk)


@require_POST
@confirmed_lately
def team_invite(request: HttpRequest, pk: int) -> HttpResponse:
    """Invites an address; the link is shown this once, and mailed where there is a relay."""
    user = _person(request)
    found = teams.team_to_manage(user, pk)
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _page(request, found, invite=form)
    email = form.cleaned_data["email"]
    if invitations.is_member(found, email):
        form.add_error("email", _("This person is in the team already."))
        return _page(request, found, invite=form)
    try:
        made, link = invitations.invite(found, email, form.chosen, user)
    except invitations.TooMany:
        form.add_error("email", _("Enough invitations for now. Revoke some, or wait a day."))
        return _page(request, found, invite=form)
    return _page(request, found, made=made, link=link)


@require_POST
@confirmed_lately
def team_uninvite(request: HttpRequest, pk: int, invitation: int) -> HttpResponse:
    user = _person(request)
    invitations.revoke(teams.team_to_manage(user, pk), invitation, user)
    messages.success(request, _("Revoked. The link leads nowhere now."))
    return redirect("team", pk)


@require_POST
@confirmed_lately
def member_role(request: HttpRequest, pk: int, member: int) -> HttpResponse:
    user = _person(request)
    found = teams.member_of(teams.team_to_manage(user, pk), member)
    form = RoleForm(request.POST)
    if form.is_valid():
        try:
            teams.change_role(found, form.chosen, user)
        except teams.Refused as error:
            messages.error(request, str(_REFUSED[error.code]))
        else:
            messages.success(request, _("Saved. It counts at once."))
    return redirect("team" if _may_read(user, pk) else "teams", *([pk] if _may_read(user, pk) else []))


@require_http_methods(["GET", "POST"])
@confirmed_lately
def member_remove(request: HttpRequest, pk: int, member: int) -> HttpResponse:
    """Asks once more, then takes somebody out of the team."""
    user = _person(request)
    found = teams.member_of(teams.team_to_manage(user, pk), member)
    return _goes(request, found, "teams/remove.html")


@require_http_methods(["GET", "POST"])
def team_leave(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks once more, then takes the reader out of the team."""
    user = _person(request)
    mine = teams.team_for(user, pk).memberships.select_related("user", "team").get(user=user)
    return _goes(request, mine, "teams/leave.html")


def _goes(request: HttpRequest, member: Membership, template: str) -> HttpResponse:
    user, refused = _person(request), ""
    if request.method == "POST":
        try:
            teams.remove(member, user)
        except teams.Refused as error:
            refused = str(_REFUSED[error.code])
        else:
            messages.success(request, _("%(who)s is no longer in the team.") % {"who": member.user.email})
            return redirect("team", member.team_id) if _may_read(user, member.team_id) else redirect("teams")
    context = {"team": member.team, "member": member, "refused": refused}
    return render(request, template, context, status=422 if refused else 200)


@require_http_methods(["GET", "POST"])
@confirmed_lately
def team_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends a team that watches nothing, once its name was typed."""
    user = _person(request)
    found = teams.team_for(user, pk, Role.OWNER)
    form = TypedNameForm(found, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            teams.delete(found, user)
        except teams.Refused as error:
            form.add_error(None, str(_REFUSED[error.code]))
        else:
            messages.success(request, _("The team is gone."))
            return redirect("teams")
    context = {"team": found, "form": form}
    return render(request, "teams/delete.html", context, status=422 if form.errors else 200)


def _may_read(user: User, pk: int) -> bool:
    return user.is_superuser or teams.teams_for(user).filter(pk=pk).exists()


def _readable(user: User, pk: int) -> Team:
    return teams.team_to_manage(user, pk) if user.is_superuser else teams.team_for(user, pk)


def _page(
    request: HttpRequest,
    found: Team,
    *,
    rename: NameForm | None = None,
    invite: InviteForm | None = None,
    made: object = None,
    link: str = "",
) -> HttpResponse:
    user = _person(request)
    mine = Membership.objects.filter(user=user, team=found).first()
    is_owner = mine is not None and mine.role == Role.OWNER
    members = list(found.memberships.select_related("user").order_by("user__email"))
    context: dict[str, Any] = {
        "team": found,
        "mine": mine,
        "is_owner": is_owner,
        "may_manage": is_owner or user.is_superuser,
        "members": [(one, Role(one.role).label) for one in members],
        "roles": Role.choices,
        "rename": rename or NameForm(initial={"name": found.name}),
        "invite": invite or InviteForm(initial={"role": Role.VIEWER.value}, auto_id="invite-%s"),
        "made": made,
        "link": link,
    }
    if context["may_manage"]:
        context["open"] = [(one, Role(one.role).label) for one in invitations.open_of(found)]
    wrong = any(form is not None and form.errors for form in (rename, invite))
    return render(request, "teams/team.html", context, status=422 if wrong else 200)
