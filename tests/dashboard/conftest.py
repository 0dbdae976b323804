"""Alice owns a team with a server; Bob may look; Charlie is a stranger."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from checks.items import all_items
from checks.model import Settles
from fedisec.accounts.models import Membership, Role, Team, User
from fedisec.checklist import daily
from fedisec.instances.models import Instance
from fedisec.scans.models import ItemState, Scan
from tests.factories import signed_in

PASSWORD = "a sentence nobody guesses"


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice@example.org", PASSWORD)


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob@example.org", PASSWORD)


@pytest.fixture
def charlie(db: None) -> User:
    user = User.objects.create_user("charlie@example.org", PASSWORD)
    other = Team.objects.create(name="Other servers")
    Membership.objects.create(team=other, user=user, role=Role.OWNER)
    return user


@pytest.fixture
def instance(alice: User, bob: User) -> Instance:
    team = Team.objects.create(name="My servers")
    Membership.objects.create(team=team, user=alice, role=Role.OWNER)
    Membership.objects.create(team=team, user=bob, role=Role.VIEWER)
    return Instance.objects.create(team=team, domain="social.example", created_by=alice)


@pytest.fixture
def scanned(instance: Instance) -> Instance:
    """The instance after a scan in which HSTS failed and all the rest that a machine settles passed."""
    now = timezone.now()
    Scan.objects.create(instance=instance, state="done", reason="first", finished_at=now)
    for item in all_items().values():
        manual = set(item.settles) == {Settles.MANUAL}
        status = "manual" if manual else "fail" if item.id == "http.hsts" else "pass"
        ItemState.objects.create(
            instance=instance,
            item_id=item.id,
            status=status,
            since=now - timedelta(days=3),
            seen_at=now,
            evidence=[["GET https://social.example/", "<script>alert(1)</script>\x1b[31m"]]
            if status == "fail"
            else [],
        )
    daily.note(instance, now, scanned=True)
    return instance


@pytest.fixture
def as_alice(client: Client, alice: User) -> Client:
    signed_in(client, alice)
    return client


@pytest.fixture
def as_bob(bob: User) -> Client:
    client = Client()
    signed_in(client, bob)
    return client


@pytest.fixture
def as_charlie(charlie: User) -> Client:
    client = Client()
    signed_in(client, charlie)
    return client
