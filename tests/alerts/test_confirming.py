"""No alert to an address that nobody confirmed; how it is confirmed, and confirmed anew after a change."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from fedisec.accounts.models import AuditEvent, User
from fedisec.alerts import asking, confirming, outbox
from fedisec.alerts.models import Delivery, Notice
from fedisec.alerts.send import NOT_CONFIRMED, send_mail
from fedisec.instances.models import Instance
from tests.alerts.conftest import Story, the_mail
from tests.factories import a_subscriber, a_user, signed_in
from tests.smtp import Relay, text_of

pytestmark = pytest.mark.django_db
GOOD, BAD = {"lock": "pass"}, {"lock": "fail"}


@pytest.fixture
def new(instance: Instance) -> User:
    """Somebody who hears of the instance, at an address that was not confirmed."""
    return a_subscriber(instance, email="new@example.org", confirmed=False)


def reached() -> list[str]:
    return [user.email for user in confirming.may_be_mailed(User.objects.filter(email__startswith="new"))]


def link_in(relay: Relay) -> str:
    found = re.search(r"http://127\.0\.0\.1:8000(/account/confirm-email/\S+)", text_of(relay.taken[-1]))
    assert found is not None
    return found[1]


def asked_by_mail(relay: Relay) -> str:
    asking.tick(timezone.now())
    send_mail(the_mail().pk)
    return link_in(relay)


def test_while_mails_go_to_a_folder_everybody_gets_them(new: User, settings: Settings) -> None:
    settings.EMAIL_URL = ""
    assert reached() == ["new@example.org"]
    asking.tick(timezone.now())
    assert not Delivery.objects.exists()


def test_nobody_is_told_anything_at_an_unconfirmed_address(new: User, relay: Relay, story: Story) -> None:
    assert reached() == []
    story(GOOD, BAD, BAD)
    outbox.collect(timezone.now())
    assert not Notice.objects.exists()


def test_a_mail_that_waited_is_not_sent_there_either(new: User, relay: Relay) -> None:
    mail = Delivery.objects.create(kind="test", about="1", user=new, message_id="<1@x>")
    send_mail(mail.pk)
    assert (the_mail().state, the_mail().answer, relay.taken) == ("failed", NOT_CONFIRMED, [])


def test_with_a_relay_each_is_asked_once(new: User, relay: Relay) -> None:
    link = asked_by_mail(relay)
    assert relay.recipients == ["new@example.org"]
    assert relay.taken[0]["Auto-Submitted"] == "auto-generated"
    asking.tick(timezone.now())
    assert Delivery.objects.count() == 1
    assert link


def test_the_link_confirms_by_a_button_and_without_signing_in(
    new: User, relay: Relay, client: Client
) -> None:
    link = asked_by_mail(relay)
    page = client.get(link)
    assert (page.status_code, reached()) == (200, []), (
        "looking at a link, as a mail filter does, confirms nothing"
    )
    client.post(link)
    assert reached() == ["new@example.org"]
    assert "_auth_user_id" not in client.session, "the link opens nothing else"
    event = AuditEvent.objects.get(action="account.address_confirmed")
    assert (event.actor_id, event.after) == (new.pk, "new@example.org")


def test_the_link_lasts_three_days(
    new: User, relay: Relay, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = asked_by_mail(relay)
    later = timezone.now() + timedelta(days=3, minutes=1)
    monkeypatch.setattr("django.core.signing.time.time", later.timestamp)
    assert client.post(link).status_code == 404
    assert reached() == []


def test_the_link_of_one_address_confirms_no_other(new: User, relay: Relay, client: Client) -> None:
    link = asked_by_mail(relay)
    other = a_user(email="newer@example.org", confirmed=False)
    asking.address_of(other)
    client.post(link)
    assert reached() == ["new@example.org"]


def test_mails_with_links_are_limited(new: User, relay: Relay) -> None:
    now, address = timezone.now(), asking.address_of(new)
    first = [asking.ask(address, now + timedelta(seconds=second)) for second in range(4)]
    assert first == [True, True, True, False]
    hours = [asking.ask(address, now + timedelta(hours=hour)) for hour in range(1, 24)]
    assert sum(hours) == asking.A_DAY - 3


def test_another_address_counts_once_it_is_confirmed(relay: Relay, client: Client) -> None:
    user = a_user(email="new@example.org", password="a sentence nobody guesses")
    client.post("/account/login/", {"login": user.email, "password": "a sentence nobody guesses"})
    client.post("/account/email/", {"email": "new2@example.org", "password": "a sentence nobody guesses"})
    assert reached() == ["new@example.org"]
    mail = the_mail()
    send_mail(mail.pk)
    assert relay.recipients == ["new2@example.org"]
    client.post(link_in(relay))
    user.refresh_from_db()
    assert (user.email, reached()) == ("new2@example.org", ["new2@example.org"])
    assert list(EmailAddress.objects.values_list("email", flat=True)) == ["new2@example.org"]


def test_an_address_that_was_changed_in_the_database_is_confirmed_anew(new: User, relay: Relay) -> None:
    asking.tick(timezone.now())
    Delivery.objects.update(state="sent")
    EmailAddress.objects.update(verified=True)
    assert reached() == ["new@example.org"]
    User.objects.filter(pk=new.pk).update(email="new3@example.org")
    assert reached() == []
    asking.tick(timezone.now())
    send_mail(Delivery.objects.latest("pk").pk)
    assert relay.recipients == ["new3@example.org"]


def test_an_address_without_a_confirmation_signs_in(new: User, relay: Relay, client: Client) -> None:
    new.set_password("a sentence nobody guesses")
    new.save()
    answer = client.post("/account/login/", {"login": new.email, "password": "a sentence nobody guesses"})
    assert answer.status_code == 302
    assert "_auth_user_id" in client.session


@pytest.mark.parametrize(
    ("address", "password"),
    [
        ("new2@example.org", "a guess"),
        ("new@example.org", "a sentence nobody guesses"),
        ("taken@example.org", "a sentence nobody guesses"),
        ("no address", "a sentence nobody guesses"),
    ],
)
def test_another_address_needs_the_password_and_must_be_free(
    relay: Relay, client: Client, address: str, password: str
) -> None:
    a_user(email="taken@example.org")
    signed_in(client, a_user(email="new@example.org", password="a sentence nobody guesses"))
    answer = client.post("/account/email/", {"email": address, "password": password})
    assert answer.status_code == 422
    assert not Delivery.objects.exists()


def test_an_address_that_somebody_else_took_meanwhile_is_not_confirmed(
    new: User, relay: Relay, client: Client
) -> None:
    wanted = EmailAddress.objects.create(user=new, email="new2@example.org")
    asking.ask(wanted)
    send_mail(the_mail().pk)
    a_user(email="new2@example.org", confirmed=False)
    client.post(link_in(relay))
    new.refresh_from_db()
    assert (new.email, reached()) == ("new@example.org", [])


def test_the_link_is_sent_again_on_demand_and_not_without_end(
    new: User, relay: Relay, client: Client
) -> None:
    signed_in(client, new)
    for _ in range(asking.AN_HOUR + 2):
        assert client.post("/account/email/again/", follow=True).status_code == 200
    assert Delivery.objects.count() == asking.AN_HOUR
