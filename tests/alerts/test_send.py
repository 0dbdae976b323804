"""A mail is sent once, tried again when the relay is away, and given up only when it was refused."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage

import pytest
from django.utils import timezone
from pytest_django import Settings

from fedisec.accounts.models import User
from fedisec.alerts import outbox, send
from fedisec.alerts.models import Delivery, DeliveryState, Subscription
from fedisec.alerts.send import BROKEN, PAUSES_MIN, TRIES_MAX, claim, send_mail
from tests.alerts.conftest import Story, the_mail
from tests.factories import a_subscriber
from tests.smtp import Relay, text_of

GOOD, BAD = {"lock": "pass"}, {"lock": "fail"}


@pytest.fixture
def mail(reader: User, story: Story) -> Delivery:
    story(GOOD, BAD, BAD)
    outbox.tick(timezone.now())
    return the_mail()


def try_again() -> Delivery:
    """The next try, as if its time had come."""
    Delivery.objects.update(next_try_at=timezone.now())
    send_mail(the_mail().pk)
    return the_mail()


def headers(message: EmailMessage, *names: str) -> list[str]:
    return [str(message[name]) for name in names]


def test_a_mail_arrives_and_is_noted_as_sent(mail: Delivery, relay: Relay, reader: User) -> None:
    send_mail(mail.pk)
    (message,) = relay.taken
    assert relay.recipients == ["reader@example.org"]
    assert headers(message, "Subject", "Message-ID", "Auto-Submitted") == [
        "[fedisec] good.example: 1 required item is no longer met",
        mail.message_id,
        "auto-generated",
    ]
    assert message["In-Reply-To"] is None
    sent = the_mail()
    assert (sent.state, sent.attempts, sent.answer, sent.lease_until) == ("sent", 1, "250 OK", None)
    assert sent.sent_at is not None
    assert sent.subject == message["Subject"]


def test_a_mail_is_sent_once(mail: Delivery, relay: Relay) -> None:
    send_mail(mail.pk)
    send_mail(mail.pk)
    assert len(relay.taken) == 1


def test_a_mail_in_somebody_elses_hands_is_left_alone(mail: Delivery, relay: Relay) -> None:
    assert claim(mail.pk, timezone.now()) is not None
    assert claim(mail.pk, timezone.now()) is None
    send_mail(mail.pk)
    assert relay.taken == []


def test_a_relay_that_is_away_is_tried_again_under_the_same_message_id(
    mail: Delivery, relay: Relay, settings: Settings
) -> None:
    right, settings.EMAIL_URL = settings.EMAIL_URL, "smtp://127.0.0.1:1"
    send_mail(mail.pk)
    waiting = the_mail()
    assert waiting.state == "pending"
    assert "ConnectionRefusedError" in waiting.answer
    settings.EMAIL_URL = right
    relay.answers = ["data 451 try later"]
    assert try_again().state == "pending"
    assert try_again().state == "sent"
    assert [message["Message-ID"] for message in relay.taken] == [mail.message_id]


@pytest.mark.parametrize(
    "answer", ["rcpt 451 greylisted", "data 451 try later", "data 421 closing", "rcpt 452 full"]
)
def test_a_refusal_for_now_is_tried_again(mail: Delivery, relay: Relay, answer: str) -> None:
    relay.answers = [answer]
    send_mail(mail.pk)
    waiting = the_mail()
    assert waiting.state == "pending"
    assert waiting.answer.startswith(answer.split()[1])
    assert try_again().state == "sent"


def test_a_refusal_of_who_we_are_is_tried_again(mail: Delivery, relay: Relay) -> None:
    relay.answers = ["rcpt 554 5.7.1 <reader@example.org>: Relay access denied"]
    send_mail(mail.pk)
    assert the_mail().state == "pending"


@pytest.mark.parametrize("answer", ["rcpt 550 no such user", "data 554 looks like spam"])
def test_a_refusal_for_good_is_kept_and_not_tried_again(mail: Delivery, relay: Relay, answer: str) -> None:
    relay.answers = [answer]
    send_mail(mail.pk)
    failed = the_mail()
    assert (failed.state, failed.answer) == ("failed", answer.split(maxsplit=1)[1])
    try_again()
    assert relay.taken == []


def test_one_refused_reader_does_not_keep_the_mail_from_the_other(
    mail: Delivery, relay: Relay, reader: User
) -> None:
    assert mail.instance is not None
    other = Delivery.objects.create(
        instance=mail.instance,
        kind=mail.kind,
        about=mail.about,
        user=a_subscriber(mail.instance, email="other@example.org"),
        message_id="<x@y>",
    )
    relay.answers = ["rcpt 550 gone"]
    send_mail(mail.pk)
    send_mail(other.pk)
    assert relay.recipients == ["other@example.org"]


@pytest.mark.parametrize("end", ["drop", "hang"])
def test_a_relay_that_does_not_answer_to_the_content_gets_it_again_with_the_same_message_id(
    mail: Delivery, relay: Relay, settings: Settings, end: str
) -> None:
    settings.EMAIL_TIMEOUT = 1
    relay.answers = [end]
    send_mail(mail.pk)
    waiting = the_mail()
    assert (waiting.state, waiting.maybe_arrived) == ("pending", True)
    assert waiting.answer.startswith("no answer to the content: ")
    assert try_again().state == "sent"
    assert [message["Message-ID"] for message in relay.taken] == [mail.message_id] * 2


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("smtp+tls://127.0.0.1:{port}", "NoStartTls: the relay offers no STARTTLS"),
        ("smtp+plain://user:wrong@127.0.0.1:{port}", "SMTPNotSupportedError: the relay offers neither"),
        ("smtps://127.0.0.1:{port}", "SSLError: "),
        ("smtp://127.0.0.1:1", "ConnectionRefusedError: "),
    ],
)
def test_a_fault_of_the_settings_waits_for_somebody_to_mend_it(
    mail: Delivery, relay: Relay, settings: Settings, address: str, said: str
) -> None:
    right = settings.EMAIL_URL
    settings.EMAIL_URL = address.format(port=right.rsplit(":", 1)[1])
    send_mail(mail.pk)
    waiting = the_mail()
    assert (waiting.state, waiting.maybe_arrived, relay.seen) == ("pending", False, [])
    assert waiting.answer.startswith(said)
    settings.EMAIL_URL = right
    assert try_again().state == "sent"


def test_three_refusals_for_now_cost_three_tries_and_arrive_once(mail: Delivery, relay: Relay) -> None:
    relay.answers = ["data 451 later"] * 3
    states = [try_again().state for _ in range(4)]
    assert states == ["pending", "pending", "pending", "sent"]
    assert the_mail().maybe_arrived is False
    assert len(relay.taken) == 1


def test_what_is_given_up_is_logged(mail: Delivery, relay: Relay, caplog: pytest.LogCaptureFixture) -> None:
    relay.answers = ["rcpt 550 no such user"]
    send_mail(mail.pk)
    (record,) = [one for one in caplog.records if one.levelname == "ERROR"]
    assert record.getMessage() == f"mail {mail.message_id} was given up: 550 no such user"


def test_the_pauses_grow_and_after_days_it_is_given_up(
    mail: Delivery, relay: Relay, settings: Settings
) -> None:
    settings.EMAIL_URL = "smtp://127.0.0.1:1"
    pauses = []
    for _ in range(len(PAUSES_MIN) + 2):
        waiting = try_again()
        pauses.append(round((waiting.next_try_at - timezone.now()).total_seconds() / 60))
    assert pauses == [*PAUSES_MIN, 60, 60]
    Delivery.objects.update(created_at=timezone.now() - send.GIVE_UP_AFTER - timedelta(minutes=1))
    assert try_again().state == "failed"


def test_a_mail_whose_sender_died_is_sent_again_with_its_message_id(mail: Delivery, relay: Relay) -> None:
    held = claim(mail.pk, timezone.now())
    assert held is not None and held.lease_until is not None
    outbox.end_leases(held.lease_until - timedelta(seconds=1))
    assert the_mail().state == "sending"
    outbox.end_leases(held.lease_until + timedelta(seconds=1))
    assert the_mail().state == "pending"
    send_mail(mail.pk)
    assert [message["Message-ID"] for message in relay.taken] == [mail.message_id]


def test_who_lost_the_lease_changes_nothing(mail: Delivery) -> None:
    held = claim(mail.pk, timezone.now())
    assert held is not None and held.lease_until is not None
    outbox.end_leases(held.lease_until + timedelta(seconds=1))
    send._finish(held, DeliveryState.FAILED, "too late")
    assert the_mail().state == "pending"


def test_who_no_longer_wants_it_gets_no_mail(mail: Delivery, relay: Relay) -> None:
    Subscription.objects.all().delete()
    send_mail(mail.pk)
    assert (the_mail().state, relay.taken) == ("failed", [])


def test_a_recovery_answers_the_alarm(reader: User, story: Story, relay: Relay) -> None:
    story(GOOD, BAD, BAD)
    outbox.tick(timezone.now())
    story(GOOD, GOOD)
    outbox.tick(timezone.now())
    for pk in Delivery.objects.order_by("pk").values_list("pk", flat=True):
        send_mail(pk)
    alarm, recovery = relay.taken
    assert recovery["Subject"] == "[fedisec] good.example: 1 item is met again"
    assert headers(recovery, "In-Reply-To", "References") == [alarm["Message-ID"]] * 2
    assert "Nothing that fedisec checks is failing." in text_of(recovery)


def test_a_mail_that_no_try_can_end_is_given_up(mail: Delivery, relay: Relay) -> None:
    Delivery.objects.filter(pk=mail.pk).update(attempts=TRIES_MAX)
    send_mail(mail.pk)
    assert relay.taken == []
    assert (the_mail().state, the_mail().answer) == ("failed", BROKEN)
