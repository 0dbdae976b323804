"""A server whose evidence means ill, with every state on it; Alice owns it, Bob may look, Charlie is a stranger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from checks.items import all_items
from checks.model import Settles
from fedisec.accounts.models import Membership, Role, User
from fedisec.checklist.models import Attestation, Waiver
from fedisec.instances.models import Instance
from fedisec.scans.models import ItemState, Scan
from tests.factories import a_user, an_instance, signed_in

DOMAIN = "social.example"
EVIL = (
    '=HYPERLINK("https://evil.example")\n```\n# heading\n<script>alert(1)</script>\n[link](https://evil.example)\n'
    "| a | b |\nwww.evil.example @everyone \x1b[31m\u202e {0} [1](2)"
)
NOTE = "-1+1 <b>checked</b> *by* me @channel"
STATES = {
    "http.hsts": ("fail", "absent", ""),
    "http.csp": ("warn", "gaps", ""),
    "mail.spf": ("unknown", "", "timeout"),
    "edge.origin_hidden": ("not_applicable", "no_cdn", ""),
    "http.referrer_policy": ("fail", "absent", ""),  # set aside
}
ATTESTED, WAIVED = "data.restore_tested", "http.referrer_policy"


@pytest.fixture
def alice(db: None) -> User:
    return a_user(email="alice@example.org")


@pytest.fixture
def social(alice: User) -> Instance:
    instance = an_instance(alice, domain=DOMAIN)
    furnish(instance, alice)
    return instance


def furnish(instance: Instance, owner: User) -> None:
    """A finished look with one item in every state."""
    now = timezone.now()
    Scan.objects.create(instance=instance, state="done", reason="first", finished_at=now)
    ItemState.objects.bulk_create(
        ItemState(
            instance=instance,
            item_id=key,
            status=status,
            code=code,
            reason=reason,
            since=now - timedelta(days=3),
            seen_at=now,
            evidence=[["GET https://social.example/", EVIL]] if status in {"fail", "warn"} else [],
        )
        for key, item in all_items().items()
        for status, code, reason in (STATES.get(key) or _plain(set(item.settles)),)
    )
    until = now + timedelta(days=60)
    Attestation.objects.create(
        instance=instance,
        item_id=ATTESTED,
        by=owner,
        met=True,
        note=NOTE,
        link="https://wiki.example/restore",
        valid_until=until,
    )
    Waiver.objects.create(
        instance=instance, item_id=WAIVED, by=owner, kind="accepted_risk", reason=NOTE, valid_until=until
    )


def _plain(settles: set[Settles]) -> tuple[str, str, str]:
    return ("manual", "", "") if settles == {Settles.MANUAL} else ("pass", "", "")


@pytest.fixture
def sign_in() -> Callable[[User], Client]:
    return lambda user: signed_in(Client(), user)


@pytest.fixture
def as_alice(social: Instance, alice: User, sign_in: Callable[[User], Client]) -> Client:
    return sign_in(alice)


@pytest.fixture
def as_bob(social: Instance, sign_in: Callable[[User], Client]) -> Client:
    bob = a_user(email="bob@example.org")
    Membership.objects.create(team=social.team, user=bob, role=Role.VIEWER)
    return sign_in(bob)


@pytest.fixture
def as_charlie(social: Instance, sign_in: Callable[[User], Client]) -> Client:
    """Somebody with servers of their own."""
    charlie = a_user(email="charlie@example.org")
    an_instance(charlie, domain="charlie.example")
    return sign_in(charlie)
