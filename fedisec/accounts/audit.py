"""Writing down who did what: one call beside each change, in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from allauth.account.adapter import get_adapter
from allauth.core import context
from django.core.exceptions import PermissionDenied

from checks.clean import clean
from fedisec.accounts.models import AuditEvent, Team, User

Plain = str | int | float | bool | None

VALUE_MAX = 500  # characters of `before`, `after` and each value of `data`
WHY_MAX = 4000
VALUES_MAX = 20
_SECRET_NAMES = ("password", "passphrase", "secret", "token", "private", "sealed", "cookie", "session")


class Watched(Protocol):
    """What the trail keeps of an instance, which lies in a layer above this one."""

    @property
    def pk(self) -> int: ...

    @property
    def domain(self) -> str: ...


def record(
    action: str,
    *,
    team: Team | None,
    by: User | None,
    about: User | None = None,
    instance: Watched | None = None,
    item_id: str = "",
    before: str = "",
    after: str = "",
    why: str = "",
    data: Mapping[str, Plain] | None = None,
) -> None:
    """Adds one line to the trail of `team` (None: of the installation); `by` None = fedisec itself, or
    somebody who has not shown who he is.  `about` is the account that it was done to, `by` where none is
    named.  Belongs inside the transaction of the change it tells of, so that neither is stored without the
    other.  ValueError for `data` that is large, nested, or looks like a secret."""
    subject = about or by
    AuditEvent.objects.create(
        action=action,
        team_id=team.pk if team is not None else None,
        subject_id=subject.pk if subject is not None else None,
        address=_address(),
        actor_id=by.pk if by is not None else None,
        actor_name=by.email if by is not None else "",
        instance_id=instance.pk if instance is not None else None,
        instance_name=instance.domain if instance is not None else "",
        item_id=item_id,
        before=clean(before, VALUE_MAX, newlines=False),
        after=clean(after, VALUE_MAX, newlines=False),
        why=clean(why, WHY_MAX),
        data=_plain({**(data or {}), **_via()}),
    )


def record_each(action: str, teams: Iterable[Team], *, by: User, after: str = "") -> None:
    """One line in the trail of each team, in one query."""
    AuditEvent.objects.bulk_create(
        AuditEvent(
            action=action,
            team_id=team.pk,
            actor_id=by.pk,
            actor_name=by.email,
            subject_id=by.pk,
            address=_address(),
            after=clean(after, VALUE_MAX, newlines=False),
        )
        for team in teams
    )


def _via() -> Mapping[str, Plain]:
    """By which token a program did it for its owner (`fedisec.api.gate`); nothing for what a person did."""
    via = getattr(context.request, "via", "")
    return {"via": via} if via else {}


def _address() -> str:
    """Of the client whose page is being made, as the limits on guessing know it: a forwarded address counts
    only from the proxies of the settings.  "" outside of a request (a job, a command)."""
    request = context.request
    if request is None:
        return ""
    try:
        return str(get_adapter(request).get_client_ip(request))[:45]
    except PermissionDenied:
        return ""


def _plain(data: Mapping[str, Plain]) -> dict[str, Plain]:
    if len(data) > VALUES_MAX:
        raise ValueError(f"more than {VALUES_MAX} values for one line of the trail")
    return {name: _value(name, value) for name, value in data.items()}


def _value(name: str, value: Plain) -> Plain:
    if any(word in name.lower() for word in _SECRET_NAMES):
        raise ValueError(f"{name} has no place in the trail")
    if isinstance(value, str):
        if "PRIVATE KEY" in value:
            raise ValueError(f"{name} holds a private key")
        return clean(value, VALUE_MAX, newlines=False)
    if value is None or isinstance(value, int | float):
        return value
    raise ValueError(f"{name} is no plain value but {type(value).__name__}")
