"""Mails about an account: queued with the change, to the right address, with links of ours alone."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any, cast

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from fedisec.accounts import codes
from fedisec.accounts.models import User
from fedisec.accounts.notices import tell
from fedisec.alerts import account_letters
from fedisec.alerts.models import Delivery, DeliveryState, Notice
from fedisec.alerts.send import send_mail
from tests.accounts.signin.conftest import PASSWORD, code_of, enter, is_in
from tests.factories import a_user, signed_in

pytestmark = pytest.mark.django_db
NEW = "quite another sentence"


@pytest.fixture
def box(settings: Settings) -> list[EmailMultiAlternatives]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    return cast(list[EmailMultiAlternatives], mail.outbox)


def letters() -> list[EmailMultiAlternatives]:
    """What is queued, written."""
    return [
        account_letters.letter_of(one) for one in Delivery.objects.order_by("pk") if one.kind != "confirm"
    ]


def told() -> list[str]:
    return [one.data["kind"] for one in Notice.objects.order_by("pk")]


def test_a_new_device_is_told_and_a_known_one_is_not(client: Client, ann: User) -> None:
    enter(client)
    assert told() == []  # the first one: there is nobody to warn
    client.post("/account/logout/")
    enter(client)
    assert told() == []
    enter(Client(), address="203.0.113.9")
    assert told() == ["device_new"]
    assert "203.0.113.9" in str(letters()[0].body)


def test_another_password_is_told(client: Client, ann: User) -> None:
    signed_in(client, ann)
    form = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    client.post("/account/password/change/", form)
    assert told() == ["password_changed"]
    assert letters()[0].to == [ann.email]


def test_another_address_is_told_to_both(client: Client, ann: User) -> None:
    wanted = EmailAddress.objects.create(user=ann, email="new@example.org")
    client.post(f"/account/confirm-email/{EmailConfirmationHMAC(wanted).key}/")
    ann.refresh_from_db()
    assert ann.email == "new@example.org"
    assert sorted(one.to[0] for one in letters()) == ["ann@example.org", "new@example.org"]
    assert all("from ann@example.org to new@example.org" in str(one.body) for one in letters())
    before = Delivery.objects.get(notices__data__to="ann@example.org")
    assert account_letters.reaches(before)


@pytest.mark.parametrize("kind", sorted(account_letters.SENTENCES))
@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_kind_has_its_words(ann: User, kind: str, language: str) -> None:
    ann.language = language
    ann.save()
    names = re.findall(r"%\((\w+)\)s", account_letters.SENTENCES[kind]())
    values: dict[str, Any] = dict.fromkeys(names, "<b>x</b>\r\nBcc: y\x1b")
    tell(ann, kind, **values)
    letter = letters()[0]
    html = str(letter.alternatives[0][0])
    assert "\n" not in letter.subject and letter.subject.startswith("[fedisec] ")
    assert "<b>" not in html and "\x1b" not in html + str(letter.body)
    assert letter.extra_headers["Auto-Submitted"] == "auto-generated"


def test_a_kind_without_words_is_a_mistake(ann: User) -> None:
    with pytest.raises(KeyError):
        tell(ann, "nothing")


def test_notices_do_not_go_to_unconfirmed_addresses(settings: Settings) -> None:
    settings.EMAIL_URL = "smtp://127.0.0.1:1"
    user = a_user(confirmed=False)
    tell(user, "password_changed")
    send_mail(Delivery.objects.get().pk)
    assert Delivery.objects.get().state == DeliveryState.FAILED


# a forgotten password


def ask(client: Client, email: str = "ann@example.org", **headers: Any) -> Any:
    return client.post("/account/password/reset/", {"email": email}, **headers)


def link() -> str:
    found = re.search(r"(https?://\S+)", str(letters()[-1].body).split("within an hour:")[1])
    assert found is not None
    return found[1]


def test_a_relay_that_is_away_keeps_nobody_waiting(client: Client, ann: User, settings: Settings) -> None:
    """It was sent within the request, and a relay that refused was an error page."""
    settings.EMAIL_URL, settings.EMAIL_BACKEND = "smtp://127.0.0.1:1", "fedisec.alerts.relay.Backend"
    assert ask(client)["Location"] == "/account/password/reset/done/"
    queued = Delivery.objects.get()
    assert (queued.kind, queued.state) == ("reset", DeliveryState.PENDING)
    send_mail(queued.pk)
    queued.refresh_from_db()
    assert queued.state == DeliveryState.PENDING and queued.attempts == 1


def test_no_token_waits_in_the_database(client: Client, ann: User) -> None:
    ask(client)
    token = link().rstrip("/").rsplit("-", 1)[1]
    assert token not in json.dumps(list(Delivery.objects.values()), default=str)


@pytest.mark.parametrize("header", ["HTTP_HOST", "HTTP_X_FORWARDED_HOST"])
def test_links_are_of_the_configured_address_alone(
    client: Client, ann: User, settings: Settings, header: str
) -> None:
    settings.PUBLIC_URL = "https://fedisec.example"
    ask(client, **{header: "evil.example"})
    if header == "HTTP_HOST":
        assert not Delivery.objects.exists()  # refused altogether
    else:
        assert link().startswith("https://fedisec.example/account/password/reset/key/")


def test_the_link_sets_a_password_once_and_ends_every_session(
    client: Client, ann: User, settings: Settings
) -> None:
    settings.PUBLIC_URL = "http://testserver"
    other = Client()
    enter(other)
    ask(client)
    form = client.get(link(), follow=True)
    where = form.redirect_chain[-1][0]
    done = client.post(where, {"password1": NEW, "password2": NEW})
    assert done["Location"] == "/account/password/reset/key/done/"
    assert not is_in(other) and not is_in(client), "the link signs nobody in"
    assert told() == ["password_reset"]
    enter(client, NEW)
    assert is_in(client)


def test_a_used_link_is_dead(client: Client, ann: User, settings: Settings) -> None:
    settings.PUBLIC_URL = "http://testserver"
    ask(client)
    used = link()
    where = client.get(used, follow=True).redirect_chain[-1][0]
    client.post(where, {"password1": NEW, "password2": NEW})
    assert "no longer works" in Client().get(used, follow=True).content.decode()


def test_a_new_password_leaves_the_second_factor(
    client: Client, ann: User, secret: str, settings: Settings
) -> None:
    settings.PUBLIC_URL = "http://testserver"
    codes.make(ann)
    ask(client)
    where = client.get(link(), follow=True).redirect_chain[-1][0]
    client.post(where, {"password1": NEW, "password2": NEW})
    enter(client, NEW)
    assert not is_in(client)
    client.post("/account/2fa/authenticate/", {"code": code_of(secret)})
    assert is_in(client)
    assert codes.left_of(ann) == 10


def test_a_request_of_long_ago_is_not_answered_any_more(client: Client, ann: User) -> None:
    ask(client)
    Delivery.objects.update(created_at=timezone.now() - timedelta(hours=1, minutes=1))
    send_mail(Delivery.objects.get().pk)
    assert Delivery.objects.get().state == DeliveryState.FAILED


def test_nobody_is_flooded(ann: User) -> None:
    for n in range(6):
        ask(Client(), REMOTE_ADDR=f"198.51.100.{n}")
    assert Delivery.objects.count() == account_letters.AN_HOUR


def test_strangers_get_no_mail_in_our_name(client: Client) -> None:
    assert ask(client, "stranger@example.org")["Location"] == "/account/password/reset/done/"
    assert not Delivery.objects.exists() and mail.outbox == []
