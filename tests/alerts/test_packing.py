"""What goes into one mail, and when: the plan alone, no database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedisec.alerts.models import MailKind
from fedisec.alerts.packing import INSTANCES_APART, MAILS_AN_HOUR, Made, Waiting, plan

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
GROUP = timedelta(seconds=30)
REGRESSION, RECOVERY, HOST_KEY = MailKind.REGRESSION, MailKind.RECOVERY, MailKind.HOST_KEY


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def waiting(*rows: tuple[MailKind, int | None, float]) -> list[Waiting]:
    """(kind, instance, seconds ago) -> notices with the keys 1, 2, …"""
    return [Waiting(pk, kind, instance, ago(s)) for pk, (kind, instance, s) in enumerate(rows, 1)]


def mails(rows: list[Waiting], *made: Made, held: datetime | None = None) -> list[list[int]]:
    return plan(rows, made, NOW, held_until=held, group_for=GROUP)


def test_an_alarm_waits_half_a_minute_for_others_of_its_server() -> None:
    assert mails(waiting((REGRESSION, 1, 29))) == []
    assert mails(waiting((REGRESSION, 1, 30), (REGRESSION, 1, 1))) == [[1, 2]]


def test_few_servers_have_a_mail_each_and_many_have_one() -> None:
    few = [(REGRESSION, number, 40.0) for number in range(INSTANCES_APART)]
    assert mails(waiting(*few)) == [[1], [2], [3]]
    assert mails(waiting(*few, (RECOVERY, 99, 2))) == [[1, 2, 3, 4]]


def test_servers_that_fall_one_after_the_other_are_told_together_five_minutes_later() -> None:
    told = [Made(ago(60), 1), Made(ago(90), 2)]
    more = waiting((REGRESSION, 3, 40), (REGRESSION, 4, 40))
    assert mails(more, *told) == []
    assert mails(more, Made(ago(301), 1), Made(ago(302), 2)) == [[1], [2]]


def test_after_a_mail_about_many_the_next_waits_five_minutes() -> None:
    assert mails(waiting((REGRESSION, 3, 40)), Made(ago(299), None)) == []
    assert mails(waiting((REGRESSION, 3, 40)), Made(ago(300), None)) == [[1]]


def test_the_same_server_again_is_no_crowd() -> None:
    assert mails(waiting((RECOVERY, 1, 40)), *(Made(ago(60), 1) for _ in range(5))) == [[1]]


def test_twenty_mails_an_hour_and_then_a_summary() -> None:
    many = [Made(ago(600 + number), 1) for number in range(MAILS_AN_HOUR)]
    assert mails(waiting((REGRESSION, 1, 40)), *many) == []
    assert mails(waiting((REGRESSION, 1, 40)), *many[1:]) == [[1]]


@pytest.mark.parametrize("kind", [HOST_KEY, MailKind.OUTAGE, MailKind.TEST])
def test_what_cannot_wait_is_a_mail_of_its_own_at_once(kind: MailKind) -> None:
    rows = waiting((kind, 1, 0), (REGRESSION, 1, 0))
    assert mails(rows, held=NOW + timedelta(hours=8)) == [[1]]


def test_what_was_held_comes_as_one_mail_when_the_hold_ends() -> None:
    rows = waiting(*((REGRESSION, number, 7200.0) for number in range(9)))
    assert mails(rows, held=NOW + timedelta(seconds=1)) == []
    assert mails(rows, held=NOW) == [list(range(1, 10))]


def test_a_snoozed_server_holds_only_itself() -> None:
    rows = waiting((REGRESSION, 1, 40), (REGRESSION, 2, 40))
    rows[0] = Waiting(1, REGRESSION, 1, ago(40), held_until=NOW + timedelta(hours=1))
    assert mails(rows) == [[2]]


def test_reminders_news_and_digest_are_mails_of_their_own() -> None:
    rows = waiting(
        (MailKind.REMINDER, 1, 40),
        (MailKind.ENDING, 2, 40),
        (MailKind.NEWS, None, 40),
        (MailKind.DIGEST, None, 40),
        (REGRESSION, 1, 40),
    )
    assert mails(rows) == [[5], [1, 2], [3], [4]]


def test_a_clock_that_was_set_back_holds_nothing() -> None:
    assert mails(waiting((REGRESSION, 1, -86_400))) == [[1]]


KINDS = st.sampled_from(list(MailKind))
ROWS = st.lists(st.tuples(KINDS, st.none() | st.integers(0, 6), st.floats(-90_000, 90_000)), max_size=30)


@given(rows=ROWS, made=st.lists(st.tuples(st.floats(0, 3599), st.none() | st.integers(0, 6)), max_size=25))
def test_nothing_is_told_twice_and_at_most_one_crowd_goes_out(
    rows: list[tuple[MailKind, int | None, float]], made: list[tuple[float, int | None]]
) -> None:
    notices = waiting(*rows)
    packed = mails(notices, *(Made(ago(s), instance) for s, instance in made))
    keys = [key for mail in packed for key in mail]
    assert len(keys) == len(set(keys)) and all(packed)
    assert {one.pk for one in notices if one.kind is HOST_KEY} <= set(keys)


@given(rows=ROWS)
def test_left_alone_everything_is_told_within_a_few_minutes(
    rows: list[tuple[MailKind, int | None, float]],
) -> None:
    notices = waiting(*((kind, instance, abs(seconds)) for kind, instance, seconds in rows))
    later = plan(notices, [], NOW + timedelta(minutes=5), group_for=GROUP)
    assert sorted(key for mail in later for key in mail) == [one.pk for one in notices]
