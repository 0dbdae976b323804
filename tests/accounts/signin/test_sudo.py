"""Who proved himself too long ago does so again; what he sent is not lost meanwhile, nor readable."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.conf import settings as project
from django.test import Client
from django.urls import reverse

from fedisec.accounts.models import User
from fedisec.alerts.models import MailServer
from fedisec.instances.models import Instance
from tests.factories import a_user, an_instance, signed_in

pytestmark = pytest.mark.django_db

PASSWORD = "a sentence nobody guesses"
AGAIN = "/account/reauthenticate/"


@pytest.fixture(autouse=True)
def keys(tmp_path: Path, settings: object) -> None:
    settings.KEY_FILE = str(tmp_path / "keys")  # type: ignore[attr-defined]  # pytest-django's
    (tmp_path / "keys").write_text("k" * 64)


@pytest.fixture
def operator() -> User:
    return a_user(email="ann@example.org", password=PASSWORD, is_superuser=True)


@pytest.fixture
def server(operator: User) -> Instance:
    return an_instance(operator, domain="social.example")


GUARDED = [
    ("POST", "/instances/social.example/ssh/"),
    ("POST", "/instances/social.example/ssh/confirm/"),
    ("GET", "/instances/social.example/ssh/disconnect/"),
    ("POST", "/instances/social.example/ssh/disconnect/"),
    ("GET", "/instances/social.example/remove/"),
    ("POST", "/instances/social.example/remove/"),
    ("GET", "/mail/"),
    ("POST", "/mail/"),
    ("POST", "/mail/remove/"),
    ("GET", "/channels/add/webhook/"),
    ("POST", "/channels/add/webhook/"),
    ("GET", "/channels/1/edit/"),
    ("POST", "/channels/1/secret/"),
    ("POST", "/channels/1/rotate/"),
    ("POST", "/channels/1/off/"),
    ("POST", "/channels/1/remove/"),
    ("GET", "/audit/export/?format=csv"),
    ("POST", "/account/email/"),
]


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_a_sign_in_of_long_ago_is_not_enough(
    client: Client, operator: User, server: Instance, method: str, path: str
) -> None:
    signed_in(client, operator, lately=False)
    answer = client.generic(method, path)
    assert answer.status_code == 302
    assert answer["Location"].startswith(f"{AGAIN}?next=%2F")
    signed_in(client, operator)
    assert AGAIN not in client.generic(method, path).headers.get("Location", "")


@pytest.mark.parametrize("path", ["/", "/instances/social.example/ssh/", "/account/email/", "/audit/"])
def test_reading_asks_nobody(client: Client, operator: User, server: Instance, path: str) -> None:
    signed_in(client, operator, lately=False)
    assert client.get(path).status_code == 200


def test_a_page_comes_after_the_password(client: Client, operator: User) -> None:
    signed_in(client, operator, lately=False)
    asked = client.get("/mail/")
    page = client.get(asked["Location"])
    assert page.status_code == 200
    wrong = client.post(asked["Location"], {"password": "another sentence"})
    assert wrong.status_code == 200
    assert client.get("/mail/").status_code == 302
    assert client.post(asked["Location"], {"password": PASSWORD}).headers["Location"] == "/mail/"
    assert client.get("/mail/").status_code == 200


def test_a_sent_form_is_taken_after_the_password(client: Client, operator: User, server: Instance) -> None:
    signed_in(client, operator, lately=False)
    asked = client.post("/instances/social.example/remove/", {"domain": "social.example"})
    assert Instance.objects.exists()
    client.post(asked["Location"], {"password": PASSWORD})
    assert not Instance.objects.exists()


def test_a_waiting_form_lies_sealed(client: Client, operator: User) -> None:
    form = {"host": "relay.example", "port": "587", "security": "starttls", "sender": "f@example.org"}
    secret = {"username": "ann", "password": "relay-password-in-the-form"}
    signed_in(client, operator, lately=False)
    asked = client.post("/mail/", form | secret)
    stored = json.dumps(dict(client.session.items()))
    assert "relay-password" not in stored and "relay.example" not in stored
    client.post(asked["Location"], {"password": PASSWORD})
    assert MailServer.objects.get().host == "relay.example"


def test_a_form_waits_for_its_sender_alone(client: Client, operator: User, server: Instance) -> None:
    """The sealed text in the session of somebody else opens nothing."""
    other = a_user(password=PASSWORD)
    signed_in(client, operator, lately=False)
    client.post("/instances/social.example/remove/", {"domain": "social.example"})
    taken = client.session["account_reauthentication_state"]
    thief = signed_in(Client(), other, lately=False)
    session = thief.session
    session["account_reauthentication_state"] = taken
    session.save()
    assert thief.post(AGAIN, {"password": PASSWORD}).headers["Location"] == "/"
    assert Instance.objects.exists()


def test_without_key_file_nothing_is_kept_and_nothing_breaks(
    client: Client, operator: User, server: Instance, settings: object, tmp_path: Path
) -> None:
    settings.KEY_FILE = str(tmp_path / "gone")  # type: ignore[attr-defined]  # pytest-django's
    signed_in(client, operator, lately=False)
    asked = client.post(
        "/instances/social.example/remove/",
        {"domain": "social.example"},
        headers={"referer": "http://testserver/instances/social.example/remove/"},
    )
    done = client.post(asked["Location"], {"password": PASSWORD})
    assert done.headers["Location"] == "/instances/social.example/remove/"


@pytest.mark.parametrize(
    "foreign", ["https://evil.example/x", "//evil.example", "http://testserver//evil.example"]
)
def test_the_way_back_is_never_foreign(
    client: Client, operator: User, server: Instance, foreign: str
) -> None:
    signed_in(client, operator, lately=False)
    asked = client.post("/instances/social.example/remove/", {}, headers={"referer": foreign})
    assert re.fullmatch(r"/account/reauthenticate/\?next=%2F(evil\.example)?", asked["Location"])


def test_htmx_is_sent_there_as_a_whole_page(client: Client, operator: User, server: Instance) -> None:
    signed_in(client, operator, lately=False)
    headers = {"hx-request": "true", "hx-current-url": "http://testserver/channels/"}
    answer = client.post("/channels/1/off/", headers=headers)
    assert (answer.status_code, answer["HX-Redirect"]) == (200, f"{AGAIN}?next=%2Fchannels%2F")


def test_strangers_are_still_sent_to_the_sign_in(client: Client) -> None:
    assert client.get("/mail/")["Location"].startswith(reverse(project.LOGIN_URL))
