"""The only way to an object: every query for one starts from the person who asks.

An address names an instance by its domain.  Two teams may watch the same domain, and somebody may be in
both: then `DOMAIN~TEAM` says whose is meant, and the bare domain asks (`Several`, see `choosing`)."""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404

from fedisec.accounts.models import Role, User
from fedisec.accounts.teams import AT_LEAST, teams_for
from fedisec.instances.models import Instance

__all__ = [
    "Several",
    "instance_for",
    "instances_for",
    "listed_for",
    "may",
    "may_edit",
    "may_own",
    "of_teams",
    "teams_for",
    "tell_apart",
]
M = TypeVar("M", bound=Model)


class Several(Exception):
    """More than one instance of the reader has this domain; `instances` in the order of their teams."""

    def __init__(self, instances: list[Instance]) -> None:
        super().__init__(f"{len(instances)} instances of {instances[0].domain}")
        self.instances = instances


def of_teams(found: QuerySet[M], user: User, role: Role = Role.VIEWER) -> QuerySet[M]:
    """Of `found`, whose model has a `team`, what belongs to the teams in which `user` may act as `role`."""
    return found.filter(team__in=teams_for(user, role))


def instances_for(user: User, role: Role = Role.VIEWER) -> QuerySet[Instance]:
    """The instances that `user` may treat as `role`; empty for a stranger."""
    return Instance.objects.filter(
        team__memberships__user=user, team__memberships__role__in=AT_LEAST[role]
    ).distinct()


def listed_for(user: User) -> QuerySet[Instance]:
    """The same, for a page that asks much of thousands: its teams are asked for once, and each query that
    follows names them, so that a database plans it well."""
    return Instance.objects.filter(team__in=list(teams_for(user).values_list("pk", flat=True)))


def instance_for(user: User, name: str, role: Role = Role.VIEWER) -> Instance:
    """One instance as an address names it; Http404 for a stranger, as if it did not exist.  `Several` where
    the domain alone does not say which."""
    domain, named, team = name.partition("~")
    mine = instances_for(user, role).select_related("team").filter(domain=domain)
    if named:
        if not (team.isascii() and team.isdecimal() and len(team) < 19):
            raise Http404
        mine = mine.filter(team=int(team))
    found = list(mine.order_by("team", "pk"))
    if not found:
        raise Http404
    if len(found) > 1:
        raise Several(found)
    found[0].names_team = bool(named)
    return found[0]


def tell_apart(instances: list[Instance]) -> None:
    """Makes the addresses of those that share a domain name their team."""
    domains = [one.domain for one in instances]
    for one in instances:
        one.names_team = domains.count(one.domain) > 1


def may(user: User, instance: Instance, role: Role) -> bool:
    """Whether `user` may treat `instance` as `role`."""
    return instances_for(user, role).filter(pk=instance.pk).exists()


def may_edit(user: User, instance: Instance) -> bool:
    """True for an editor or owner of the team that `instance` belongs to."""
    return may(user, instance, Role.EDITOR)


def may_own(user: User, instance: Instance) -> bool:
    """True for an owner of the team that `instance` belongs to."""
    return may(user, instance, Role.OWNER)
