"""Who asks: the token itself, and the teams that it reaches."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from fedisec.accounts.models import Membership
from fedisec.api.models import Scope
from fedisec.api.v1 import paging, reach
from fedisec.api.v1.paging import Cursor, Limit
from fedisec.api.v1.schemas import Page, TeamOut, TokenOut

router = Router(tags=["token"])


@reach.serves(router, "GET", "/token", Scope.READ, TokenOut)
def get_token(request: HttpRequest) -> dict[str, Any]:
    """What the token is for, and until when."""
    found = reach.token_of(request)
    return {
        "name": found.name,
        "scopes": found.scopes.split(),
        "team": found.team_id,
        "person": found.user.email,
        "made_at": found.made_at,
        "expires_at": found.expires_at,
    }


@reach.serves(router, "GET", "/teams", Scope.READ, Page[TeamOut])
def list_teams(
    request: HttpRequest, response: HttpResponse, cursor: Cursor = "", limit: Limit = paging.MOST
) -> dict[str, Any]:
    """The teams that the token reaches."""
    rows, following = paging.piece(reach.teams(request), cursor, limit)
    mine = Membership.objects.filter(user=reach.person(request), team__in=rows)
    roles = dict(mine.values_list("team_id", "role"))
    results = [{"id": one.pk, "name": one.name, "role": roles.get(one.pk, "viewer")} for one in rows]
    return paging.answer(request, response, results, following)
