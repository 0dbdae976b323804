"""Reminders: at each person's pace, until the item is met, set aside or acknowledged; never two at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fedisec.accounts.models import User
from fedisec.alerts import reminders
from fedisec.alerts.models import Channel, Delivery, MailKind, Notice, Preference, Subscription
from fedisec.alerts.outbox import level_of
from fedisec.alerts.recipients import of_person
from fedisec.checklist.models import Attestation, Waiver
from fedisec.instances.models import Instance
from fedisec.scans.models import REACH, Incident, ItemState
from tests.factories import a_subscriber, an_instance

DAY = timedelta(days=1)
NOW = timezone.now().replace(microsecond=0)


def an_incident(instance: Instance, item_id: str = "fake.lock", ago: timedelta = 8 * DAY) -> Incident:
    """A regression that was found `ago`."""
    if item_id != REACH:
        ItemState.objects.create(
            instance=instance,
            item_id=item_id,
            status="fail",
            settled="fail",
            settled_since=NOW - ago,
            since=NOW - ago,
            seen_at=NOW,
        )
    return Incident.objects.create(instance=instance, item_id=item_id, opened_at=NOW - ago)


def told(
    incident: Incident, user: User, ago: timedelta = 8 * DAY, state: str = "sent", **more: Any
) -> Notice:
    """What `user` heard of it, `ago`, in a mail in that state ("" for none yet)."""
    about = f"change {incident.pk} {user.pk} {ago}"
    mail = None
    if state:
        mail = Delivery.objects.create(
            kind="regression", about=about, user=user, message_id=about, state=state, created_at=NOW - ago
        )
    fields = {"kind": "regression", "about": about, "instance": incident.instance, **more}
    return Notice.objects.create(incident=incident, user=user, delivery=mail, created_at=NOW - ago, **fields)


def wants(user: User, **fields: Any) -> None:
    Preference.objects.update_or_create(user=user, defaults=fields)
    user.refresh_from_db()


def reminded(now: datetime = NOW) -> list[str]:
    """What each reminder so far is about, the latest round included."""
    reminders.tick(now)
    return list(Notice.objects.filter(kind="reminder").order_by("pk").values_list("about", flat=True))


def sent() -> None:
    """Every reminder that waited has gone out."""
    for notice in Notice.objects.filter(kind="reminder", delivery=None):
        key = f"<{notice.pk}>"
        mail = Delivery.objects.create(
            kind="reminder", about=key, user=notice.user, message_id=key, state="sent"
        )
        Notice.objects.filter(pk=notice.pk).update(delivery=mail)


def test_a_required_item_is_reminded_of_after_a_week_and_every_week(reader: User, instance: Instance) -> None:
    incident = an_incident(instance)
    told(incident, reader)
    assert reminded() == [f"{incident.pk} 1"]
    notice = Notice.objects.get(kind="reminder")
    assert (notice.user, notice.incident, notice.instance) == (reader, incident, instance)
    assert notice.data == {
        "item": "fake.lock",
        "number": 1,
        "since": (NOW - 8 * DAY).isoformat(),
        "state": "not_met",
    }
    sent()
    assert len(reminded(NOW + 6 * DAY)) == 1
    assert reminded(NOW + 7 * DAY) == [f"{incident.pk} 1", f"{incident.pk} 2"]


def test_two_clocks_make_one(reader: User, instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    told(an_incident(instance), reader)
    assert len(reminded()) == 1
    monkeypatch.setattr(reminders, "_numbers", lambda batch: {})  # who had counted before the first one wrote
    reminders._remind([reminders._Due(Incident.objects.get().pk, reader.pk)], NOW)
    assert Notice.objects.filter(kind="reminder").count() == 1


def test_what_was_missed_is_one_reminder(reader: User, instance: Instance) -> None:
    told(an_incident(instance, ago=60 * DAY), reader, ago=60 * DAY)
    assert len(reminded()) == 1
    sent()
    assert len(reminded(NOW + DAY)) == 1


@pytest.mark.parametrize("state", ["", "pending", "sending"])
def test_no_second_word_is_put_behind_one_that_waits(reader: User, instance: Instance, state: str) -> None:
    told(an_incident(instance), reader, state=state)
    assert reminded() == []


def test_a_mail_that_failed_for_good_is_followed_by_reminders(reader: User, instance: Instance) -> None:
    told(an_incident(instance), reader, state="failed")
    assert len(reminded()) == 1


def test_who_was_not_told_is_not_reminded(reader: User, instance: Instance) -> None:
    incident = an_incident(instance)
    other = a_subscriber(instance)
    told(incident, reader)
    told(incident, other, state="", dropped_at=NOW, dropped_why="unwanted")
    assert len(reminded()) == 1
    assert Notice.objects.get(kind="reminder").user == reader


@pytest.mark.parametrize(
    ("wish", "days", "number"),
    [
        ({"reminder_days": 0}, 400, 0),
        ({"reminder_days": 1}, 1, 1),
        ({"reminder_days": 7}, 6, 0),
        ({"reminder_days": 7}, 7, 1),
        ({"reminder_days": 30}, 29, 0),
        ({"reminder_days": 30}, 30, 1),
        ({"kinds": ["regression"]}, 400, 0),
        ({"levels": ["recommended"]}, 400, 0),
        ({"levels": []}, 400, 0),
    ],
)
def test_each_person_chooses(
    reader: User, instance: Instance, wish: dict[str, Any], days: int, number: int
) -> None:
    told(an_incident(instance, ago=days * DAY), reader, ago=days * DAY)
    wants(reader, **wish)
    assert len(reminded()) == number


@pytest.mark.parametrize(
    ("item", "wish", "number"),
    [
        ("fake.bell", {}, 0),
        ("fake.bell", {"remind_recommended": True}, 1),
        ("fake.bell", {"remind_recommended": True, "levels": ["required"]}, 0),
        ("fake.lamp", {"remind_recommended": True, "levels": ["required", "recommended", "optional"]}, 0),
        (REACH, {}, 1),
        (REACH, {"levels": []}, 1),
        ("gone.with_an_upgrade", {}, 1),
    ],
)
def test_the_level_decides(
    reader: User, instance: Instance, item: str, wish: dict[str, Any], number: int
) -> None:
    told(an_incident(instance, item), reader)
    if wish:
        wants(reader, **wish)
    assert len(reminded()) == number


def test_sql_and_python_agree_on_who_wants_it(reader: User, instance: Instance) -> None:
    for item in ("fake.lock", "fake.bell", "fake.lamp"):
        incident = an_incident(instance, item, ago=40 * DAY)
        for days in (0, 1, 7, 30):
            for levels in ([], ["required"], ["required", "recommended"], ["recommended", "optional"]):
                for also in (False, True):
                    Notice.objects.all().delete()
                    Delivery.objects.all().delete()
                    told(incident, reader, ago=40 * DAY)
                    wants(reader, reminder_days=days, levels=levels, remind_recommended=also)
                    wishes, level = of_person(reader).wishes, level_of(item)
                    assert level is not None
                    wanted = wishes.wants(MailKind.REMINDER, level)
                    wanted = wanted and wishes.reminds_after(level) is not None
                    assert bool(reminded()) is wanted, (item, days, levels, also)
        incident.delete()


@pytest.mark.parametrize(
    "over", ["closed", "acknowledged", "paused", "demo", "left", "no member", "inactive"]
)
def test_reminders_end(reader: User, instance: Instance, over: str) -> None:
    incident = an_incident(instance)
    told(incident, reader)
    if over == "closed":
        Incident.objects.update(closed_at=NOW)
    elif over == "acknowledged":
        Incident.objects.update(acknowledged_at=NOW)
    elif over in {"paused", "demo"}:
        Instance.objects.filter(pk=instance.pk).update(**{over: True})
    elif over == "left":
        Subscription.objects.all().delete()
    elif over == "no member":
        reader.memberships.all().delete()
    else:
        User.objects.filter(pk=reader.pk).update(is_active=False)
    assert reminded() == []


def test_a_waiver_ends_them_and_its_end_brings_them_back(reader: User, instance: Instance) -> None:
    told(an_incident(instance), reader)
    Waiver.objects.create(
        instance=instance, item_id="fake.lock", kind="accepted_risk", reason="x", valid_until=NOW + DAY
    )
    assert reminded() == []
    assert len(reminded(NOW + 2 * DAY)) == 1


@pytest.mark.parametrize(
    ("fields", "number"),
    [
        ({"status": "pass"}, 0),  # seen once: the second look is on its way
        ({"status": "not_applicable"}, 0),
        ({"status": "warn"}, 1),
        ({"status": "unknown", "reason": "timeout"}, 1),
    ],
)
def test_what_the_page_shows_decides(
    reader: User, instance: Instance, fields: dict[str, str], number: int
) -> None:
    told(an_incident(instance), reader)
    ItemState.objects.update(**fields)
    assert len(reminded()) == number


def test_an_answer_after_the_fall_is_heard(reader: User, instance: Instance) -> None:
    told(an_incident(instance, "plan.hosting_considered"), reader)
    ItemState.objects.update(status="unknown")
    Attestation.objects.create(
        instance=instance,
        item_id="plan.hosting_considered",
        met=True,
        note="x",
        created_at=NOW - DAY,
        valid_until=NOW + DAY,
    )
    assert reminded() == []
    ItemState.objects.update(settled_since=NOW)
    assert len(reminded()) == 1, "a fail that is newer than the answer counts more"


def test_of_a_silent_server_only_the_silence_is_told(reader: User, instance: Instance) -> None:
    told(an_incident(instance), reader)
    silence = an_incident(instance, REACH)
    told(silence, reader)
    assert reminded() == [f"{silence.pk} 1"]


def test_a_reminder_that_waits_is_dropped_when_there_is_nothing_to_remind_of(
    reader: User, instance: Instance
) -> None:
    told(an_incident(instance), reader)
    reminded()
    Incident.objects.update(acknowledged_at=NOW)
    reminded()
    assert Notice.objects.get(kind="reminder").dropped_why == "over"


def test_a_number_is_never_used_twice_although_old_notices_are_tidied(
    reader: User, instance: Instance
) -> None:
    incident = an_incident(instance)
    told(incident, reader)
    reminded()
    sent()
    reminded(NOW + 7 * DAY)
    sent()
    Notice.objects.get(about=f"{incident.pk} 1").delete()
    assert reminded(NOW + 14 * DAY) == [f"{incident.pk} 2", f"{incident.pk} 3"]


@pytest.mark.parametrize(("ahead", "number"), [(DAY, 0), (400 * DAY, 1)])
def test_a_clock_that_was_ahead_doubles_nothing_and_silences_nobody(
    reader: User, instance: Instance, ahead: timedelta, number: int
) -> None:
    incident = an_incident(instance)
    told(incident, reader)
    told(incident, reader, ago=-ahead, kind="reminder", about=f"{incident.pk} 1")
    assert len(reminded()) == 1 + number
    sent()
    assert len(reminded()) == 1 + number


def test_channels_are_not_reminded(reader: User, instance: Instance) -> None:
    incident = an_incident(instance)
    channel = Channel.objects.create(team=instance.team, kind="webhook", name="ops")
    Notice.objects.create(
        kind="regression", about="1", incident=incident, channel=channel, created_at=NOW - 8 * DAY
    )
    assert reminded() == []


def test_many_cost_as_many_questions_as_one(reader: User, instance: Instance) -> None:
    told(an_incident(instance), reader)
    with CaptureQueriesContext(connection) as one:
        reminders.tick(NOW)
    Notice.objects.all().delete()
    Delivery.objects.all().delete()
    others = [an_instance() for _ in range(5)]
    for place in (instance, *others):
        for person in (a_subscriber(place), a_subscriber(place)):
            for incident in place.incidents.all() or [an_incident(place)]:
                told(incident, person)
    with CaptureQueriesContext(connection) as many:
        reminders.tick(NOW)
    assert Notice.objects.filter(kind="reminder").count() == 12
    assert len(many) == len(one)


def test_nothing_due_is_a_few_questions(reader: User, instance: Instance) -> None:
    told(an_incident(instance), reader, ago=DAY)
    with CaptureQueriesContext(connection) as asked:
        reminders.tick(NOW)
    assert len(asked) <= 3
    assert not Notice.objects.filter(kind="reminder").exists()


def test_more_than_a_batch_is_told_in_one_round(
    reader: User, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminders, "BATCH", 2)
    people = [a_subscriber(instance) for _ in range(5)]
    for item in ("fake.lock", "fake.bolt", "gone.with_an_upgrade"):
        incident = an_incident(instance, item)
        for person in people:
            told(incident, person)
    assert len(reminded()) == 15
