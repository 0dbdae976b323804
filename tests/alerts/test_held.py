"""Quiet hours and snoozes: what they hold, until when, and what comes afterwards."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from fedisec.accounts.models import User
from fedisec.alerts.models import ALWAYS, Delivery, MailKind, Notice, Preference, Subscription
from fedisec.alerts.pack import pack
from fedisec.alerts.packing import Made, Waiting, plan
from fedisec.alerts.recipients import Wishes
from fedisec.instances.models import Instance
from tests.factories import an_instance

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def berlin(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold).astimezone(UTC)


def quiet(start: str, end: str, snoozed_until: datetime | None = None) -> Wishes:
    hours = time.fromisoformat(start), time.fromisoformat(end)
    return Wishes(quiet_from=hours[0], quiet_to=hours[1], snoozed_until=snoozed_until, zone=BERLIN)


@pytest.mark.parametrize(
    ("hours", "now", "until"),
    [
        # over midnight
        (("22:00", "07:00"), "2026-11-16 21:59", None),
        (("22:00", "07:00"), "2026-11-16 22:00", "2026-11-17 07:00"),
        (("22:00", "07:00"), "2026-11-17 00:00", "2026-11-17 07:00"),
        (("22:00", "07:00"), "2026-11-17 06:59", "2026-11-17 07:00"),
        (("22:00", "07:00"), "2026-11-17 07:00", None),
        (("23:59", "00:01"), "2026-12-31 23:59", "2027-01-01 00:01"),
        # within a day, to midnight, from midnight
        (("12:00", "14:00"), "2026-11-16 13:00", "2026-11-16 14:00"),
        (("12:00", "14:00"), "2026-11-16 14:00", None),
        (("12:00", "14:00"), "2026-11-16 11:59", None),
        (("20:00", "00:00"), "2026-11-16 23:00", "2026-11-17 00:00"),
        (("20:00", "00:00"), "2026-11-17 00:00", None),
        (("00:00", "06:00"), "2026-11-17 00:00", "2026-11-17 06:00"),
        # the same time twice
        (("08:00", "08:00"), "2026-11-16 08:00", None),
        # the night that has no 2:30, and is an hour short
        (("22:00", "07:00"), "2026-03-28 23:00", "2026-03-29 07:00"),
        (("22:00", "07:00"), "2026-03-29 03:30", "2026-03-29 07:00"),
        (("22:00", "07:00"), "2026-03-29 07:00", None),
        # the night that has 2:30 twice, and is an hour long
        (("22:00", "07:00"), "2026-10-24 23:00", "2026-10-25 07:00"),
        (("22:00", "07:00"), "2026-10-25 06:59", "2026-10-25 07:00"),
        (("22:00", "07:00"), "2026-10-25 07:00", None),
    ],
)
def test_quiet_hours_are_those_of_the_clock_on_the_wall(
    hours: tuple[str, str], now: str, until: str | None
) -> None:
    assert quiet(*hours).held_until(berlin(now)) == (berlin(until) if until else None)


@pytest.mark.parametrize(
    ("hours", "quiet_minutes"),
    [
        (("22:00", "02:30"), 270),
        (("02:30", "07:00"), 330),
        (("02:15", "02:45"), 30),
        (("01:30", "03:30"), 180),
    ],
)
def test_hours_that_a_night_has_twice_are_held_once_and_in_one_piece(
    hours: tuple[str, str], quiet_minutes: int
) -> None:
    start = berlin("2026-10-24 12:00")
    held = [quiet(*hours).held_until(start + n * MINUTE) is not None for n in range(24 * 60)]
    assert sum(held) == quiet_minutes
    assert sum(a != b for a, b in zip(held, held[1:], strict=False)) == 2, "it begins once and ends once"


@pytest.mark.parametrize(
    "hours", [("22:00", "02:30"), ("02:30", "07:00"), ("02:15", "02:45"), ("01:30", "03:30")]
)
def test_hours_that_a_night_has_not_do_no_harm(hours: tuple[str, str]) -> None:
    start = berlin("2026-03-28 12:00")
    ends = [quiet(*hours).held_until(start + n * MINUTE) for n in range(24 * 60)]
    assert sum(a is None and b is not None for a, b in zip(ends, ends[1:], strict=False)) == 1
    known = {end for end in ends if end is not None}
    assert len(known) == 1, "what is said of the end stays true"
    assert all(end is None or end > start + n * MINUTE for n, end in enumerate(ends))


def test_the_later_end_counts() -> None:
    now = berlin("2026-11-16 23:00")
    assert quiet("22:00", "07:00", snoozed_until=now + 9 * HOUR).held_until(now) == now + 9 * HOUR
    assert quiet("22:00", "07:00", snoozed_until=now + HOUR).held_until(now) == berlin("2026-11-17 07:00")
    assert quiet("22:00", "07:00", snoozed_until=now - HOUR).held_until(now) == berlin("2026-11-17 07:00")
    assert Wishes(snoozed_until=now).held_until(now) is None
    assert Wishes(snoozed_until=now + MINUTE).held_until(now) == now + MINUTE


def waiting(*what: tuple[MailKind, int | None], held: dict[int, datetime] | None = None) -> list[Waiting]:
    """Notices of an hour ago, keyed from 0; `held`: instances that are snoozed."""
    return [
        Waiting(n, kind, instance, NOW - HOUR, (held or {}).get(instance or 0))
        for n, (kind, instance) in enumerate(what)
    ]


def planned(
    notices: list[Waiting], held_until: datetime | None = None, made: list[Made] | None = None
) -> list[list[int]]:
    mails = plan(notices, made or [], NOW, held_until=held_until, group_for=timedelta(seconds=30))
    return sorted(mails)


def test_while_everything_is_held_only_what_cannot_wait_goes_out() -> None:
    every = waiting(*((kind, 1) for kind in MailKind))
    urgent = sorted([one.pk] for one in every if one.kind in ALWAYS)
    assert planned(every, NOW + HOUR) == urgent
    assert len(urgent) == 3
    assert len(planned(every, NOW)) > 3, "a hold that ends now holds no more"


def test_afterwards_everything_comes_as_one_summary_of_each_sort() -> None:
    notices = waiting(
        *((MailKind.REGRESSION, n % 5) for n in range(10)),
        (MailKind.RECOVERY, 1),
        (MailKind.REMINDER, 1),
        (MailKind.ENDING, 2),
        (MailKind.DIGEST, None),
        (MailKind.NEWS, 3),
    )
    assert planned(notices, NOW + HOUR) == []
    assert planned(notices, NOW - MINUTE) == [list(range(11)), [11, 12], [13], [14]]


def test_one_server_that_is_snoozed_holds_no_other_up() -> None:
    held = {1: NOW + HOUR}
    notices = waiting(
        (MailKind.REGRESSION, 1),
        (MailKind.REGRESSION, 2),
        (MailKind.HOST_KEY, 1),
        (MailKind.REMINDER, 1),
        (MailKind.REMINDER, 2),
        (MailKind.DIGEST, None),
        held=held,
    )
    assert planned(notices) == [[1], [2], [4], [5]]
    over = waiting(*((one.kind, one.instance_id) for one in notices), held={1: NOW})
    assert planned(over) == [[0], [1], [2], [3, 4], [5]]


def test_a_hold_of_everything_counts_more_than_a_free_server() -> None:
    assert planned(waiting((MailKind.REGRESSION, 2), held={1: NOW + HOUR}), NOW + MINUTE) == []


@pytest.fixture
def reader_at_night(reader: User) -> User:
    """Quiet from 22 to 7 o'clock in Berlin."""
    User.objects.filter(pk=reader.pk).update(time_zone="Europe/Berlin")
    Preference.objects.create(user=reader, quiet_from=time(22), quiet_to=time(7))
    return reader


def tell(user: User, instance: Instance, kind: MailKind, at: datetime) -> Notice:
    about = str(Notice.objects.count())
    return Notice.objects.create(kind=kind, about=about, instance=instance, user=user, created_at=at)


def test_a_night_ends_with_one_mail_about_all_of_it(reader_at_night: User, instance: Instance) -> None:
    places = [instance, *(an_instance() for _ in range(4))]
    for hour, place in enumerate(places):
        tell(reader_at_night, place, MailKind.REGRESSION, berlin("2026-11-16 23:00") + hour * HOUR)
    for hour in range(8):
        assert pack(berlin("2026-11-16 23:00") + hour * HOUR) == 0
    assert pack(berlin("2026-11-17 07:00")) == 1
    mail = Delivery.objects.get()
    assert (mail.instance, mail.notices.count()) == (None, 5)


def test_a_changed_host_key_wakes_people(reader_at_night: User, instance: Instance) -> None:
    night = berlin("2026-11-16 23:00")
    tell(reader_at_night, instance, MailKind.REGRESSION, night)
    tell(reader_at_night, instance, MailKind.HOST_KEY, night)
    assert pack(night + MINUTE) == 1
    assert Delivery.objects.get().kind == "host_key"


def test_a_snoozed_server_is_summarised_when_it_ends(reader: User, instance: Instance) -> None:
    now = timezone.now()
    other = an_instance()
    Subscription.objects.create(user=reader, instance=other)
    Subscription.objects.filter(instance=instance).update(snoozed_until=now + DAY)
    for kind in (MailKind.REGRESSION, MailKind.RECOVERY, MailKind.UNREACHABLE):
        tell(reader, instance, kind, now)
    tell(reader, other, MailKind.REGRESSION, now)
    assert pack(now + MINUTE) == 1
    assert Delivery.objects.get().instance == other
    assert pack(now + DAY - MINUTE) == 0
    assert pack(now + DAY) == 1
    assert Delivery.objects.latest("pk").notices.count() == 3


def test_somebody_elses_snooze_holds_nothing_of_mine(reader: User, instance: Instance) -> None:
    now = timezone.now()
    other = an_instance().created_by
    assert other is not None
    Subscription.objects.create(user=other, instance=instance, snoozed_until=now + DAY)
    Preference.objects.create(user=other, snoozed_until=now + DAY)
    tell(reader, instance, MailKind.REGRESSION, now)
    tell(other, instance, MailKind.REGRESSION, now)
    assert pack(now + MINUTE) == 1
    assert Delivery.objects.get().user == reader
