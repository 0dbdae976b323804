"""The second factor: secrets sealed, every code once, and no way around it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from pytest_django import Settings

from fedisec.accounts import codes, factors
from fedisec.accounts.models import AuditEvent, Membership, Role, Team, User
from fedisec.accounts.signin_models import RecoveryCode
from fedisec.alerts.models import Notice
from fedisec.lib.secrets import CannotOpen
from tests.accounts.signin.conftest import PASSWORD, code_of, enter, is_in
from tests.factories import a_user, signed_in

pytestmark = pytest.mark.django_db
STEP = "/account/2fa/authenticate/"


def step(client: Client, code: str) -> bool:
    """Whether the second step was passed with that."""
    client.post(STEP, {"code": code})
    return is_in(client)


def test_the_password_alone_opens_nothing(client: Client, secret: str) -> None:
    assert enter(client)["Location"] == STEP
    assert not is_in(client)
    assert client.get(STEP).status_code == 200
    assert not step(client, "000000")
    assert step(client, code_of(secret))


def test_each_code_works_once(client: Client, secret: str) -> None:
    code = code_of(secret)
    enter(client)
    assert step(client, code)
    again = Client()
    enter(again)
    assert not step(again, code)
    # nor one that was shown before it
    assert not step(again, code_of(secret, -1))
    assert step(again, code_of(secret, 1))


def test_a_code_stays_used_when_the_cache_is_lost(client: Client, secret: str) -> None:
    from django.core.cache import cache

    code = code_of(secret)
    enter(client)
    assert step(client, code)
    cache.clear()
    again = Client()
    enter(again)
    assert not step(again, code)


@pytest.mark.parametrize("shape", ["{0} {1}", " {0}{1} "])
def test_a_code_is_taken_as_people_type_it(client: Client, secret: str, shape: str) -> None:
    code = code_of(secret)
    wide = shape.format(code[:3], code[3:]).translate({ord("0") + n: 0xFF10 + n for n in range(10)})
    enter(client)
    assert step(client, wide)


def test_the_app_is_added_by_its_first_code_and_codes_are_shown_once(
    client: Client, ann: User, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    signed_in(client, ann)
    page = client.get("/account/2fa/app/").content.decode()
    key = re.search(r'<pre class="command">(\w+)</pre>', page)
    assert key is not None
    picture = client.get("/account/2fa/app/qr.svg")
    assert picture["Content-Type"] == "image/svg+xml" and b"<svg" in picture.content
    assert client.post("/account/2fa/app/", {"code": "000000"}).status_code == 200
    assert not Authenticator.objects.exists()
    code = code_of(key[1])
    with django_capture_on_commit_callbacks(execute=True):
        shown = client.post("/account/2fa/app/", {"code": code}).content.decode()
    assert len(re.findall(r"(?:[A-Z2-9]{4}-){5}[A-Z2-9]{4}", shown)) == codes.COUNT
    stored = json.dumps(Authenticator.objects.get().data)
    assert key[1] not in stored
    assert "[A-Z2-9]{4}-" not in client.get("/account/2fa/recovery-codes/").content.decode()
    other = Client()
    enter(other)
    assert not step(other, code), "the code that added the app is used up"
    assert set(Notice.objects.values_list("data__kind", flat=True)) >= {"factor_added", "codes_made"}


def test_a_secret_opens_for_its_person_and_purpose_alone(ann: User, secret: str) -> None:
    """A row that was moved to another account opens nothing there."""
    bob = a_user(password=PASSWORD)
    Authenticator.objects.update(user=bob)
    with pytest.raises(CannotOpen):
        factors.take_code(bob, code_of(secret))
    Authenticator.objects.update(user=ann)
    assert factors.take_code(ann, code_of(secret)) is not None
    with factors.secrets_of(ann):
        assert factors.SealedAdapter().decrypt(factors.SealedAdapter().encrypt("x")) == "x"


def test_recovery_codes_are_hashed_long_and_each_work_once(client: Client, ann: User, secret: str) -> None:
    made = codes.make(ann)
    assert len(set(made)) == 10 and all(len(code.replace("-", "")) >= 20 for code in made)
    stored = json.dumps(list(RecoveryCode.objects.values_list("code_hash", flat=True)))
    assert not any(code in stored or code.replace("-", "") in stored for code in made)
    enter(client)
    assert step(client, made[0].lower().replace("-", " "))
    again = Client()
    enter(again)
    assert not step(again, made[0])
    assert step(again, made[1])
    assert codes.left_of(ann) == 8
    assert Notice.objects.filter(data__kind="code_used").count() == 2


def test_new_codes_end_the_old_ones(client: Client, ann: User, secret: str) -> None:
    old = codes.make(ann)[0]
    signed_in(client, ann)
    shown = client.post("/account/2fa/recovery-codes/").content.decode()
    fresh = re.findall(r"(?:[A-Z2-9]{4}-){5}[A-Z2-9]{4}", shown)
    assert not codes.use(ann, old) and codes.use(ann, fresh[0])


def test_without_the_key_file_a_recovery_code_still_opens(
    client: Client, ann: User, secret: str, settings: Settings
) -> None:
    made = codes.make(ann)
    code = code_of(secret)
    settings.KEY_FILE = "/nowhere/keys"
    enter(client)
    assert not step(client, code)
    assert step(client, made[0])


def test_with_the_last_factor_the_codes_go(client: Client, ann: User, secret: str) -> None:
    codes.make(ann)
    signed_in(client, ann)
    assert client.get("/account/2fa/app/remove/").status_code == 200
    client.post("/account/2fa/app/remove/")
    assert not Authenticator.objects.exists() and not RecoveryCode.objects.exists()
    told = set(Notice.objects.values_list("data__kind", flat=True))
    assert "factor_removed" in told
    assert {"account.factor_removed", "account.codes_removed"} <= set(
        AuditEvent.objects.values_list("action", flat=True)
    )


@pytest.mark.parametrize(
    "path",
    ["app/", "app/remove/", "recovery-codes/", "passkeys/add/", "passkeys/1/rename/", "passkeys/1/remove/"],
)
def test_factors_ask_who_is_there(client: Client, ann: User, secret: str, path: str) -> None:
    signed_in(client, ann, lately=False)
    for answer in (client.get(f"/account/2fa/{path}"), client.post(f"/account/2fa/{path}")):
        assert answer["Location"].startswith("/account/reauthenticate/")


def test_a_code_proves_who_is_there(client: Client, ann: User, secret: str) -> None:
    signed_in(client, ann, lately=False)
    page = client.get("/account/2fa/reauthenticate/?next=/mail/log/")
    assert page.status_code == 200
    done = client.post("/account/2fa/reauthenticate/?next=/mail/log/", {"code": code_of(secret)})
    assert done["Location"] == "/mail/log/"
    assert client.get("/account/2fa/recovery-codes/").status_code == 200


# passkeys that are none: tests/e2e/test_signin.py has the real ones

JUNK = [
    "", "x", "null", "[]", "{}", '{"id":1}', '{"id":"YQ","rawId":"YQ","type":"public-key","response":{}}',
    '{"id":"YQ","rawId":"YQ","type":"public-key","response":{"userHandle":null}}',
    '{"id":"YQ","rawId":"YQ","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"AA",'
    '"signature":"AA","userHandle":"MQ"}}',
    '{"id":"YQ","rawId":"YQ","type":"public-key","response":{"clientDataJSON":"e30","attestationObject":"oA"}}',
    "[" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("junk", JUNK)
def test_a_made_up_passkey_is_an_error_of_the_form(client: Client, ann: User, secret: str, junk: str) -> None:
    client.get("/account/2fa/passkeys/sign-in/", headers={"accept": "application/json"})
    answer = client.post("/account/2fa/passkeys/sign-in/", {"credential": junk})
    assert answer.status_code == 302 and answer["Location"] == "/account/login/"
    enter(client)
    client.get(STEP)
    assert client.post(STEP, {"credential": junk}).status_code == 200
    assert not is_in(client)
    signed_in(client, ann)
    path, at_home = "/account/2fa/passkeys/add/", {"host": "localhost"}
    client.get(path, headers=at_home)
    assert client.post(path, {"credential": junk, "name": "x"}, headers=at_home).status_code == 200
    assert Authenticator.objects.count() == 1


def test_passkeys_are_of_their_owner_alone(client: Client, ann: User) -> None:
    bob = a_user()
    key = Authenticator.objects.create(user=bob, type="webauthn", data={"name": "bob's", "credential": {}})
    signed_in(client, ann)
    for what in ("rename", "remove"):
        assert client.get(f"/account/2fa/passkeys/{key.pk}/{what}/").status_code == 404
        assert client.post(f"/account/2fa/passkeys/{key.pk}/{what}/", {"name": "x"}).status_code == 404


# compulsory

EVERYWHERE = ["/", "/mail/log/", "/account/profile/", "/account/sessions/", "/audit/", "/channels/"]


def _viewer_or(role: str) -> User:
    user = a_user(password=PASSWORD)
    Membership.objects.create(team=Team.objects.create(name="t"), user=user, role=role)
    return user


@pytest.mark.parametrize(
    ("setting", "role", "sent"),
    [
        ("optional", Role.OWNER, False),
        ("editors", Role.VIEWER, False),
        ("editors", Role.EDITOR, True),
        ("editors", Role.OWNER, True),
        ("everybody", Role.VIEWER, True),
    ],
)
def test_who_must_have_one_is_sent_to_make_it(
    client: Client, settings: Settings, setting: str, role: str, sent: bool
) -> None:
    settings.SECOND_FACTOR = setting
    signed_in(client, _viewer_or(role))
    for path in EVERYWHERE:
        answer = client.get(path)
        assert (answer.status_code == 302 and answer["Location"] == "/account/2fa/") is sent, path
    assert client.post("/views/save/").status_code == (
        302 if sent else client.post("/views/save/").status_code
    )
    hx = client.get("/", headers={"hx-request": "true"})
    assert ("HX-Redirect" in hx.headers) is sent
    for open_path in ("/account/2fa/", "/account/2fa/app/", "/account/2fa/app/qr.svg"):
        assert client.get(open_path).status_code == 200
    assert client.post("/account/logout/").status_code == 302


def test_the_last_factor_stays_where_one_is_compulsory(
    client: Client, settings: Settings, ann: User, secret: str
) -> None:
    settings.SECOND_FACTOR = "everybody"
    signed_in(client, ann)
    assert client.get("/account/profile/").status_code == 200
    client.post("/account/2fa/app/remove/")
    assert Authenticator.objects.filter(user=ann).count() == 1
    key = Authenticator.objects.create(user=ann, type="webauthn", data={"name": "k", "credential": {}})
    client.post(f"/account/2fa/passkeys/{key.pk}/remove/")
    client.post("/account/2fa/app/remove/")
    assert Authenticator.objects.filter(user=ann).count() == 1


def test_there_is_no_other_door(client: Client, operator: User) -> None:
    """Django's admin would take the password alone."""
    assert client.get("/admin/").status_code == 404
    assert client.get("/admin/login/").status_code == 404
