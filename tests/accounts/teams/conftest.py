"""A team with an owner, an editor and a viewer, and browsers of theirs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from fedisec.accounts.models import Membership, Role, Team, User
from tests.factories import a_user, signed_in

Browse = Callable[[User], Client]
told: list[tuple[str, str, dict[str, str]]] = []


def note(user: User, kind: str, to: str, data: dict[str, str]) -> None:
    """Stands for the layer that mails notices."""
    told.append((user.email, kind, data))


@pytest.fixture(autouse=True)
def notices(settings: Settings) -> list[tuple[str, str, dict[str, str]]]:
    settings.ACCOUNT_NOTICE = f"{__name__}.note"
    cache.clear()
    told.clear()
    return told


@pytest.fixture
def team(db: None) -> Team:
    return Team.objects.create(name="Admins")


def a_member(team: Team, role: Role, email: str = "") -> User:
    user = a_user(email=email) if email else a_user()
    Membership.objects.create(team=team, user=user, role=role)
    return user


@pytest.fixture
def owner(team: Team) -> User:
    return a_member(team, Role.OWNER, "owner@example.org")


@pytest.fixture
def as_owner(owner: User, client: Client) -> Client:
    return signed_in(client, owner)
