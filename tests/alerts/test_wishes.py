"""What a person chooses to hear: the page, the servers on it, and saying that one knows."""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fedisec.accounts.models import AuditEvent, Membership, Role, Team, User
from fedisec.alerts import wishing
from fedisec.alerts.models import CHOSEN_KINDS, Notice, Preference, Subscription, chosen_kinds
from fedisec.alerts.wish_forms import KINDS
from fedisec.instances.models import Instance
from fedisec.scans.models import REACH, Incident
from tests.factories import a_user, an_instance, signed_in

PAGE = "/account/notifications/"
HEARING = "/instances/good.example/hearing/"
KNOWN = "/instances/good.example/items/fake.lock/acknowledge/"
FORM: dict[str, Any] = {
    "levels": ["required"],
    "kinds": ["regression", "reminder"],
    "reminder_days": "30",
    "remind_recommended": "on",
    "digest": "on",
    "digest_day": "4",
    "digest_hour": "17",
    "quiet_from": "22:30",
    "quiet_to": "07:00",
}


def client_of(user: User) -> Client:
    return signed_in(Client(), user)


@pytest.fixture
def owner(instance: Instance) -> User:
    assert instance.created_by is not None
    return instance.created_by


@pytest.fixture
def incident(instance: Instance) -> Incident:
    return Incident.objects.create(
        instance=instance, item_id="fake.lock", opened_at=timezone.now() - timedelta(days=3)
    )


def test_the_page_explains_every_kind_and_starts_from_the_defaults(reader: User) -> None:
    text = client_of(reader).get(PAGE).content.decode()
    assert set(KINDS) == set(CHOSEN_KINDS)
    assert text.count('name="kinds"') == len(CHOSEN_KINDS)
    assert len(re.findall(r'name="kinds"[^>]*checked', text)) == len(chosen_kinds())
    assert re.search(r'value="7"[^>]*checked', text)
    assert not Preference.objects.exists(), "looking stores nothing"


def test_what_is_chosen_is_stored_and_stands_in_the_trail(reader: User) -> None:
    client = client_of(reader)
    assert client.post(PAGE, FORM)["Location"] == PAGE
    stored = Preference.objects.get()
    assert (stored.levels, stored.kinds, stored.reminder_days) == (
        ["required"],
        ["regression", "reminder"],
        30,
    )
    assert (stored.remind_recommended, stored.digest, stored.digest_day) == (True, True, 4)
    assert (stored.digest_hour, stored.quiet_from, stored.quiet_to) == (17, time(22, 30), time(7))
    line = AuditEvent.objects.get()
    assert (line.action, line.actor_id) == ("alert.chosen", reader.pk)
    assert "quiet_from: None" in line.before and "quiet_from: 22:30" in line.after
    text = client.get(PAGE).content.decode()
    assert 'value="22:30"' in text and len(re.findall(r'name="kinds"[^>]*checked', text)) == 2


def test_saving_what_stands_changes_nothing(reader: User) -> None:
    client = client_of(reader)
    client.post(PAGE, FORM)
    client.post(PAGE, FORM)
    assert AuditEvent.objects.count() == 1


def test_everything_can_be_switched_off(reader: User) -> None:
    nothing = {"reminder_days": "0", "digest_day": "0", "digest_hour": "8", "quiet_from": "", "quiet_to": ""}
    assert client_of(reader).post(PAGE, nothing).status_code == 302
    stored = Preference.objects.get()
    assert (stored.levels, stored.kinds, stored.digest, stored.reminder_days) == ([], [], False, 0)


def test_another_hour_of_the_digest_waits_for_the_next_week(reader: User) -> None:
    client_of(reader).post(PAGE, FORM)
    passed = Notice.objects.get(kind="digest")
    assert (passed.user, passed.dropped_why) == (reader, "chosen later")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"quiet_to": ""}, "quiet_to"),
        ({"quiet_from": ""}, "quiet_from"),
        ({"quiet_to": "22:30"}, "quiet_to"),
        ({"quiet_to": "25:00"}, "quiet_to"),
        ({"reminder_days": "3"}, "reminder_days"),
        ({"reminder_days": "-1"}, "reminder_days"),
        ({"digest_hour": "24"}, "digest_hour"),
        ({"kinds": ["outage"]}, "kinds"),
        ({"levels": ["none"]}, "levels"),
    ],
)
def test_what_does_not_fit_comes_back(reader: User, wrong: dict[str, Any], field: str) -> None:
    answer = client_of(reader).post(PAGE, FORM | wrong)
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {field}
    assert 'class="errorlist"' in answer.content.decode()
    assert not Preference.objects.exists()


@pytest.mark.parametrize(("word", "hours"), [("1h", 1), ("8h", 8), ("1d", 24), ("1w", 168)])
def test_everything_can_be_held_for_a_while_and_again_released(reader: User, word: str, hours: int) -> None:
    client, before = client_of(reader), timezone.now()
    client.post(f"{PAGE}snooze/", {"for": word})
    until = Preference.objects.get().snoozed_until
    assert until is not None
    assert timedelta(0) <= until - before - timedelta(hours=hours) < timedelta(minutes=1)
    text = client.get(PAGE).content.decode()
    assert "Held until" in text and "Send mails again" in text
    client.post(f"{PAGE}snooze/")
    assert Preference.objects.get().snoozed_until is None
    assert [line.action for line in AuditEvent.objects.order_by("pk")] == ["alert.snoozed", "alert.resumed"]


def test_a_hold_that_is_over_is_shown_no_more(reader: User) -> None:
    Preference.objects.create(user=reader, snoozed_until=timezone.now() - timedelta(seconds=1))
    assert b"Held until" not in client_of(reader).get(PAGE).content


def test_mails_of_a_server_are_switched_and_held(reader: User, instance: Instance) -> None:
    client = client_of(reader)
    client.post(HEARING, {"do": "8h", "back": "list", "page": "1"})
    assert Subscription.objects.get().snoozed_until is not None
    assert "held until" in client.get("/instances/good.example/").content.decode()
    assert "held until" in client.get(PAGE).content.decode()
    client.post(HEARING, {"do": "resume"})
    assert Subscription.objects.get().snoozed_until is None
    client.post(HEARING, {"do": "off"})
    assert not Subscription.objects.exists()
    assert "no mails" in client.get(PAGE).content.decode()
    assert client.post(HEARING, {"do": "1h"}).status_code == 302, "nothing to hold is no fault"
    client.post(HEARING, {"do": "on"})
    assert Subscription.objects.get().user == reader
    actions = [line.action for line in AuditEvent.objects.order_by("pk")]
    assert actions == ["alert.snoozed", "alert.resumed", "alert.left", "alert.joined"]


@pytest.mark.parametrize(
    ("form", "back"),
    [
        ({"do": "1h"}, "/instances/good.example/#mails"),
        ({"do": "1h", "back": "list", "page": "2"}, f"{PAGE}?page=2#servers"),
        ({"do": "1h", "back": "list", "page": "//evil.example"}, f"{PAGE}#servers"),
        ({"do": "nonsense", "back": "//evil.example"}, "/instances/good.example/#mails"),
    ],
)
def test_the_way_back_is_one_of_ours(reader: User, form: dict[str, str], back: str) -> None:
    assert client_of(reader).post(HEARING, form)["Location"] == back


def test_a_stranger_finds_nothing(instance: Instance, incident: Incident) -> None:
    stranger = a_user()
    Membership.objects.create(team=Team.objects.create(name="x"), user=stranger, role=Role.OWNER)
    client = client_of(stranger)
    assert client.post(HEARING, {"do": "on"}).status_code == 404
    assert client.post(KNOWN).status_code == 404
    assert "good.example" not in client.get(PAGE).content.decode()
    assert not Subscription.objects.exists()


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}snooze/", HEARING, KNOWN])
def test_who_is_not_signed_in_is_sent_to_sign_in(instance: Instance, path: str) -> None:
    answer = Client().post(path)
    assert answer.status_code == 302 and answer["Location"].startswith("/account/login/")


@pytest.mark.parametrize("path", [f"{PAGE}snooze/", HEARING, KNOWN])
def test_looking_changes_nothing(reader: User, incident: Incident, path: str) -> None:
    assert client_of(reader).get(path).status_code == 405


def test_the_list_costs_the_same_for_many_servers_and_leads_on(reader: User, instance: Instance) -> None:
    client = client_of(reader)
    client.get(PAGE)
    with CaptureQueriesContext(connection) as few:
        client.get(PAGE)
    for number in range(60):
        Instance.objects.create(team=instance.team, domain=f"n{number:02}.example")
    with CaptureQueriesContext(connection) as many:
        text = client.get(PAGE).content.decode()
    assert len(many) == len(few)
    assert text.count("/hearing/") == 50
    assert 'href="?page=2#servers"' in text
    assert client.get(PAGE, {"page": "2"}).content.decode().count("/hearing/") == 11


def test_a_subscription_of_somebody_else_is_not_mine(reader: User, owner: User) -> None:
    assert "no mails" in client_of(owner).get(PAGE).content.decode()


def test_without_servers_the_page_says_the_next_step(db: None) -> None:
    assert b"There is no server yet." in client_of(a_user()).get(PAGE).content


def test_an_incident_is_acknowledged_and_taken_back(owner: User, incident: Incident) -> None:
    client = client_of(owner)
    page = KNOWN.removesuffix("acknowledge/")
    assert "Acknowledge</button>" in client.get(page).content.decode()
    answer = client.post(KNOWN, {"why": "The hoster mends it on Friday. <b>"})
    assert answer["Location"] == page
    incident.refresh_from_db()
    assert (incident.acknowledged_by, incident.acknowledged_why) == (
        owner,
        "The hoster mends it on Friday. <b>",
    )
    text = client.get(page).content.decode()
    assert "The hoster mends it on Friday. &lt;b&gt;" in text and owner.email in text
    assert "Remind us again" in text
    client.post(KNOWN, {"do": "take_back"})
    incident.refresh_from_db()
    assert (incident.acknowledged_at, incident.acknowledged_by, incident.acknowledged_why) == (None, None, "")
    lines = AuditEvent.objects.order_by("pk")
    assert [(line.action, line.item_id, line.why) for line in lines] == [
        ("incident.acknowledged", "fake.lock", "The hoster mends it on Friday. <b>"),
        ("incident.taken_back", "fake.lock", ""),
    ]


def test_who_is_second_changes_nothing(owner: User, incident: Incident) -> None:
    now = timezone.now()
    assert wishing.acknowledge(incident, owner, "first", now)
    assert not wishing.acknowledge(incident, a_user(), "second", now)
    assert wishing.take_back(incident, owner)
    assert not wishing.take_back(incident, owner)
    Incident.objects.update(closed_at=now)
    assert not wishing.acknowledge(incident, owner, "late", now)
    assert AuditEvent.objects.count() == 2


def test_what_is_over_says_so(owner: User, incident: Incident) -> None:
    Incident.objects.update(closed_at=timezone.now())
    answer = client_of(owner).post(KNOWN, {"why": "x"}, follow=True)
    assert "Meanwhile it is over" in answer.content.decode()
    assert "Acknowledge</button>" not in answer.content.decode()


def test_a_viewer_sees_who_knows_and_acknowledges_nothing(
    reader: User, owner: User, incident: Incident
) -> None:
    client = client_of(reader)
    page = KNOWN.removesuffix("acknowledge/")
    assert "nobody has acknowledged it" in client.get(page).content.decode()
    assert client.post(KNOWN).status_code == 404
    wishing.acknowledge(incident, owner, "", timezone.now())
    text = client.get(page).content.decode()
    assert owner.email in text and "Remind us again" not in text


def test_htmx_gets_the_line_back(owner: User, incident: Incident) -> None:
    answer = client_of(owner).post(KNOWN, {"why": "x"}, headers={"HX-Request": "true"})
    assert 'id="fake.lock" open' in answer.content.decode()


def test_a_silent_server_is_acknowledged_on_its_own_page(owner: User, instance: Instance) -> None:
    silence = Incident.objects.create(instance=instance, item_id=REACH, opened_at=timezone.now())
    client = client_of(owner)
    assert "/items/reach/acknowledge/" in client.get("/instances/good.example/").content.decode()
    answer = client.post("/instances/good.example/items/reach/acknowledge/", {"why": "maintenance"})
    assert answer["Location"] == "/instances/good.example/"
    silence.refresh_from_db()
    assert silence.acknowledged_why == "maintenance"


def test_an_incident_of_another_server_is_not_found_here(owner: User, incident: Incident) -> None:
    other = an_instance(owner, domain="other.example")
    client_of(owner).post(f"/instances/{other.domain}/items/fake.lock/acknowledge/")
    incident.refresh_from_db()
    assert incident.acknowledged_at is None
