"""Ending mails by the link in one: bound to a person and a purpose, by POST alone, for ever."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from fedisec.accounts.models import AuditEvent, User
from fedisec.alerts import unsubscribe
from fedisec.alerts.models import Channel, Delivery, MailKind, Preference, Subscription, chosen_kinds
from fedisec.alerts.packing import ALARMS
from fedisec.alerts.unsubscribe import Purpose, Ticket, opened, sealed
from fedisec.instances.models import Instance
from tests.factories import a_subscriber

ONE_CLICK = "List-Unsubscribe=One-Click"
FORM = "application/x-www-form-urlencoded"


def a_mail(user: User | None, kind: str, instance: Instance | None = None, **fields: Any) -> Delivery:
    number = Delivery.objects.count()
    return Delivery.objects.create(
        kind=kind, about=f"{number}", user=user, instance=instance, message_id=f"<{number}>", **fields
    )


def pressed(ticket: Ticket, body: str = ONE_CLICK, content_type: str = FORM) -> Any:
    """As a mail program does it: no cookie, no referrer, checks of forged requests on."""
    client = Client(enforce_csrf_checks=True)
    return client.post(f"/unsubscribe/{sealed(ticket)}/", body, content_type=content_type)


@pytest.mark.parametrize(
    ("kind", "of_one", "purpose"),
    [
        *((kind, True, Purpose.INSTANCE) for kind in sorted(ALARMS)),
        *((kind, False, Purpose.ALARMS) for kind in sorted(ALARMS)),
        (MailKind.HOST_KEY, True, Purpose.INSTANCE),
        (MailKind.REMINDER, True, Purpose.REMINDERS),
        (MailKind.REMINDER, False, Purpose.REMINDERS),
        (MailKind.ENDING, False, Purpose.REMINDERS),
        (MailKind.DIGEST, False, Purpose.DIGEST),
        (MailKind.NEWS, False, Purpose.NEWS),
        (MailKind.NEWS, True, Purpose.NEWS),
        (MailKind.OUTAGE, False, None),
        (MailKind.TEST, False, None),
        ("confirm", False, None),
    ],
)
def test_each_mail_ends_mails_like_itself(
    reader: User, instance: Instance, settings: Settings, kind: str, of_one: bool, purpose: Purpose | None
) -> None:
    settings.PUBLIC_URL = "https://fedisec.example"
    mail = a_mail(reader, kind, instance if of_one else None)
    headers = unsubscribe.header_of(mail)
    if purpose is None:
        assert headers == {} and unsubscribe.link_of(mail) == ""
        return
    assert headers["List-Unsubscribe-Post"] == ONE_CLICK
    address = headers["List-Unsubscribe"]
    assert address.startswith("<https://fedisec.example/unsubscribe/") and address.endswith("/>")
    found = opened(address.rstrip("/>").rpartition("/")[2])
    assert found is not None
    assert (found.purpose, found.user_id) == (purpose, reader.pk)
    assert found.instance_id == (instance.pk if purpose is Purpose.INSTANCE else 0)


def test_every_kind_is_decided(reader: User, instance: Instance) -> None:
    without = {kind for kind in MailKind if not unsubscribe.header_of(a_mail(reader, kind, instance))}
    assert without == {MailKind.OUTAGE, MailKind.TEST}


def test_one_click_is_promised_over_https_alone(reader: User, settings: Settings) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    assert set(unsubscribe.header_of(a_mail(reader, "digest"))) == {"List-Unsubscribe"}


def test_a_channel_has_no_such_header(instance: Instance) -> None:
    channel = Channel.objects.create(team=instance.team, kind="webhook", name="ops")
    assert unsubscribe.header_of(a_mail(None, "regression", instance, channel=channel)) == {}


def test_the_address_tells_nothing_and_changes_with_each_part() -> None:
    tickets = [
        Ticket(purpose, user, instance) for purpose in Purpose for user in (1, 2) for instance in (0, 1)
    ]
    addresses = {sealed(ticket) for ticket in tickets}
    assert len(addresses) == len(tickets)
    assert {len(address) for address in addresses} == {unsubscribe.TICKET_LENGTH}
    assert all(opened(sealed(ticket)) == ticket for ticket in tickets)
    whole = [base64.urlsafe_b64decode(address) for address in addresses]
    assert len({data[:8] for data in whole}) == len(whole)


def test_a_changed_address_opens_nothing() -> None:
    address = sealed(Ticket(Purpose.DIGEST, 7))
    for place in range(len(address)):
        other = "A" if address[place] != "A" else "B"
        assert opened(address[:place] + other + address[place + 1 :]) is None


@given(st.text(max_size=60) | st.text(alphabet="ABCabc019-_=+/", min_size=44, max_size=44))
def test_no_made_up_address_opens_anything(text: str) -> None:
    assert opened(text) is None


def test_an_address_outlives_a_new_secret_of_the_installation(settings: Settings) -> None:
    address, old = sealed(Ticket(Purpose.DIGEST, 7)), settings.SECRET_KEY
    settings.SECRET_KEY = "another secret " * 5
    assert opened(address) is None
    settings.SECRET_KEY_FALLBACKS = [old]
    assert opened(address) == Ticket(Purpose.DIGEST, 7)


@pytest.mark.parametrize("method", ["get", "head", "options", "put"])
@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_scanner_that_only_looks_changes_nothing(
    reader: User, instance: Instance, purpose: Purpose, method: str
) -> None:
    Preference.objects.create(user=reader)
    answer = getattr(Client(), method)(f"/unsubscribe/{sealed(Ticket(purpose, reader.pk, instance.pk))}/")
    assert answer.status_code == (200 if method in {"get", "head"} else 405)
    stored = Preference.objects.get()
    assert (stored.kinds, stored.digest) == (chosen_kinds(), True)
    assert Subscription.objects.filter(user=reader).exists()
    assert not AuditEvent.objects.exists()


def test_the_page_says_what_ends_and_has_one_button(reader: User, instance: Instance) -> None:
    answer = Client().get(f"/unsubscribe/{sealed(Ticket(Purpose.INSTANCE, reader.pk, instance.pk))}/")
    text = answer.content.decode()
    assert "All mails to you about good.example" in text
    main = text[text.index("<main") : text.index("</main>")]
    assert main.count("<form") == main.count("<button") == 1
    assert reader.email not in text
    assert "noindex" in answer["X-Robots-Tag"]
    assert (answer["Referrer-Policy"], answer["Cache-Control"]) == ("no-referrer", "no-store")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (ONE_CLICK, FORM),
        ("", FORM),
        (
            '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
        ("{", "application/json"),
        ("x" * 2_000_000, FORM),  # not even read
    ],
)
def test_one_click_ends_at_once_whatever_the_body(
    reader: User, instance: Instance, body: str, content_type: str
) -> None:
    answer = pressed(Ticket(Purpose.INSTANCE, reader.pk, instance.pk), body, content_type)
    assert answer.status_code == 200
    assert not Subscription.objects.filter(user=reader).exists()


def test_an_instance_ends_for_one_person_and_says_the_way_back(reader: User, instance: Instance) -> None:
    other = a_subscriber(instance)
    ticket = Ticket(Purpose.INSTANCE, reader.pk, instance.pk)
    text = pressed(ticket).content.decode()
    assert "They have ended" in text and 'href="/account/notifications/"' in text
    assert list(Subscription.objects.values_list("user", flat=True)) == [other.pk]
    pressed(ticket)
    lines = AuditEvent.objects.filter(action="alert.unsubscribed")
    assert [(line.actor_id, line.instance_id, line.after) for line in lines] == [
        (reader.pk, instance.pk, "instance")
    ]


@pytest.mark.parametrize(
    ("purpose", "ended"),
    [
        (Purpose.ALARMS, ALARMS),
        (Purpose.REMINDERS, {MailKind.REMINDER, MailKind.ENDING}),
        (Purpose.NEWS, {MailKind.NEWS}),
    ],
)
def test_kinds_end_for_one_person(
    reader: User, instance: Instance, purpose: Purpose, ended: set[MailKind]
) -> None:
    for _ in range(2):
        assert pressed(Ticket(purpose, reader.pk)).status_code == 200
    stored = Preference.objects.get()
    assert set(chosen_kinds()) - set(stored.kinds) == {kind.value for kind in ended}
    assert stored.digest is True
    assert Subscription.objects.filter(user=reader).exists()
    assert [line.after for line in AuditEvent.objects.all()] == [purpose.word]


def test_the_digest_ends_alone(reader: User, instance: Instance) -> None:
    for _ in range(2):
        pressed(Ticket(Purpose.DIGEST, reader.pk))
    stored = Preference.objects.get()
    assert (stored.digest, stored.kinds) == (False, chosen_kinds())
    assert AuditEvent.objects.count() == 1


def test_who_and_what_is_gone_does_no_harm(db: None, reader: User, instance: Instance) -> None:
    assert pressed(Ticket(Purpose.DIGEST, 10**12)).status_code == 200
    assert pressed(Ticket(Purpose.INSTANCE, reader.pk, 10**12)).status_code == 200
    assert Subscription.objects.filter(user=reader).exists()


@pytest.mark.parametrize("token", ["x", "A" * 44, "é" * 44, "A" * 900])
def test_a_wrong_address_is_not_found_without_a_question_to_the_database(token: str, client: Client) -> None:
    answer = client.post(f"/unsubscribe/{token}/")  # no database in this test: any query would fail
    assert answer.status_code == 404
    assert "noindex" in answer["X-Robots-Tag"]


def test_a_held_ticket_ends_nothing_of_somebody_else(reader: User, instance: Instance) -> None:
    other = a_subscriber(instance)
    Preference.objects.create(user=other)
    for purpose in Purpose:
        pressed(Ticket(purpose, reader.pk, instance.pk))
    assert Preference.objects.get(user=other).kinds == chosen_kinds()
    assert Subscription.objects.filter(user=other).exists()
    assert timezone.now() >= AuditEvent.objects.latest("pk").at
