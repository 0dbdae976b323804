"""Teams and who is in them: each change in one transaction with its line in the trail and its notices.

A team always has an owner: the last one can neither leave nor be given another role."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404

from fedisec.accounts import audit
from fedisec.accounts.models import Membership, Role, Team, User
from fedisec.accounts.notices import tell
from fedisec.lib import bounds

TEAMS_MAX = 50  # that one person may make
AT_LEAST = {
    Role.VIEWER: (Role.VIEWER, Role.EDITOR, Role.OWNER),
    Role.EDITOR: (Role.EDITOR, Role.OWNER),
    Role.OWNER: (Role.OWNER,),
}


class Refused(Exception):
    """The change would leave a team without an owner, or lose what it holds; `code` says which."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def teams_for(user: User, role: Role = Role.VIEWER) -> QuerySet[Team]:
    """The teams in which `user` may act as `role`, the oldest first."""
    mine = Team.objects.filter(memberships__user=user, memberships__role__in=AT_LEAST[role])
    return mine.order_by("pk").distinct()


def team_for(user: User, pk: int, role: Role = Role.VIEWER) -> Team:
    """One team; Http404 for a stranger, as if it did not exist."""
    found = teams_for(user, role).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def team_to_manage(user: User, pk: int) -> Team:
    """A team whose members and invitations `user` may change: its owners, and who runs the installation, so
    that a team whose owners are gone is not lost.  Http404 for anybody else."""
    mine = Team.objects.all() if user.is_superuser else teams_for(user, Role.OWNER)
    found = mine.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def member_of(team: Team, pk: int) -> Membership:
    found = Membership.objects.filter(team=team, pk=pk).select_related("user", "team").first()
    if found is None:
        raise Http404
    return found


def create(name: str, user: User) -> Team:
    """A team of which `user` is the owner.  Refused("many") for who made too many."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        if Membership.objects.filter(user=user, role=Role.OWNER).count() >= TEAMS_MAX:
            raise Refused("many")
        team = Team.objects.create(name=name)
        Membership.objects.create(team=team, user=user, role=Role.OWNER)
        audit.record("team.created", team=team, by=user, after=name)
    return team


def rename(team: Team, name: str, user: User) -> None:
    with transaction.atomic():
        before = Team.objects.select_for_update().get(pk=team.pk).name
        if before != name:
            Team.objects.filter(pk=team.pk).update(name=name)
            audit.record("team.renamed", team=team, by=user, before=before, after=name)


def join(team: Team, user: User, role: str, by: User | None) -> bool:
    """Adds a member and tells the owners; False where the person is one already (the role stays).
    bounds.Full where the team has as many as it may."""
    with transaction.atomic():
        _locked(team)
        if not Membership.objects.filter(team=team, user=user).exists():
            bounds.room("members", Membership.objects.filter(team=team))
        _row, made = Membership.objects.get_or_create(team=team, user=user, defaults={"role": role})
        if made:
            audit.record("team.joined", team=team, by=by, after=role, data={"who": user.email})
            _tell_owners(team, "member_added", user)
    return made


def change_role(member: Membership, role: Role, by: User) -> None:
    """Counts at the next request of that person.  Refused("last") for the last owner."""
    with transaction.atomic():
        _locked(member.team)
        stored = Membership.objects.select_for_update().get(pk=member.pk)
        before = stored.role
        if before == role:
            return
        if before == Role.OWNER:
            _keep_an_owner(stored)
        stored.role = role
        stored.save(update_fields=["role"])
        who = {"who": member.user.email}
        audit.record("team.role_changed", team=member.team, by=by, before=before, after=role, data=who)
        _tell_owners(member.team, "member_changed", member.user, role=role)


def remove(member: Membership, by: User) -> None:
    """Takes somebody out of a team, or lets `by` leave.  Refused("last") for the last owner."""
    with transaction.atomic():
        _locked(member.team)
        stored = Membership.objects.select_for_update().get(pk=member.pk)
        if stored.role == Role.OWNER:
            _keep_an_owner(stored)
        stored.delete()
        action = "team.left" if by.pk == member.user_id else "team.removed"
        who = {"who": member.user.email}
        audit.record(action, team=member.team, by=by, before=stored.role, data=who)
        _tell_owners(member.team, "member_removed", member.user)
        if by.pk != member.user_id:
            tell(member.user, "member_removed", who=member.user.email, team=member.team.name)


def delete(team: Team, by: User) -> None:
    """Removes a team that watches nothing.  Refused("not_empty") while it does.  The trail stays."""
    with transaction.atomic():
        _locked(team)
        if team.instances.exists():  # of the layer above
            raise Refused("not_empty")
        audit.record("team.deleted", team=team, by=by, before=team.name)
        team.delete()


def _locked(team: Team) -> Team:
    """Two changes of one team wait for each other, so that both cannot take the last owner away."""
    return Team.objects.select_for_update().get(pk=team.pk)


def _keep_an_owner(member: Membership) -> None:
    others = Membership.objects.filter(team=member.team_id, role=Role.OWNER, user__is_active=True)
    if not others.exclude(pk=member.pk).exists():
        raise Refused("last")


def _tell_owners(team: Team, kind: str, about: User, **data: str) -> None:
    for owner in User.objects.filter(memberships__team=team, memberships__role=Role.OWNER, is_active=True):
        tell(owner, kind, who=about.email, team=team.name, **data)
