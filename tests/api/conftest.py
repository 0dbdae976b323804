"""Ann owns a team with a server and has a second factor; a client that shows a token of hers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.http import HttpResponse
from django.test import Client

from fedisec.accounts.models import Membership, Role, Team, User
from fedisec.api import tokens
from fedisec.instances.models import Instance
from tests.factories import a_user, an_instance

ALL = ("read", "write", "scan")


def with_factor(user: User) -> User:
    """Somebody who may make tokens."""
    Authenticator.objects.create(user=user, type="totp", data={"secret": "sealed"})
    return user


class Program:
    """What shows a token and reads JSON."""

    def __init__(self, token: str) -> None:
        self.token, self._client = token, Client(raise_request_exception=False)

    def ask(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str
    ) -> HttpResponse:
        shown = self.token if token is None else token
        if shown:
            headers["Authorization"] = f"Bearer {shown}"
        sent = body if isinstance(body, str | bytes) else json.dumps(body) if body is not None else ""
        typed = {"content_type": "application/json"} if sent else {}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = path if path.startswith("/metrics") else f"/api/v1{path}"
        return self._client.generic(method, url, sent, headers=named, **typed)  # type: ignore[arg-type,return-value]  # of Django's test client

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self.ask("GET", path, **headers)

    def read(self, path: str) -> Any:
        answer = self.get(path)
        assert answer.status_code == 200, answer.content
        return json.loads(answer.content)


MakeProgram = Callable[..., Program]


@pytest.fixture
def ann(db: None) -> User:
    return with_factor(a_user(email="ann@example.org"))


@pytest.fixture
def instance(ann: User) -> Instance:
    return an_instance(ann, domain="social.example")


@pytest.fixture
def program_of() -> MakeProgram:
    def make(
        user: User, scopes: tuple[str, ...] = ALL, team: Team | None = None, days: int | None = 30
    ) -> Program:
        return Program(tokens.make(user, "a program", scopes, team, days))

    return make


@pytest.fixture
def program(ann: User, program_of: MakeProgram) -> Program:
    return program_of(ann)


def a_member(team: Team, role: Role) -> User:
    user = with_factor(a_user())
    Membership.objects.create(team=team, user=user, role=role)
    return user
