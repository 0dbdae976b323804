"""The only way to an object: every query for an instance starts from the person who asks."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import Http404

from fedisec.accounts.models import Role, User
from fedisec.instances.models import Instance

_AT_LEAST = {
    Role.VIEWER: (Role.VIEWER, Role.EDITOR, Role.OWNER),
    Role.EDITOR: (Role.EDITOR, Role.OWNER),
    Role.OWNER: (Role.OWNER,),
}


def instances_for(user: User, role: Role = Role.VIEWER) -> QuerySet[Instance]:
    """The instances that `user` may treat as `role`; empty for a stranger."""
    return Instance.objects.filter(
        team__memberships__user=user, team__memberships__role__in=_AT_LEAST[role]
    ).distinct()


def instance_for(user: User, domain: str, role: Role = Role.VIEWER) -> Instance:
    """One instance by its domain; Http404 for a stranger, as if it did not exist."""
    found = instances_for(user, role).select_related("team").filter(domain=domain).order_by("pk").first()
    if found is None:
        raise Http404
    return found


def may_edit(user: User, instance: Instance) -> bool:
    """True for an editor or owner of the team that `instance` belongs to."""
    return instances_for(user, Role.EDITOR).filter(pk=instance.pk).exists()
