"""Answers and waivers that end: told ahead and on the day, once, and never as a regression."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fedisec.accounts.models import User
from fedisec.alerts import endings, reminders
from fedisec.alerts.models import Delivery, Notice, Preference
from fedisec.checklist.models import Attestation, OwnItem, Waiver
from fedisec.instances.models import Instance
from fedisec.scans.models import Change, Incident, ItemState
from tests.factories import a_subscriber

DAY = timedelta(days=1)
NOW = timezone.now().replace(microsecond=0)
ASKED = "plan.hosting_considered"  # a question that only a person answers


def an_answer(instance: Instance, ends: timedelta, item_id: str = ASKED, **fields: Any) -> Attestation:
    """Given 90 days before its end."""
    fields.setdefault("created_at", NOW + ends - 90 * DAY)
    return Attestation.objects.create(
        instance=instance, item_id=item_id, met=True, note="x", valid_until=NOW + ends, **fields
    )


def a_waiver(instance: Instance, ends: timedelta | None, item_id: str = "fake.lock", **fields: Any) -> Waiver:
    fields.setdefault("created_at", NOW + (ends or timedelta(0)) - 90 * DAY)
    fields.setdefault("kind", "accepted_risk")
    until = NOW + ends if ends is not None else None
    return Waiver.objects.create(instance=instance, item_id=item_id, reason="x", valid_until=until, **fields)


def a_state(instance: Instance, status: str, item_id: str = "fake.lock") -> None:
    ItemState.objects.create(
        instance=instance, item_id=item_id, status=status, since=NOW - 100 * DAY, seen_at=NOW
    )


def told(days: float = 0) -> list[str]:
    """What people heard so far, after the clock's round in `days`."""
    endings.tick(NOW + days * DAY)
    return list(Notice.objects.order_by("pk").values_list("about", flat=True))


def test_an_answer_is_told_of_ahead_and_when_it_is_over(reader: User, instance: Instance) -> None:
    said = an_answer(instance, 20 * DAY)
    assert told() == told(5.9) == []
    assert told(6) == told(6) == told(19.9) == [f"attestation {said.pk} 14"]
    assert told(20) == told(21) == told(60) == [f"attestation {said.pk} 14", f"attestation {said.pk} 0"]
    first, last = Notice.objects.order_by("pk")
    assert first.data == {
        "kind": "attestation",
        "item": ASKED,
        "title": "",
        "at": (NOW + 20 * DAY).isoformat(),
        "asks": False,
        "state": "needs_you",
        "days": 14,
    }
    assert (last.data["days"], last.data["state"], last.user) == (0, "needs_you", reader)


def test_a_waiver_that_ended_while_the_item_fails_says_so_and_is_no_regression(
    reader: User, instance: Instance
) -> None:
    a_state(instance, "fail")
    said = a_waiver(instance, -DAY)
    assert told() == [f"waiver {said.pk} 0"]
    notice = Notice.objects.get()
    assert (notice.kind, notice.data["state"]) == ("ending", "not_met")
    assert not Change.objects.exists() and not Incident.objects.exists()


def test_who_hears_that_a_waiver_is_over_is_reminded_from_then_on(reader: User, instance: Instance) -> None:
    a_state(instance, "fail")
    incident = Incident.objects.create(instance=instance, item_id="fake.lock", opened_at=NOW - 50 * DAY)
    a_waiver(instance, timedelta(0))
    told()
    notice = Notice.objects.get()
    assert notice.incident == incident
    mail = Delivery.objects.create(kind="ending", about="x", user=reader, message_id="<x>", state="sent")
    Notice.objects.update(delivery=mail)
    reminders.tick(NOW + 6 * DAY)
    assert Notice.objects.count() == 1
    reminders.tick(NOW + 7 * DAY)
    assert Notice.objects.latest("pk").kind == "reminder"


def test_what_the_machine_says_is_met_needs_nobodys_word(reader: User, instance: Instance) -> None:
    a_state(instance, "pass")
    a_waiver(instance, -DAY)
    a_waiver(instance, 5 * DAY, "fake.bolt")
    a_state(instance, "pass", "fake.bolt")
    assert told() == []


def test_what_was_missed_is_told_once(reader: User, instance: Instance) -> None:
    said = an_answer(instance, -DAY)
    assert told() == told() == [f"attestation {said.pk} 0"]


def test_old_news_is_none(reader: User, instance: Instance) -> None:
    an_answer(instance, -14 * DAY)
    a_waiver(instance, -400 * DAY)
    assert told() == []
    assert not Attestation.objects.exclude(ending_told=2).exists()


def test_a_short_answer_is_told_of_when_it_is_over_alone(reader: User, instance: Instance) -> None:
    said = an_answer(instance, 5 * DAY, created_at=NOW - DAY)
    assert told() == []
    assert told(5) == [f"attestation {said.pk} 0"]


def test_what_does_not_apply_is_asked_again_after_a_year(reader: User, instance: Instance) -> None:
    said = a_waiver(instance, None, kind="not_applicable", created_at=NOW - 360 * DAY)
    assert told() == [f"waiver {said.pk} 14"]
    assert Notice.objects.get().data["asks"] is True
    assert told(5) == [f"waiver {said.pk} 14", f"waiver {said.pk} 0"]


def test_a_new_answer_has_ends_of_its_own_and_ends_what_waits(reader: User, instance: Instance) -> None:
    old = an_answer(instance, 5 * DAY)
    told()
    Attestation.objects.filter(pk=old.pk).update(ended_at=NOW, ended_why="replaced")
    new = an_answer(instance, 100 * DAY)
    assert told(1) == [f"attestation {old.pk} 14"]
    assert Notice.objects.get().dropped_why == "over"
    assert told(90)[1:] == [f"attestation {new.pk} 14"]


def test_the_teams_own_items_are_called_by_their_names(reader: User, instance: Instance) -> None:
    own = OwnItem.objects.create(team=instance.team, title="The on-call phone is charged")
    an_answer(instance, 5 * DAY, own.item_id)
    told()
    assert Notice.objects.get().data["title"] == "The on-call phone is charged"


def test_items_that_are_asked_no_more_are_passed_over(reader: User, instance: Instance) -> None:
    own = OwnItem.objects.create(team=instance.team, title="x", retired_at=NOW)
    an_answer(instance, 5 * DAY, own.item_id)
    an_answer(instance, 5 * DAY, "gone.with_an_upgrade")
    assert told() == []


def test_each_person_chooses(reader: User, instance: Instance) -> None:
    a_subscriber(instance)
    Preference.objects.create(user=reader, kinds=["regression"])
    an_answer(instance, 5 * DAY)
    told()
    assert Notice.objects.exclude(user=reader).count() == 1
    assert not Notice.objects.filter(user=reader).exists()


def test_who_comes_second_tells_nothing(reader: User, instance: Instance) -> None:
    said = an_answer(instance, 5 * DAY)
    read = Attestation.objects.get()
    told()
    Notice.objects.all().delete()
    endings._tell_all("attestation", [read], NOW)  # a clock that had read before the first one wrote
    assert not Notice.objects.exists()
    said.refresh_from_db()
    assert said.ending_told == 1


def test_nothing_due_is_a_few_questions(reader: User, instance: Instance) -> None:
    an_answer(instance, 50 * DAY)
    with CaptureQueriesContext(connection) as asked:
        endings.tick(NOW)
    assert len(asked) == 7


def test_more_than_a_batch_ends_in_one_round(
    reader: User, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endings, "BATCH", 2)
    items = ("plan.hosting_considered", "plan.audience_decided", "data.restore_tested")
    for item in items:
        an_answer(instance, -DAY, item)
    a_waiver(instance, -DAY)
    assert len(told()) == 4
