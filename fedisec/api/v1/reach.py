"""What the token of a request reaches: all of it through `fedisec.instances.access`, narrowed to its team."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar, cast

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from fedisec.accounts.models import Role, Team, User
from fedisec.api.gate import Asked
from fedisec.api.models import Scope, Token
from fedisec.api.problems import Problem
from fedisec.instances.access import instances_for, teams_for
from fedisec.instances.models import Instance

View = TypeVar("View", bound=Callable[..., Any])
KEY_MAX = 2**63 - 1
Key = Annotated[int, Field(ge=1, le=KEY_MAX)]  # of a row


def token_of(request: HttpRequest) -> Token:
    return cast(Asked, request).token


def person(request: HttpRequest) -> User:
    """Whose token it is."""
    return token_of(request).user


def for_scope(scope: Scope) -> Callable[[HttpRequest], bool]:
    """Refuses a token that is not for that."""

    def check(request: HttpRequest) -> bool:
        if not token_of(request).may(scope):
            raise Problem(403, "scope")
        return True

    return check


def serves(router: Router, method: str, path: str, scope: Scope, response: Any) -> Callable[[View], View]:
    """Puts a function behind an address, for tokens of `scope`; its docstring is what the document says."""
    security = {"security": [{"token": [scope.value]}]}

    def decorate(view: View) -> View:
        return router.api_operation(
            [method],
            path,
            auth=for_scope(scope),
            response=response,
            operation_id=view.__name__,
            openapi_extra=security,
        )(view)

    return decorate


def teams(request: HttpRequest, role: Role = Role.VIEWER) -> QuerySet[Team]:
    """The teams that the token reaches."""
    token = token_of(request)
    mine = teams_for(token.user, role)
    return mine if token.team_id is None else mine.filter(pk=token.team_id)


def instances(request: HttpRequest, role: Role = Role.VIEWER) -> QuerySet[Instance]:
    token = token_of(request)
    mine = instances_for(token.user, role)
    return mine if token.team_id is None else mine.filter(team=token.team_id)


def instance(request: HttpRequest, pk: int, role: Role = Role.VIEWER) -> Instance:
    """404 for what its person may not see, 403 where the role there does not suffice."""
    found = instances(request, role).select_related("team").filter(pk=pk).first()
    if found is not None:
        return found
    if role is not Role.VIEWER and instances(request).filter(pk=pk).exists():
        raise Problem(403, "role")
    raise Problem(404, "not_found")
