"""What every page says about mails that do not arrive."""

from __future__ import annotations

import html
from datetime import timedelta
from importlib import import_module

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from fedisec.accounts.models import User
from fedisec.alerts import banners
from fedisec.alerts.models import Delivery, MailServer
from fedisec.alerts.send import NOT_CONFIRMED, NOT_WANTED
from tests.factories import a_user, signed_in

pytestmark = pytest.mark.django_db
FOLDER, FAILING, GIVEN_UP = "No mail relay is set", "Mails have been failing since", "was given up"
UNCONFIRMED = "is not confirmed, so no alert can reach you"


@pytest.fixture(autouse=True)
def relay_in_the_environment(settings: Settings) -> None:
    settings.EMAIL_URL = "smtp://relay.example"


@pytest.fixture
def alice() -> User:
    return a_user(email="alice@example.org")


def page_of(user: User) -> str:
    client = Client()
    signed_in(client, user)
    return html.unescape(client.get(reverse("profile")).content.decode())


def a_mail(user: User, state: str = "pending", minutes_ago: float = 11, **more: object) -> Delivery:
    made = timezone.now() - timedelta(minutes=minutes_ago)
    fields = {"attempts": 2, "answer": "451 later", "created_at": made} | more
    return Delivery.objects.create(
        kind="test", about=str(made), user=user, state=state, message_id=f"<{made}@x>", **fields
    )


def test_all_is_well(alice: User) -> None:
    a_mail(alice, "sent")
    a_mail(alice, minutes_ago=9)
    a_mail(alice, minutes_ago=12, attempts=0, answer="")
    page = page_of(alice)
    assert not [said for said in (FOLDER, FAILING, GIVEN_UP, UNCONFIRMED) if said in page]


def test_neither_environment_nor_form_name_a_relay(alice: User, settings: Settings) -> None:
    settings.EMAIL_URL = ""
    page = page_of(alice)
    assert FOLDER in page and str(settings.EMAIL_FILE_PATH) in page
    assert UNCONFIRMED not in page
    MailServer.objects.create(host="relay.example", sender="x@example.org")
    assert FOLDER not in page_of(alice)


def test_a_stranger_is_told_nothing(client: Client, settings: Settings) -> None:
    settings.EMAIL_URL = ""
    assert FOLDER not in client.get(reverse("account_login")).content.decode()


def test_a_mail_that_waits_for_ten_minutes_is_said_with_the_answer(alice: User) -> None:
    a_mail(alice, answer="451 <b>later</b>")
    a_mail(alice, minutes_ago=20, answer="421 busy")
    page = page_of(alice)
    assert page.count(FAILING) == 1
    assert "421 busy" in page


def test_what_was_given_up_is_said_for_a_day(alice: User) -> None:
    now = timezone.now()
    mail = a_mail(alice, "failed", answer="550 no such user", next_try_at=now - timedelta(hours=23))
    page = page_of(alice)
    assert GIVEN_UP in page and "550 no such user" in page
    Delivery.objects.filter(pk=mail.pk).update(next_try_at=now - timedelta(hours=25))
    assert GIVEN_UP not in page_of(alice)


@pytest.mark.parametrize("answer", [NOT_WANTED, NOT_CONFIRMED])
def test_what_nobody_wanted_is_no_trouble(alice: User, answer: str) -> None:
    a_mail(alice, "failed", answer=answer)
    assert GIVEN_UP not in page_of(alice)


def test_the_troubles_of_others_are_for_operators(alice: User) -> None:
    a_mail(a_user())
    assert FAILING not in page_of(alice)
    assert FAILING in page_of(a_user(is_superuser=True))


def test_who_cannot_be_reached_is_told(alice: User) -> None:
    EmailAddress.objects.update(verified=False)
    page = page_of(alice)
    assert f"alice@example.org {UNCONFIRMED}" in page and reverse("mail_address") in page


def test_what_was_found_counts_for_a_while(
    alice: User, settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings.BANNERS_KEPT_S = 30
    banners.forget()
    try:
        with django_assert_num_queries(1):
            assert banners._kept("failing", banners._troubles) == []
        with django_assert_num_queries(0):
            assert banners._kept("failing", banners._troubles) == []
    finally:
        banners.forget()


def test_whom_an_earlier_version_mailed_need_not_confirm(alice: User, settings: Settings) -> None:
    step = import_module("fedisec.alerts.migrations.0007_mailed_addresses_are_confirmed")
    bob = a_user(email="bob@example.org")
    EmailAddress.objects.all().delete()
    a_mail(alice, "sent")
    a_mail(bob)
    settings.EMAIL_URL = ""
    step.confirm(apps, None)
    assert not EmailAddress.objects.exists(), "a folder proves nothing"
    settings.EMAIL_URL = "smtp://relay.example"
    step.confirm(apps, None)
    (only,) = EmailAddress.objects.all()
    assert (only.email, only.verified, only.primary) == ("alice@example.org", True, True)
