"""A server that was looked at for some days, and people who may and may not see it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from checks.items import all_items
from fedisec.accounts.models import Membership, Role
from fedisec.instances.models import Instance
from fedisec.scans.models import Scan
from tests.factories import a_recorded_scan, a_user, an_instance, signed_in
from tests.fakes import ITEMS, facts

START = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=10)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


@pytest.fixture
def few_items(fake_items: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalogue is the four fake items alone: what is tested here does not depend on their number."""
    for key in set(all_items()) - set(ITEMS):
        monkeypatch.delitem(all_items(), key)


@pytest.fixture
def instance(few_items: None, db: None) -> Instance:
    return an_instance(domain="social.example")


@pytest.fixture
def client_of(instance: Instance, client: Client) -> Client:
    """Signed in as somebody who may look at the instance and change nothing."""
    viewer = a_user()
    Membership.objects.create(team=instance.team, user=viewer, role=Role.VIEWER)
    signed_in(client, viewer)
    return client


@pytest.fixture
def looks(instance: Instance) -> list[Scan]:
    """Four days: the lock breaks and stays so, the bell is mended, the bolt goes and comes, the lamp is lost
    from sight."""
    seen = [
        {"lock": "pass", "bell": "fail", "bolt": "pass", "lamp": "pass"},
        {"lock": "pass", "bell": "fail", "bolt": "fail", "lamp": "pass"},
        {"lock": "fail", "bell": "fail", "bolt": "fail", "lamp": "pass"},
        {"lock": "fail", "bell": "pass", "bolt": "pass", "lamp": "unknown"},
    ]
    return [a_recorded_scan(instance, facts(**statuses), day(number)) for number, statuses in enumerate(seen)]
