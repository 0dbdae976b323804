"""What became of each mail: who may read it, another try, and its end after 90 days."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from fedisec.accounts.models import AuditEvent, Membership, Role, User
from fedisec.alerts import outbox, tidying
from fedisec.alerts.log_views import KINDS
from fedisec.alerts.models import Channel, Delivery, MailKind, Notice
from fedisec.instances.models import Instance
from fedisec.scans.models import Incident
from tests.factories import a_user, an_instance, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    return a_user(email="alice@example.org")


@pytest.fixture
def social(alice: User) -> Instance:
    return an_instance(alice, domain="social.example")


@pytest.fixture
def channel(social: Instance) -> Channel:
    return Channel.objects.create(team=social.team, kind="webhook", name="ops room")


def client_of(user: User) -> Client:
    return signed_in(Client(), user)


def row(about: str, **fields: Any) -> Delivery:
    given = {"kind": "regression", "state": "sent", "attempts": 1, "answer": "250 OK"} | fields
    return Delivery.objects.create(
        about=about, subject=f"subject {about}", message_id=f"<{about}@x>", **given
    )


def subjects(user: User, query: str = "") -> list[str]:
    page = client_of(user).get(f"/mail/log/{query}").content.decode()
    return re.findall(r"<p>(subject \w+)</p>", html.unescape(page))


def test_newest_first_for_ninety_days(alice: User) -> None:
    now = timezone.now()
    for days in (1, 89, 91):
        row(f"d{days}", user=alice, created_at=now - timedelta(days=days))
    row("now", user=alice)
    assert subjects(alice) == ["subject now", "subject d1", "subject d89"]


def test_one_sees_ones_own_and_an_operator_all(alice: User) -> None:
    row("hers", user=alice)
    bob = a_user(email="bob@example.org")
    row("his", user=bob)
    assert subjects(alice) == ["subject hers"]
    assert subjects(bob) == ["subject his"]
    assert subjects(a_user(is_superuser=True)) == ["subject his", "subject hers"]


def test_calls_of_a_channel_are_for_the_owners_of_its_team(alice: User, channel: Channel) -> None:
    call = row("call", channel=channel, state="failed")
    editor = a_user()
    Membership.objects.create(team=channel.team, user=editor, role=Role.EDITOR)
    assert (subjects(alice), subjects(editor), subjects(a_user())) == (["subject call"], [], [])
    assert client_of(editor).post(f"/mail/log/{call.pk}/again/").status_code == 404


def test_a_line_says_to_whom_what_how_often_and_the_answer(alice: User) -> None:
    row("x", user=alice, state="pending", attempts=3, answer="451 <later>")
    page = html.unescape(client_of(alice).get("/mail/log/").content.decode())
    for said in ("alice@example.org", "subject x", "… waiting", "3 tries", "451 <later>", "Try again now"):
        assert said in page
    assert "<later>" not in client_of(alice).get("/mail/log/").content.decode()


def test_one_state_alone(alice: User) -> None:
    row("ok", user=alice)
    row("bad", user=alice, state="failed")
    assert subjects(alice, "?state=failed") == ["subject bad"]
    assert len(subjects(alice, "?state=nonsense")) == 2


def test_fifty_on_a_page_for_as_many_queries_as_for_one(alice: User) -> None:
    client = client_of(alice)
    row("first", user=alice)
    with CaptureQueriesContext(connection) as one:
        client.get("/mail/log/")
    for number in range(60):
        row(f"n{number}", user=alice)
    with CaptureQueriesContext(connection) as many:
        page = client.get("/mail/log/").content.decode()
    assert len(many) == len(one)
    assert page.count("<p>subject") == 50
    assert "page=2" in page
    assert len(subjects(alice, "?page=2")) == 11


@pytest.mark.parametrize("state", ["pending", "failed"])
def test_another_try_is_due_at_once(alice: User, social: Instance, state: str) -> None:
    later = timezone.now() + timedelta(hours=1)
    mail = row("x", user=alice, state=state, next_try_at=later)
    client_of(alice).post(f"/mail/log/{mail.pk}/again/")
    mail.refresh_from_db()
    assert mail.state == "pending"
    assert mail.next_try_at <= timezone.now()
    assert AuditEvent.objects.get(action="mail.again").after == "alice@example.org"


@pytest.mark.parametrize("state", ["sent", "sending"])
def test_what_was_taken_is_not_sent_twice(alice: User, state: str) -> None:
    mail = row("x", user=alice, state=state)
    client_of(alice).post(f"/mail/log/{mail.pk}/again/")
    mail.refresh_from_db()
    assert mail.state == state


def test_nobody_sends_the_mail_of_another(alice: User) -> None:
    mail = row("x", user=alice, state="failed")
    assert client_of(a_user()).post(f"/mail/log/{mail.pk}/again/").status_code == 404
    assert client_of(alice).get(f"/mail/log/{mail.pk}/again/").status_code == 405


def test_what_is_old_ends_in_batches_and_stays_told(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    monkeypatch.setattr(tidying, "BATCH", 2)
    for number in range(3):
        old = row(f"old{number}", user=alice, created_at=now - timedelta(days=91))
        Notice.objects.create(kind="certificate", about=f"{number}", user=alice, delivery=old)
    row("waits", user=alice, state="pending", created_at=now - timedelta(days=91))
    row("young", user=alice, created_at=now - timedelta(days=89))
    outbox.tick(now)
    assert Delivery.objects.count() == 3
    tidying.tick(now)
    assert sorted(Delivery.objects.values_list("about", flat=True)) == ["waits", "young"]
    assert Notice.objects.filter(delivery=None, dropped_why="old", dropped_at=now).count() == 3


def test_the_mail_of_an_open_incident_is_kept_for_its_answer(alice: User, social: Instance) -> None:
    now = timezone.now()
    incident = Incident.objects.create(instance=social, item_id="lock", opened_at=now - timedelta(days=100))
    old = row("alarm", user=alice, created_at=now - timedelta(days=100))
    Notice.objects.create(kind="regression", about="1", user=alice, delivery=old, incident=incident)
    tidying.tick(now)
    assert Delivery.objects.exists()
    Incident.objects.update(closed_at=now)
    tidying.tick(now)
    assert not Delivery.objects.exists()


def test_every_kind_has_a_word() -> None:
    assert {kind.value for kind in MailKind} <= set(KINDS)


def test_a_stranger_is_sent_to_sign_in(client: Client, settings: Settings) -> None:
    assert client.get("/mail/log/").status_code == 302
