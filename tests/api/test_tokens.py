"""Tokens: made once, shown once, never worth more than their owner."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from fedisec.accounts.models import AuditEvent, Membership, Role, User
from fedisec.alerts.models import Notice
from fedisec.api import tokens
from fedisec.api.models import Token
from fedisec.instances.models import Instance
from fedisec.lib.tokens import hash_of
from tests.api.conftest import MakeProgram, Program, a_member, with_factor
from tests.factories import a_user, an_instance, signed_in

pytestmark = pytest.mark.django_db
FORM = {"name": "backup", "scopes": ["read"], "team": "", "days": "30"}


@pytest.fixture
def as_ann(client: Client, ann: User) -> Client:
    return signed_in(client, ann)


def test_a_token_is_made_shown_once_and_kept_as_a_hash(as_ann: Client, ann: User, instance: Instance) -> None:
    answer = as_ann.post(reverse("tokens"), FORM)
    assert answer.status_code == 200
    (text,) = set(re.findall(r"fds_[A-Za-z0-9]{43}", answer.content.decode()))
    kept = Token.objects.get(user=ann)
    assert kept.token_hash == hash_of(text)
    assert kept.scopes == "read" and kept.team is None
    assert timedelta(days=29) < kept.expires_at - timezone.now() < timedelta(days=31)  # type: ignore[operator]  # it has an end
    assert text not in as_ann.get(reverse("tokens")).content.decode()
    line = AuditEvent.objects.get(action="token.made")
    assert (line.after, line.data["scopes"], line.subject_id) == ("backup", "read", ann.pk)
    assert text not in json.dumps(list(AuditEvent.objects.values("after", "before", "data")))
    assert Notice.objects.get(user=ann).data["values"] == {"name": "backup", "scopes": "read"}
    assert Program(text).get("/instances").status_code == 200


def test_who_has_no_second_factor_makes_none(client: Client) -> None:
    user = a_user()
    signed_in(client, user)
    assert reverse("mfa_index") in client.get(reverse("tokens")).content.decode()
    assert client.post(reverse("tokens"), FORM)["Location"] == reverse("mfa_index")
    assert not Token.objects.exists()


def test_who_proved_himself_long_ago_does_so_again(client: Client, ann: User) -> None:
    signed_in(client, ann, lately=False)
    assert client.get(reverse("tokens")).status_code == 200
    answer = client.post(reverse("tokens"), FORM)
    assert answer.status_code == 302 and "reauthenticate" in answer["Location"]
    assert not Token.objects.exists()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": " "}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["all"]}, "scopes"),
        ({"scopes": ["metrics", "read"]}, "scopes"),
        ({"days": ""}, "days"),
        ({"days": "9999"}, "days"),
        ({"team": "999"}, "team"),
    ],
)
def test_what_does_not_fit_comes_back(as_ann: Client, changed: dict[str, object], field: str) -> None:
    answer = as_ann.post(reverse("tokens"), FORM | changed)
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {field}
    assert not Token.objects.exists()


def test_a_token_of_another_team_cannot_be_made(as_ann: Client, ann: User) -> None:
    other = an_instance()
    assert as_ann.post(reverse("tokens"), FORM | {"team": other.team_id}).status_code == 422


def test_metrics_alone_may_have_no_end(as_ann: Client, ann: User) -> None:
    assert as_ann.post(reverse("tokens"), FORM | {"scopes": ["metrics"], "days": ""}).status_code == 200
    assert Token.objects.get(user=ann).expires_at is None


def test_there_are_not_more_than_enough(as_ann: Client, ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MANY", 1)
    assert as_ann.post(reverse("tokens"), FORM).status_code == 200
    assert as_ann.post(reverse("tokens"), FORM).status_code == 422
    assert Token.objects.count() == 1


def test_revoked_is_gone_at_once(as_ann: Client, program: Program, ann: User) -> None:
    assert program.get("/instances").status_code == 200
    assert as_ann.post(reverse("token_revoke", args=[Token.objects.get().pk])).status_code == 302
    assert program.get("/instances").status_code == 401
    assert AuditEvent.objects.get(action="token.revoked").before == "a program"


def test_a_token_of_somebody_else_is_not_there(client: Client, program: Program) -> None:
    signed_in(client, with_factor(a_user()))
    assert client.post(reverse("token_revoke", args=[Token.objects.get().pk])).status_code == 404
    assert program.get("/instances").status_code == 200


def test_the_person_is_what_a_token_is_worth(program_of: MakeProgram, instance: Instance) -> None:
    editor = a_member(instance.team, Role.EDITOR)
    program, path = program_of(editor), f"/instances/{instance.pk}"
    assert program.ask("PATCH", path, {"paused": True}).status_code == 200
    membership = Membership.objects.filter(user=editor)
    membership.update(role=Role.VIEWER)
    refused = program.ask("PATCH", path, {"paused": False})
    assert (refused.status_code, json.loads(refused.content)["cause"]) == (403, "role")
    assert program.get(path).status_code == 200
    membership.delete()
    assert program.get(path).status_code == 404
    assert program.read("/instances")["results"] == []
    User.objects.filter(pk=editor.pk).update(is_active=False)
    assert program.get(path).status_code == 401


def test_without_a_factor_any_more_it_opens_nothing(program: Program, ann: User) -> None:
    Authenticator.objects.filter(user=ann).delete()
    refused = program.get("/instances")
    assert (refused.status_code, json.loads(refused.content)["cause"]) == (401, "token_no_factor")


def test_it_goes_with_its_person(program: Program, ann: User) -> None:
    ann.delete()
    assert program.get("/instances").status_code == 401


def test_past_its_end_it_says_so(program: Program) -> None:
    Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    refused = program.get("/instances")
    assert (refused.status_code, json.loads(refused.content)["cause"]) == (401, "token_expired")
    assert refused["WWW-Authenticate"] == 'Bearer realm="fedisec", error="invalid_token"'


def test_a_token_of_one_team_sees_that_team_alone(
    ann: User, instance: Instance, program_of: MakeProgram
) -> None:
    other = an_instance(ann, domain="other.example")
    program = program_of(ann, team=instance.team)
    assert [one["domain"] for one in program.read("/instances")["results"]] == ["social.example"]
    assert [one["id"] for one in program.read("/teams")["results"]] == [instance.team_id]
    assert program.get(f"/instances/{other.pk}").status_code == 404
    assert program.get(f"/instances/{other.pk}/items").status_code == 404
    assert (
        program.ask("POST", "/instances", {"domain": "x.example", "team": other.team_id}).status_code == 422
    )


@pytest.mark.parametrize(
    "shown", ["", "fds_" + "a" * 43, "x" * 20, "fds_", "\u00e9" * 47, "fds_" + "a" * 400]
)
def test_nothing_else_is_a_token(program: Program, shown: str) -> None:
    refused = program.ask("GET", "/instances", token="", Authorization=f"Bearer {shown}")
    assert refused.status_code == 401
    assert refused["WWW-Authenticate"].startswith("Bearer realm=")
    assert refused["Content-Type"] == "application/problem+json"


def test_a_session_is_no_token(client: Client, ann: User, instance: Instance) -> None:
    signed_in(client, ann)
    refused = client.get("/api/v1/instances")
    assert (refused.status_code, refused["WWW-Authenticate"]) == (401, 'Bearer realm="fedisec"')
    assert client.post("/api/v1/instances", {"domain": "x.example"}, "application/json").status_code == 401
    assert client.get("/metrics").status_code == 401


def test_its_use_is_noted_once_an_hour(program: Program) -> None:
    program.get("/instances")
    first = Token.objects.get()
    assert first.used_from == "127.0.0.1" and first.used_at is not None
    program.get("/instances")
    assert Token.objects.get().used_at == first.used_at
    Token.objects.update(used_at=first.used_at - timedelta(hours=2))
    program.get("/instances")
    assert Token.objects.get().used_at > first.used_at  # type: ignore[operator]  # it was used


def test_who_asks_too_often_waits(program: Program, settings: Settings) -> None:
    settings.API_RATE = 3
    answers = [program.get("/instances") for _ in range(4)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    assert [one["RateLimit"].partition(";t=")[0] for one in answers[:3]] == [
        f'"token";r={n}' for n in (2, 1, 0)
    ]
    assert answers[0]["RateLimit-Policy"] == '"token";q=3;w=60'
    assert 1 <= int(answers[3]["Retry-After"]) <= 20
    Token.objects.update(left_at=timezone.now() - timedelta(seconds=21))
    assert program.get("/instances").status_code == 200


def test_the_trail_says_which_token_it_was(program: Program, instance: Instance) -> None:
    program.ask("PATCH", f"/instances/{instance.pk}", {"paused": True})
    line = AuditEvent.objects.get(action="instance.paused")
    assert line.data == {"via": f"a program ({Token.objects.get().pk})"}
    assert (line.actor_name, line.address) == ("ann@example.org", "127.0.0.1")
