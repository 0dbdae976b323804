"""Instances: what is watched, where it stands, and how it is set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from django.conf import settings
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Router, Status
from pydantic import Field

from fedisec.accounts.models import Role
from fedisec.api.models import Scope
from fedisec.api.problems import Problem
from fedisec.api.v1 import paging, reach
from fedisec.api.v1.filled import filled, refused
from fedisec.api.v1.paging import Cursor, Limit
from fedisec.api.v1.reach import Key
from fedisec.api.v1.schemas import InstanceChange, InstanceIn, InstanceOut, Page
from fedisec.checklist.daily import standings_of
from fedisec.checklist.overview import posture_of
from fedisec.checklist.sentence import sentence
from fedisec.checklist.state import State
from fedisec.history.models import Standing
from fedisec.instances.forms import AddForm, SettingsForm
from fedisec.instances.models import Instance
from fedisec.scans.keeping import added, remove, saved
from fedisec.scans.models import LIVE, Scan, ScanState
from fedisec.scans.queue import pause_of, queue_scan
from fedisec.share.sheet import plain

router = Router(tags=["instances"])
_NEWEST = Scan.objects.filter(instance=OuterRef("pk")).order_by("-pk")


@reach.serves(router, "GET", "/instances", Scope.READ, Page[InstanceOut])
def list_instances(
    request: HttpRequest,
    response: HttpResponse,
    cursor: Cursor = "",
    limit: Limit = paging.MOST,
    team: Key | None = None,
    domain: Annotated[str, Field(max_length=253, description="this one, in A-labels")] | None = None,
    tag: Annotated[str, Field(max_length=30)] | None = None,
) -> dict[str, Any]:
    """What is watched, in the order in which it was added."""
    found = reach.instances(request)
    if team is not None:
        found = found.filter(team=team)
    if domain is not None:
        found = found.filter(domain=domain.lower())
    if tag is not None:
        found = found.filter(tags__name__iexact=tag)
    rows, following = paging.piece(found, cursor, limit)
    return paging.answer(request, response, shown(rows), following)


@reach.serves(router, "POST", "/instances", Scope.WRITE, {201: InstanceOut})
def add_instance(request: HttpRequest, response: HttpResponse, payload: InstanceIn) -> dict[str, Any]:
    """Adds a server and begins its first look.  Its name is looked up before it is stored."""
    teams = list(reach.teams(request, Role.EDITOR))
    if not teams:
        raise Problem(403, "role")
    if payload.team is not None:
        teams = [one for one in teams if one.pk == payload.team]
        if not teams:
            raise Problem(422, "invalid", errors=[{"field": "team", "detail": "no team to add it to"}])
    data = filled({**payload.model_dump(exclude={"team"}), "team": payload.team or ""})
    form = AddForm(teams, data)
    instance = added(form, form.whose, reach.person(request)) if form.is_valid() else None
    if instance is None:
        raise refused(form)
    response["Location"] = f"/api/v1/instances/{instance.pk}"
    return shown([instance])[0]


@reach.serves(router, "GET", "/instances/{int:instance}", Scope.READ, InstanceOut)
def get_instance(request: HttpRequest, instance: Key) -> dict[str, Any]:
    """One of them."""
    return shown([reach.instance(request, instance)])[0]


@reach.serves(router, "PATCH", "/instances/{int:instance}", Scope.WRITE, InstanceOut)
def change_instance(request: HttpRequest, instance: Key, payload: InstanceChange) -> dict[str, Any]:
    """Changes what is set, and pauses or resumes.  What a look may now find otherwise is looked at."""
    found = reach.instance(request, instance, Role.EDITOR)
    given = payload.model_dump(exclude_unset=True)
    nulls = [name for name, value in given.items() if value is None and name != "inside_interval_s"]
    if nulls:
        raise Problem(422, "invalid", errors=[{"field": name, "detail": "not null"} for name in nulls])
    stored = SettingsForm.of(found).initial
    form = SettingsForm(filled({**stored, **given}), instance=found)
    if not form.is_valid():
        raise refused(form)
    user = reach.person(request)
    if saved(found, form, user):
        queue_scan(found, "manual", pause_s=pause_of(user))
    return shown([reach.instance(request, instance)])[0]


@reach.serves(router, "DELETE", "/instances/{int:instance}", Scope.WRITE, {204: None})
def remove_instance(
    request: HttpRequest,
    instance: Key,
    domain: Annotated[str, Field(max_length=253, description="its domain, so that no wrong one goes")],
) -> Status[None]:
    """Removes it with all that belongs to it, for owners.  The audit trail stays."""
    found = reach.instance(request, instance, Role.OWNER)
    if domain.lower() != found.domain:
        raise Problem(422, "invalid", errors=[{"field": "domain", "detail": f"not {found.domain}"}])
    remove(found, reach.person(request))
    return Status(204, None)


def shown(rows: Sequence[Instance]) -> list[dict[str, Any]]:
    """The instances as they are given: as many queries for a hundred as for one."""
    keys = [one.pk for one in rows]
    full = {one.pk: one for one in _full(Instance.objects.filter(pk__in=keys))}
    found = [full[pk] for pk in keys if pk in full]
    standings = standings_of(found)
    return [_instance(one, standings[one.pk]) for one in found]


def _full(rows: QuerySet[Instance]) -> QuerySet[Any]:
    return (
        rows.select_related("team")
        .prefetch_related("tags")
        .annotate(
            newest=Subquery(_NEWEST.values("state")[:1]),
            looked_at=Subquery(_NEWEST.whole().values("finished_at")[:1]),
        )
    )


def _instance(one: Any, standing: Standing) -> dict[str, Any]:
    where = posture_of(standing)
    said = sentence(where, scanned=one.looked_at is not None, failed=one.newest == ScanState.FAILED)
    return {
        "id": one.pk,
        "domain": one.domain,
        "name": one.name,
        "team": {"id": one.team_id, "name": one.team.name},
        "url": settings.PUBLIC_URL + reverse("instance", args=[f"{one.domain}~{one.team_id}"]),
        "demo": one.demo,
        "paused": one.paused,
        "tags": [tag.name for tag in one.tags.all()],
        "mail_from": one.mail_from,
        "dkim_selectors": one.dkim_selectors,
        "origins": one.origins,
        "ssh_port": one.ssh_port,
        "ssh_user": one.ssh_user,
        "interval_s": one.interval_s,
        "inside_interval_s": one.inside_interval_s,
        "created_at": one.created_at,
        "next_scan_at": one.next_scan_at,
        "looked_at": one.looked_at,
        "is_scanning": one.newest in LIVE,
        "software": standing.software,
        "posture": {
            "sentence": plain(said),
            "levels": {
                count.level.value: {
                    "met": count.met,
                    "applicable": count.applicable,
                    "accepted": count.accepted,
                }
                for count in where.levels
            },
            "states": {state.value: where.states.get(state, 0) for state in State},
            "required_not_met": standing.required_not_met,
            "not_met_since": standing.not_met_since,
        },
    }
