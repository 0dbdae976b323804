"""What the sign-in library tells of goes into the trail: no line of its own code is needed for that.

A password that is changed is recorded by the adapter and an ended session by the page, both in the
transaction of the change.
"""

from __future__ import annotations

from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.account.signals import user_logged_in
from allauth.mfa import signals as factors
from django.contrib.auth.signals import user_logged_out, user_login_failed
from django.http import HttpRequest

from fedisec.accounts.audit import record
from fedisec.accounts.models import User


def listen() -> None:
    """Once, when the apps are ready."""
    user_logged_in.connect(_signed_in)
    user_logged_out.connect(_signed_out)
    user_login_failed.connect(_failed)
    factors.authenticator_used.connect(_factor_used)
    factors.authentication_failed.connect(_factor_failed)
    factors.authenticator_added.connect(_factor_added)
    factors.authenticator_removed.connect(_factor_removed)


def _signed_in(request: HttpRequest, user: User, **_: Any) -> None:
    ways = dict.fromkeys(str(one["method"]) for one in get_authentication_records(request, user))
    record("account.signed_in", team=None, by=user, data={"by": ", ".join(ways)})


def _signed_out(user: User | None, **_: Any) -> None:
    if user is not None:  # nobody was signed in
        record("account.signed_out", team=None, by=user)


def _failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """A wrong password.  What was typed as an address is not kept: in a hurry it is the password."""
    typed = str(credentials.get("email") or credentials.get("username") or "")
    meant = User.objects.filter(email=typed.lower()).first()
    user = getattr(request, "user", None)
    by = user if isinstance(user, User) else None  # who was asked once more
    record("account.sign_in_failed", team=None, by=by, about=meant)


def _factor_used(user: User, authenticator: Any, **_: Any) -> None:
    record("account.factor_used", team=None, by=user, after=authenticator.type)


def _factor_failed(user: User, authenticator: Any, **_: Any) -> None:
    """The password was right, the code was not."""
    record("account.factor_failed", team=None, by=None, about=user, after=authenticator.type)


def _factor_added(user: User, authenticator: Any, **_: Any) -> None:
    data = _name(authenticator)
    record("account.factor_added", team=None, by=user, after=authenticator.type, data=data)


def _factor_removed(user: User, authenticator: Any, **_: Any) -> None:
    data = _name(authenticator)
    record("account.factor_removed", team=None, by=user, before=authenticator.type, data=data)


def _name(authenticator: Any) -> dict[str, str]:
    """What its owner calls a passkey."""
    return {"name": str(authenticator.data.get("name", ""))[:100]}
