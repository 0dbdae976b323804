"""The weekly digest: at each person's hour, once a week, whatever clocks do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fedisec.accounts.models import User
from fedisec.alerts import digest, week
from fedisec.alerts.models import Notice, Preference, Subscription
from fedisec.checklist import daily
from fedisec.checklist.models import OwnItem, Waiver
from fedisec.instances.models import Instance
from fedisec.scans.models import REACH, Change, ItemState, Scan
from tests.factories import a_subscriber, a_user, an_instance

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 11, 16, 8, tzinfo=UTC)  # of 2026-W47


@pytest.fixture(autouse=True)
def long_since(request: pytest.FixtureRequest) -> None:
    """The reader has heard of the instance for a year."""
    if "reader" in request.fixturenames:
        request.getfixturevalue("reader")
        Subscription.objects.update(created_at=MONDAY - 365 * DAY)
        Instance.objects.update(created_at=MONDAY - 365 * DAY)


def told(now: datetime) -> list[str]:
    digest.tick(now)
    return list(Notice.objects.filter(dropped_at=None).order_by("pk").values_list("about", flat=True))


def the_week(user: User) -> dict[str, Any]:
    found = Notice.objects.get(kind="digest", user=user).data["listed"]
    assert len(found) == 1
    return dict(found[0])


@pytest.mark.parametrize(
    ("now", "day", "hour", "slot", "label"),
    [
        ("2026-11-16 07:59", 0, 8, "2026-11-09 08:00", "2026-W46"),
        ("2026-11-16 08:00", 0, 8, "2026-11-16 08:00", "2026-W47"),
        ("2026-11-22 23:00", 0, 8, "2026-11-16 08:00", "2026-W47"),
        ("2026-11-22 23:00", 6, 23, "2026-11-22 23:00", "2026-W47"),
        ("2027-01-03 12:00", 6, 8, "2027-01-03 08:00", "2026-W53"),
        ("2027-01-04 12:00", 0, 8, "2027-01-04 08:00", "2027-W01"),
        # Summer time begins on 29 March 2026 at 2:00, and ends on 25 October at 3:00.
        ("2026-03-29 01:59", 6, 2, "2026-03-22 02:00", "2026-W12"),
        ("2026-03-29 03:00", 6, 2, "2026-03-29 03:00", "2026-W13"),
        ("2026-03-29 09:00", 6, 8, "2026-03-29 08:00", "2026-W13"),
        ("2026-10-25 02:00", 6, 2, "2026-10-25 02:00", "2026-W43"),
        ("2026-10-25 08:00", 6, 8, "2026-10-25 08:00", "2026-W43"),
    ],
)
def test_the_slot_is_in_the_persons_own_time(now: str, day: int, hour: int, slot: str, label: str) -> None:
    found = digest.last_slot(_berlin(now), BERLIN, day, hour)
    assert (found.at, found.week) == (_berlin(slot), label)


def _berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


def test_an_hour_that_a_night_has_twice_is_taken_once() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 2:30, and an hour later 2:30 again
    slots = {digest.last_slot(first + n * HOUR, BERLIN, 6, 2) for n in range(3)}
    assert {(slot.at, slot.week) for slot in slots} == {(datetime(2026, 10, 25, tzinfo=UTC), "2026-W43")}


def test_every_week_has_one_slot_in_every_zone() -> None:
    for name in ("UTC", "Europe/Berlin", "Pacific/Apia", "America/St_Johns", "Asia/Kathmandu"):
        zone = ZoneInfo(name)
        start = datetime(2026, 1, 1, tzinfo=UTC)
        slots = {digest.last_slot(start + n * HOUR, zone, 3, 2) for n in range(24 * 7 * 53)}
        assert len({slot.week for slot in slots}) == len(slots)
        gaps = [b.at - a.at for a, b in zip(sorted(slots, key=_at), sorted(slots, key=_at)[1:], strict=False)]
        assert all(abs(gap - digest.WEEK) <= HOUR for gap in gaps)


def _at(slot: digest.Slot) -> datetime:
    return slot.at


def test_a_digest_comes_once_a_week_also_when_nothing_changed(reader: User) -> None:
    assert told(MONDAY) == told(MONDAY + HOUR) == told(MONDAY + 6 * DAY) == [f"{reader.pk} 2026-W47"]
    assert told(MONDAY + 7 * DAY) == [f"{reader.pk} 2026-W47", f"{reader.pk} 2026-W48"]
    data = Notice.objects.filter(user=reader).latest("pk").data
    assert data["quiet"] is True
    assert (data["week"], data["instances"]) == ("2026-W48", 1)
    assert (data["since"], data["until"]) == (MONDAY.isoformat(), (MONDAY + 7 * DAY).isoformat())


def test_it_is_late_rather_than_lost(reader: User) -> None:
    assert told(MONDAY + 3 * DAY) == [f"{reader.pk} 2026-W47"]
    assert Notice.objects.get().data["until"] == MONDAY.isoformat()


def test_no_jump_of_the_clock_makes_two_of_a_week(reader: User) -> None:
    for jump in (0, 2, -1, 8, 0, 1, -3, 7, 9, 0):
        told(MONDAY + jump * DAY)
    weeks = list(Notice.objects.values_list("about", flat=True))
    assert sorted(weeks) == sorted(set(weeks))
    assert set(weeks) == {f"{reader.pk} 2026-W{n}" for n in (46, 47, 48)}


def test_a_clock_that_was_years_ahead_silences_nobody(reader: User) -> None:
    told(MONDAY + 700 * DAY)
    assert f"{reader.pk} 2026-W47" in told(MONDAY)


@pytest.mark.parametrize(
    ("wish", "hours", "number"),
    [
        ({}, 0, 1),
        ({"digest": False}, 0, 0),
        ({"digest": True, "digest_hour": 9}, 1, 1),
        ({"digest": True, "digest_day": 1}, 24, 1),
    ],
)
def test_each_person_chooses(reader: User, wish: dict[str, Any], hours: int, number: int) -> None:
    if wish:
        Preference.objects.create(user=reader, **wish)
    before = told(MONDAY - 7 * DAY + hours * HOUR - timedelta(minutes=1))
    Notice.objects.all().delete()
    assert len(told(MONDAY + hours * HOUR)) == number
    assert before == [f"{reader.pk} 2026-W45"] * number


def test_the_persons_time_zone_counts(reader: User) -> None:
    User.objects.update(time_zone="Asia/Tokyo")
    Notice.objects.create(kind="digest", about=f"{reader.pk} 2026-W46", user=reader)
    assert len(told(MONDAY - 9 * HOUR - timedelta(minutes=1))) == 1
    assert len(told(MONDAY - 9 * HOUR)) == 2


@pytest.mark.parametrize("who", ["nobody's", "left", "no member", "demo", "inactive", "new"])
def test_nothing_goes_to_people_without_instances(reader: User, instance: Instance, who: str) -> None:
    a_user()
    if who == "left":
        Subscription.objects.all().delete()
    elif who == "no member":
        reader.memberships.all().delete()
    elif who == "demo":
        Instance.objects.update(demo=True)
    elif who == "inactive":
        User.objects.filter(pk=reader.pk).update(is_active=False)
    elif who == "new":
        Subscription.objects.update(created_at=MONDAY + HOUR)
    assert len(told(MONDAY + 2 * HOUR)) == (who == "nobody's")


def test_another_day_chosen_in_mid_week_makes_no_second_one(reader: User) -> None:
    told(MONDAY)
    Preference.objects.create(user=reader, digest_day=2)
    reader.refresh_from_db()
    digest.skip_past(reader, MONDAY + DAY)
    assert told(MONDAY + 3 * DAY) == [f"{reader.pk} 2026-W47"]
    assert len(told(MONDAY + 9 * DAY)) == 2


def test_who_wants_one_from_now_on_waits_for_the_next(reader: User) -> None:
    digest.skip_past(reader, MONDAY + 3 * DAY)
    assert told(MONDAY + 4 * DAY) == []
    assert told(MONDAY + 7 * DAY) == [f"{reader.pk} 2026-W48"]


def a_change(instance: Instance, kind: str, item_id: str = "fake.lock", ago: timedelta = DAY) -> None:
    scan = Scan.objects.create(instance=instance, state="done", reason="first", finished_at=MONDAY - ago)
    Change.objects.create(
        instance=instance, scan=scan, item_id=item_id, kind=kind, after="fail", created_at=MONDAY - ago
    )


def test_it_counts_what_changed_within_the_week(reader: User, instance: Instance) -> None:
    a_change(instance, "regressed")
    a_change(instance, "regressed", "fake.bolt")
    a_change(instance, "recovered")
    a_change(instance, "rejudged", "fake.bell")
    a_change(instance, "regressed", REACH)
    a_change(instance, "first", "fake.lamp")
    for ago in (
        timedelta(0),
        7 * DAY,
        -HOUR,
    ):  # the last moment of the week, that of the one before, too late
        a_change(instance, "regressed", "fake.lamp", ago=ago)
    told(MONDAY + DAY)
    found = the_week(reader)
    assert {key: found[key] for key in ("worse", "better", "rejudged", "silences")} == {
        "worse": 3,
        "better": 1,
        "rejudged": 1,
        "silences": 1,
    }
    assert found["changes"][0] == ["fake.lamp", "regressed", "fail"]
    assert len(found["changes"]) == 5
    assert Notice.objects.get().data["quiet"] is False


def test_it_names_what_could_not_be_checked_for_three_days(reader: User, instance: Instance) -> None:
    for item, status, reason, hours in (
        ("fake.lock", "unknown", "timeout", 73),
        ("fake.bolt", "unknown", "timeout", 71),
        ("fake.bell", "error", "", 100),
        ("fake.lamp", "fail", "", 100),
        ("http.hsts", "unknown", "timeout", 100),
        ("host.disk_space", "unknown", "not_connected", 100),
    ):
        ItemState.objects.create(
            instance=instance,
            item_id=item,
            status=status,
            reason=reason,
            since=MONDAY - hours * HOUR,
            seen_at=MONDAY,
        )
    Waiver.objects.create(instance=instance, item_id="http.hsts", kind="accepted_risk", reason="x")
    told(MONDAY)
    found = the_week(reader)
    assert (found["unseen"], found["unseen_items"]) == (2, ["fake.lock", "fake.bell"])


def test_it_names_what_ends(reader: User, instance: Instance) -> None:
    own = OwnItem.objects.create(team=instance.team, title="The phone is charged")
    for days in (5, 20):
        Waiver.objects.create(
            instance=instance,
            item_id=own.item_id if days == 5 else "fake.lock",
            kind="accepted_risk",
            reason="x",
            created_at=MONDAY - 30 * DAY,
            valid_until=MONDAY + days * DAY,
        )
    told(MONDAY)
    found = the_week(reader)
    assert found["ends"] == 1
    ends = (MONDAY + 5 * DAY).isoformat()
    assert found["endings"] == [["waiver", own.item_id, "The phone is charged", ends, False]]


def test_it_says_where_an_instance_stands(reader: User, instance: Instance) -> None:
    ItemState.objects.create(
        instance=instance, item_id="fake.lock", status="fail", since=MONDAY - 3 * DAY, seen_at=MONDAY
    )
    ItemState.objects.create(
        instance=instance, item_id="fake.bell", status="warn", code="odd", since=MONDAY, seen_at=MONDAY
    )
    Scan.objects.create(instance=instance, state="done", reason="first", finished_at=MONDAY - HOUR)
    daily.note(instance, MONDAY)
    told(MONDAY)
    found = the_week(reader)
    assert (found["domain"], found["not_met"], found["warnings"]) == ("good.example", 1, 1)
    assert found["not_met_since"] == (MONDAY - 3 * DAY).isoformat()
    assert found["looked_at"] == (MONDAY - HOUR).isoformat()
    assert found["levels"]["required"][0] == 0 and found["levels"]["required"][1] > 1
    assert (found["added"], found["paused"], found["unreached_since"]) == (False, False, None)


def test_what_is_stored_is_bounded_and_starts_with_what_matters(
    reader: User, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(week, "LISTED", 3)
    for _ in range(5):
        other = Instance.objects.create(team=instance.team, domain=f"a{_}.example")
        Subscription.objects.create(user=reader, instance=other, created_at=MONDAY - DAY)
    a_change(instance, "recovered")
    told(MONDAY)
    data = Notice.objects.get().data
    assert (data["instances"], len(data["listed"])) == (6, 3)
    assert data["listed"][0]["domain"] == "good.example"
    assert data["sums"]["better"] == 1


def test_everybody_of_a_slot_costs_as_many_questions_as_one(reader: User, instance: Instance) -> None:
    daily.note(instance, MONDAY)
    with CaptureQueriesContext(connection) as one:
        digest.tick(MONDAY)
    Notice.objects.all().delete()
    for _ in range(4):
        place = an_instance()
        daily.note(place, MONDAY)
        Subscription.objects.create(user=a_subscriber(place), instance=instance)
    Subscription.objects.update(created_at=MONDAY - DAY)
    with CaptureQueriesContext(connection) as many:
        digest.tick(MONDAY)
    assert Notice.objects.count() == 5
    assert len(many) == len(one)
    with CaptureQueriesContext(connection) as idle:
        digest.tick(MONDAY + HOUR)
    assert len(idle) <= 3


def test_a_digest_is_of_the_day_that_its_reader_lives_in() -> None:
    slot = digest.last_slot(datetime(2026, 11, 16, 18, tzinfo=UTC), ZoneInfo("Asia/Tokyo"), 1, 2)
    assert slot.day == date(2026, 11, 17)


def test_after_an_upgrade_it_waits_until_the_clock_has_counted_anew(
    reader: User, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digest, "COUNTED_HERE", 0)
    assert told(MONDAY) == []
    daily.note(instance, MONDAY)
    assert len(told(MONDAY)) == 1


def test_it_does_not_wait_for_ever(reader: User, instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest, "COUNTED_HERE", 0)
    assert told(MONDAY + HOUR) == []
    assert len(told(MONDAY + HOUR + timedelta(seconds=1))) == 1
