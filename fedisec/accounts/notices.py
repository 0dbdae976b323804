"""Telling people what happened to their account: queued with the change, mailed by a job."""

from __future__ import annotations

from django.conf import settings
from django.utils.module_loading import import_string

from fedisec.accounts.models import User

Plain = str | int | bool | None


def tell(user: User, kind: str, *, to: str = "", **data: Plain) -> None:
    """Queues a mail to `user` about `kind` (a word of fedisec.alerts.account_letters), to the address `to`
    where it is another than the one in use.  Belongs inside the transaction of the change.  `data`: small
    plain values, no secrets."""
    import_string(settings.ACCOUNT_NOTICE)(user, kind, to, data)
