"""The one-time link, and that nobody else gets in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from fedisec.accounts.models import Membership, SetupLink, Team, User
from tests.dashboard.conftest import PASSWORD
from tests.factories import signed_in

GOOD = {"email": "Admin@Example.org", "password1": PASSWORD, "password2": PASSWORD}
pytestmark = pytest.mark.django_db


def test_the_link_makes_an_admin_with_a_team_and_signs_in(client: Client) -> None:
    answer = client.post(f"/setup/{SetupLink.issue()}/", GOOD)
    assert (answer.status_code, answer["Location"]) == (302, "/instances/add/")
    user = User.objects.get()
    assert user.email == "admin@example.org"
    assert Membership.objects.get(user=user).role == "owner"
    assert client.get("/").status_code == 200


def test_the_link_works_once(client: Client) -> None:
    token = SetupLink.issue()
    client.post(f"/setup/{token}/", GOOD)
    assert Client().get(f"/setup/{token}/").status_code == 410
    assert Client().post(f"/setup/{token}/", {**GOOD, "email": "b@example.org"}).status_code == 410
    assert User.objects.count() == Team.objects.count() == 1


def test_the_link_ends_after_a_day(client: Client) -> None:
    token = SetupLink.issue()
    SetupLink.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    assert client.get(f"/setup/{token}/").status_code == 410


def test_a_new_link_ends_the_one_before(client: Client) -> None:
    old, new = SetupLink.issue(), SetupLink.issue()
    assert client.get(f"/setup/{old}/").status_code == 410
    assert client.get(f"/setup/{new}/").status_code == 200


def test_only_the_hash_of_a_link_is_stored() -> None:
    token = SetupLink.issue()
    assert token not in str(SetupLink.objects.values_list("token_hash", flat=True))


@pytest.mark.parametrize("token", ["x", "../..", "é"])
def test_a_guessed_link_is_gone(client: Client, token: str) -> None:
    assert client.get(f"/setup/{token}/").status_code in {400, 404, 410}


@pytest.mark.parametrize("password", ["short", "123456789012345", "passwordpassword"[:8], "elevenchars"])
def test_a_weak_password_is_refused_and_the_address_kept(client: Client, password: str) -> None:
    answer = client.post(
        f"/setup/{SetupLink.issue()}/", {**GOOD, "password1": password, "password2": password}
    )
    assert answer.status_code == 422
    assert not User.objects.exists()
    assert b"Admin@Example.org" in answer.content


def test_sign_up_is_closed(client: Client) -> None:
    assert b"Sign Up Closed" in client.get("/account/signup/").content
    client.post("/account/signup/", GOOD)
    assert not User.objects.exists()


def test_signing_in_needs_the_right_password(client: Client, alice: User) -> None:
    wrong = client.post("/account/login/", {"login": alice.email, "password": "wrong wrong wrong"})
    assert wrong.status_code == 200 and "_auth_user_id" not in client.session
    right = client.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    assert (right.status_code, right["Location"]) == (302, "/")


@pytest.mark.parametrize(
    "path", ["/", "/instances/add/", "/instances/social.example/", "/instances/x/items/http.hsts/"]
)
def test_a_stranger_is_sent_to_the_sign_in(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/account/login/")


def test_there_is_no_django_admin(client: Client, alice: User) -> None:
    signed_in(client, alice)
    assert client.get("/admin/").status_code == 404
