"""Valid objects with defaults; a test names only what it is about."""

from __future__ import annotations

import time
from datetime import datetime
from itertools import count
from typing import Any

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.internal.flows.login import _AUTHENTICATION_METHODS_USER_SESSION_KEY
from allauth.account.models import EmailAddress
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from checks.facts import Facts
from checks.probes import Gathered
from fedisec.accounts.models import Membership, Role, Team, User
from fedisec.accounts.sudo import LATELY_S
from fedisec.alerts.models import Subscription
from fedisec.instances.models import Instance
from fedisec.scans.models import Scan, ScanState, Span
from fedisec.scans.record import record

_numbers = count(1)


def a_user(confirmed: bool = True, **fields: Any) -> User:
    """Somebody with an account, who has shown that mails to the address arrive."""
    user = User.objects.create_user(fields.pop("email", f"person{next(_numbers)}@example.org"), **fields)
    if confirmed:
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def signed_in(client: Client, user: User, lately: bool = True) -> Client:
    """`client` with a session of `user`, who gave the password a moment ago, or too long ago for `sudo`."""
    client.force_login(user)
    session = client.session
    at = time.time() - (0 if lately else LATELY_S)
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "password", "at": at}]
    session[_AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(user.pk)
    session.save()
    return client


def an_instance(owner: User | None = None, **fields: Any) -> Instance:
    """An instance in a team of its own, with an owner."""
    owner, team = owner or a_user(), Team.objects.create(name="My servers")
    Membership.objects.create(team=team, user=owner, role=Role.OWNER)
    fields.setdefault("domain", f"server{next(_numbers)}.example")
    return Instance.objects.create(team=team, created_by=owner, **fields)


def a_subscriber(instance: Instance, **fields: Any) -> User:
    """Somebody of the team who hears of the instance."""
    user = a_user(**fields)
    Membership.objects.create(team=instance.team, user=user, role=Role.VIEWER)
    Subscription.objects.create(user=user, instance=instance)
    return user


def put_otherwise(spans: QuerySet[Span], **fields: Any) -> None:
    """As if these had been seen instead: the database refuses to rewrite a span, so each is stored anew."""
    rows = list(spans.order_by("pk"))
    spans.delete()
    for row in rows:
        for name, value in fields.items():
            setattr(row, name, value)
        row.save(force_insert=True)


def a_running_scan(instance: Instance, at: datetime | None = None) -> Scan:
    """A scan that a runner has just claimed."""
    at = at or timezone.now()
    return Scan.objects.create(
        instance=instance,
        reason="scheduled",
        state=ScanState.RUNNING,
        token=f"token{next(_numbers)}",
        attempt=1,
        started_at=at,
        heartbeat_at=at,
    )


def a_recorded_scan(instance: Instance, facts: Facts, at: datetime | None = None) -> Scan:
    """A finished scan that saw `facts`, with all that follows from it."""
    at = at or timezone.now()
    Scan.objects.filter(instance=instance, state=ScanState.QUEUED).delete()
    scan = a_running_scan(instance, at)
    assert record(scan, scan.token, Gathered(facts, {"dns": 3}), at)
    return Scan.objects.get(pk=scan.pk)
