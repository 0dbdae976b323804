"""Going on where the key file is lost: what no key opens is given up, by name, and the rest begins anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import Model

from fedisec.accounts import audit, codes, second
from fedisec.accounts.models import User
from fedisec.alerts.models import Channel, MailServer
from fedisec.enrolment.models import SshAccess
from fedisec.lib import canary
from fedisec.lib.models import Canary
from fedisec.lib.sealed import Column, columns
from fedisec.lib.secrets import CannotOpen, unseal
from fedisec.share.models import Share


@dataclass(frozen=True, slots=True)
class Lost:
    """One row with something that no key opens, and what it means to people."""

    row: Model
    what: str


def lost() -> list[Lost]:
    """All of it.  CannotOpen where there is no key file at all."""
    found: dict[tuple[type[Model], Any], Lost] = {}
    for column in columns():
        if column.model is Canary:
            continue
        for row in column.model._base_manager.order_by("pk").iterator(chunk_size=500):
            if not _opens(column, row):
                found.setdefault((column.model, row.pk), Lost(row, _name(row)))
    return list(found.values())


def is_right() -> bool:
    """Whether the key file is the one of the database."""
    row = Canary.objects.first()
    (column,) = (one for one in columns() if one.model is Canary)
    return row is not None and _opens(column, row)


def give_up(rows: list[Lost]) -> None:
    """Removes them, and lays a canary for the key file of now; in one transaction, with a line in the
    trail."""
    with transaction.atomic():
        counts: dict[str, int] = {}
        for one in rows:
            label = one.row._meta.db_table
            counts[label] = counts.get(label, 0) + 1
            _GIVE_UP.get(type(one.row), _empty)(one.row)
        Canary.objects.all().delete()
        canary.lay()
        data: Mapping[str, audit.Plain] = dict(sorted(counts.items()))
        audit.record("installation.secrets_forgotten", team=None, by=None, data=data)


def _opens(column: Column, row: Model) -> bool:
    bound = str(getattr(row, column.bound or "pk"))
    try:
        column.each(getattr(row, column.field), lambda text: unseal(column.purpose, bound, text))
    except CannotOpen:
        return False
    return True


def _name(row: Model) -> str:
    if isinstance(row, SshAccess):
        return f"the SSH key of {row.instance.domain}: connect the server anew"
    if isinstance(row, Channel):
        return f"the address of the channel “{row.name}”: it is switched off until somebody enters it"
    if isinstance(row, MailServer):
        return f"the password of the mail server {row}: enter it anew"
    if isinstance(row, Share):
        return f"the public page of {row.instance.domain}: open it anew, at another address"
    if isinstance(row, Authenticator):
        return f"the authenticator app of {row.user.email}: it is no second factor any more"
    return f"{row._meta.db_table} {row.pk}"


def _remove(row: Model) -> None:
    row.delete()


def _switch_off(row: Model) -> None:
    assert isinstance(row, Channel)
    row.enabled = False
    _empty(row)


def _remove_factor(row: Model) -> None:
    assert isinstance(row, Authenticator)
    user: User = row.user
    row.delete()
    if not second.has_one(user):
        codes.remove(user)
    audit.record("account.factor_removed", team=None, by=None, about=user)


def _empty(row: Model) -> None:
    for name in _sealed_fields(row):
        setattr(row, name, "")
    row.save()


def _sealed_fields(row: Model) -> Iterator[str]:
    return (column.field for column in columns() if column.model is type(row))


_GIVE_UP: dict[type[Model], Callable[[Model], None]] = {
    SshAccess: _remove,
    Share: _remove,
    Channel: _switch_off,
    Authenticator: _remove_factor,
}
