"""What comes to its end is told 90, 30 and 7 days ahead: once, in one mail, whatever clocks and dates do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client
from pytest_django import Settings

from checks.facts import Facts
from fedisec.alerts.models import MailKind, Notice, Preference, Subscription
from fedisec.alerts.week import Period, weeks_of
from fedisec.instances.models import Instance
from fedisec.watch import endings, parts, telling
from fedisec.watch.models import Source as Feed
from fedisec.watch.parts import Kind, Part, Source
from fedisec.watch.stock_models import Ending, Lifecycle, Stock
from tests.factories import a_recorded_scan, a_subscriber, a_user, an_instance, signed_in

pytestmark = pytest.mark.django_db

BOOKWORM = Part(Kind.SYSTEM, "debian", "12", Source.SYSTEM, "12", "Debian GNU/Linux 12 (bookworm)")
PG14 = Part(Kind.PROGRAM, "postgresql", "14", Source.IMAGE, "postgres:14-alpine")  # ends on 2026-11-12
PHP82 = Part(Kind.PROGRAM, "php", "8.2.29", Source.BUILD)  # on 2026-12-31
LATE = datetime(2026, 8, 1, 0, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def in_utc(settings: Settings) -> None:
    settings.TIME_ZONE, settings.FEEDS = "UTC", False


def runs(*found: Part, **fields: object) -> Instance:
    instance = an_instance(**fields)  # type: ignore[arg-type]  # a table's shorthand
    Stock.objects.create(instance=instance, parts=parts.to_json(found), made_at=LATE)
    return instance


def live(*days: str) -> None:
    """The clock on these days ("2026-08-14", or the 13th to the 15th as "2026-08-13:15"): in the night, and in
    the morning."""
    for day in days:
        first, _, last = day.partition(":")
        start = date.fromisoformat(first)
        for number in range(int(last or start.day) - start.day + 1):
            at = start + timedelta(days=number)
            for hour in (0, 9):
                endings.tick(datetime(at.year, at.month, at.day, hour, 5, tzinfo=UTC))


def told() -> list[tuple[str, str, list[str]]]:
    """(day of telling, what ends, where) of each notice, for each recipient."""
    return [
        (
            f"{notice.created_at:%Y-%m-%d}",
            ", ".join(f"{end['product']} {end['branch']}" for end in notice.data["ends"]),
            sorted({one["domain"] for end in notice.data["ends"] for one in end["instances"]}),
        )
        for notice in Notice.objects.filter(kind=MailKind.NEWS).order_by("created_at", "pk")
    ]


def test_each_end_is_told_three_times_and_not_after_it() -> None:
    instance = runs(PG14, domain="social.example")
    a_subscriber(instance)
    live("2026-08-01", "2026-08-13:15", "2026-10-12:14", "2026-11-04:06", "2026-11-12:13", "2026-12-10")
    assert told() == [
        ("2026-08-14", "PostgreSQL 14", ["social.example"]),
        ("2026-10-13", "PostgreSQL 14", ["social.example"]),
        ("2026-11-05", "PostgreSQL 14", ["social.example"]),
    ]
    (first,) = Notice.objects.order_by("pk")[:1]
    assert first.data["ends"] == [
        {
            "product": "PostgreSQL", "branch": "14", "support": "regular", "day": "2026-11-12", "goes_to": "18.6",
            "instances": [{"domain": "social.example", "version": "14"}],
        }
    ]  # fmt: skip
    assert first.instance == instance


def test_one_notice_names_all_servers_and_products_of_its_reader() -> None:
    first, second = runs(PG14, PHP82, domain="a.example"), runs(PG14, domain="b.example")
    reader = a_subscriber(first, email="both@example.org")
    second.team.memberships.create(user=reader, role="viewer")
    Subscription.objects.create(user=reader, instance=second)
    a_subscriber(second, email="one@example.org")
    live("2026-11-09:10")
    assert sorted(told()) == [
        ("2026-11-09", "PostgreSQL 14", ["b.example"]),
        ("2026-11-09", "PostgreSQL 14, PHP 8.2", ["a.example", "b.example"]),
    ]


def test_who_is_seen_late_hears_the_step_that_is_due_and_the_ones_to_come() -> None:
    a_subscriber(runs(PG14))
    live("2026-10-20:21", "2026-11-04:06", "2026-11-30")
    assert [(day, what) for day, what, _ in told()] == [
        ("2026-10-20", "PostgreSQL 14"),
        ("2026-11-05", "PostgreSQL 14"),
    ]


def test_regular_and_long_term_support_of_a_system_are_told_apart() -> None:
    a_subscriber(runs(BOOKWORM))
    live("2026-04-01", "2026-04-12:13")
    assert [end["support"] for n in Notice.objects.all() for end in n.data["ends"]] == ["regular"]
    assert Notice.objects.get().data["ends"][0]["goes_to"] == "13"
    live("2028-04-01:02")
    assert Notice.objects.latest("pk").data["ends"][0]["support"] == "long_term"
    assert Notice.objects.latest("pk").data["ends"][0]["day"] == "2028-06-30"


@pytest.mark.parametrize(
    "part",
    [
        Part(Kind.PROGRAM, "postgresql", "14.19", Source.DISTRIBUTION, "14.19-0ubuntu0.22.04.1"),
        Part(Kind.PROGRAM, "postgresql", "14.19", Source.UNSURE),
        Part(Kind.PROGRAM, "php", "8.2.29", Source.OUTSIDE, "HTTP x-powered-by"),
        Part(Kind.PROGRAM, "rails", "8.0.4", Source.BUILD),
        Part(Kind.PROGRAM, "ffmpeg", "7.1.1", Source.BUILD),
        Part(Kind.PROGRAM, "nginx", "1.31.0", Source.IMAGE),
        Part(Kind.PROGRAM, "postgresql", "99", Source.IMAGE),
    ],
    ids=lambda part: f"{part.name}-{part.source}",
)
def test_of_what_is_not_theirs_to_renew_or_has_no_known_end_nobody_is_told(part: Part) -> None:
    a_subscriber(runs(part))
    live("2026-10-01")
    live("2026-11-04:05")
    assert not Notice.objects.exists()


@pytest.mark.parametrize("why", ["demo", "paused", "wish"])
def test_who_is_not_to_hear_does_not(why: str) -> None:
    instance = runs(PG14)
    reader = a_subscriber(instance)
    if why == "wish":
        Preference.objects.create(user=reader, kinds=[MailKind.REGRESSION.value])
    else:
        Instance.objects.update(**{why: True})
    live("2026-11-04:05")
    assert not Notice.objects.exists()


def moved(day: str) -> None:
    feed, _ = Feed.objects.get_or_create(
        slug="ends-postgresql", kind="ends", title="PostgreSQL", url="x", about="postgresql"
    )
    Lifecycle.objects.update_or_create(
        source=feed,
        defaults={
            "product": "postgresql",
            "as_of": date(2026, 9, 1),
            "releases": [["14", day, False, "", "", "14.19"]],
        },
    )
    Stock.objects.update(placed_on=None)


def test_an_end_that_moves_away_is_told_anew_when_it_is_near_again() -> None:
    a_subscriber(runs(PG14))
    live("2026-08-12:15")
    moved("2027-05-13")
    live("2026-08-21", "2026-11-05", "2027-02-11:13")
    assert [day for day, _, _ in told()] == ["2026-08-14", "2027-02-12"]


def test_an_end_that_comes_nearer_is_told_at_once_and_a_day_or_two_are_nothing() -> None:
    a_subscriber(runs(PG14))
    live("2026-08-12:15")
    moved("2026-11-14")
    live("2026-08-24:25")
    assert [day for day, _, _ in told()] == ["2026-08-14"]
    moved("2026-09-20")
    live("2026-08-26:27")
    assert [day for day, _, _ in told()] == ["2026-08-14", "2026-08-26"]
    assert Notice.objects.latest("pk").data["ends"][0]["day"] == "2026-09-20"


def test_a_date_that_goes_to_and_fro_tells_once_a_week_at_most() -> None:
    a_subscriber(runs(PG14))
    day = date(2026, 9, 1)
    for number in range(9):
        moved("2026-11-12" if number % 2 else "2026-10-20")
        live(day.isoformat())
        day += timedelta(days=1)
    assert [day for day, _, _ in told()] == ["2026-09-01"]


def test_what_is_gone_is_told_no_more_and_what_comes_back_not_again() -> None:
    instance = runs(PG14)
    a_subscriber(instance)
    live("2026-08-13:15")
    for found, last in (((PHP82,), date(2026, 8, 18)), ((PG14,), date(2026, 8, 20))):
        Stock.objects.update(parts=parts.to_json(found), placed_on=None)
        live(f"{last - timedelta(days=1)}:{last.day}")
    assert [what for _, what, _ in told()] == ["PostgreSQL 14"]
    assert {row.product: row.live for row in Ending.objects.all()} == {"postgresql": True, "php": False}


def test_two_clocks_tell_once() -> None:
    a_subscriber(runs(PG14))
    now = datetime(2026, 8, 14, 9, 5, tzinfo=UTC)
    endings.tick(datetime(2026, 8, 13, 0, 5, tzinfo=UTC))
    endings.place(now)
    slot = telling.morning(now)
    waiting = list(Ending.objects.filter(waits_since__lte=slot))
    assert len(waiting) == 1
    for _ in range(2):
        endings._tell_waiting(slot, now)
    assert Notice.objects.count() == 1
    # The other clock had read the row as waiting before this one took it.
    Ending.objects.update(waits_since=waiting[0].waits_since, waits_step=30)
    taken = Ending.objects.filter(pk=waiting[0].pk, waits_since__isnull=False).update(waits_since=None)
    assert taken == 1 and endings._tell_waiting(slot, now) == 0 and Notice.objects.count() == 1


def test_without_anything_to_do_a_round_is_four_queries(
    django_assert_num_queries: pytest.FixtureRequest,
) -> None:
    runs(PG14)
    now = datetime(2026, 8, 1, 9, 5, tzinfo=UTC)
    endings.tick(now)
    with django_assert_num_queries(4):  # type: ignore[operator]  # the plugin's fixture has no public type
        endings.tick(now)


def test_what_is_near_is_shown_with_its_way_out() -> None:
    first, second = runs(PG14, BOOKWORM, PHP82), runs(BOOKWORM)
    now = datetime(2026, 11, 22, 9, 5, tzinfo=UTC)
    endings.place(now)
    found = endings.coming([first, second], now)
    assert [(one.title, one.branch, one.days, one.goes_to) for one in found[first.pk]] == [
        ("PostgreSQL", "14", -10, "18.6"),
        ("PHP", "8.2", 39, "8.5.9"),
    ]
    assert second.pk not in found


def test_the_page_of_an_instance_and_the_digest_say_it(client: Client) -> None:
    owner = a_user()
    instance = runs(PG14, PHP82, domain="social.example", owner=owner)
    now = datetime(2026, 11, 22, 9, 5, tzinfo=UTC)
    endings.place(now)
    a_recorded_scan(instance, Facts(), now)
    signed_in(client, owner)
    page = client.get("/instances/social.example/").content.decode()
    assert "What comes to its end" in page and "PostgreSQL 14" in page and "go to 18.6" in page
    week = weeks_of([instance], Period(now - timedelta(days=7), now), now)[instance.pk]
    assert week["coming"] == []
    later = now + timedelta(days=10)
    week = weeks_of([instance], Period(now, later), later)[instance.pk]
    assert week["coming"] == [["PHP", "8.2", "regular", "2026-12-31", "8.5.9"]]
