"""Ann, who runs a fedisec with a key file, and a way to sign in as a browser does."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, generate_totp_secret, hotp_value
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from fedisec.accounts.factors import PERIOD_S, PURPOSE
from fedisec.accounts.models import User
from fedisec.lib.secrets import seal
from tests.factories import a_user

PASSWORD = "a sentence nobody guesses"
Enter = Callable[..., HttpResponse]


@pytest.fixture(autouse=True)
def keys(tmp_path: Path, settings: Settings) -> None:
    settings.KEY_FILE = str(tmp_path / "keys")
    (tmp_path / "keys").write_text("k" * 64)
    cache.clear()  # allauth's own limits


@pytest.fixture
def ann(db: None) -> User:
    return a_user(email="ann@example.org", password=PASSWORD)


@pytest.fixture
def operator(ann: User) -> User:
    ann.is_superuser = True
    ann.save()
    return ann


@pytest.fixture
def secret(ann: User) -> str:
    """The key of the app that Ann has."""
    made = generate_totp_secret()
    Authenticator.objects.create(user=ann, type="totp", data={"secret": seal(PURPOSE, str(ann.pk), made)})
    return str(made)


def code_of(secret: str, periods: int = 0) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // PERIOD_S + periods)))


def enter(
    client: Client, password: str = PASSWORD, email: str = "ann@example.org", address: str = "192.0.2.1"
) -> HttpResponse:
    """The sign-in form, sent from that address."""
    form = {"login": email, "password": password}
    return client.post("/account/login/", form, REMOTE_ADDR=address)  # type: ignore[return-value]  # the stubs'


def is_in(client: Client) -> bool:
    return client.get("/account/profile/").status_code == 200
