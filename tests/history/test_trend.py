"""Trends: what is drawn, where it is broken, and the table that says the same."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import date, datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from checks.model import Level
from fedisec.history.models import DayCount
from fedisec.history.points import Point, blanks, floor_of, gap_after, lines, looked_at, of_level
from fedisec.history.standing import day_of
from fedisec.history.trend import context, sparkline
from fedisec.instances.models import Instance
from tests.factories import a_recorded_scan, an_instance
from tests.fakes import facts

DAY = timedelta(days=1)
D0 = date(2026, 11, 1)
GAP = timedelta(days=2)


def at(*numbers: int) -> list[date]:
    return [D0 + n * DAY for n in numbers]


@pytest.mark.parametrize(
    ("numbers", "parts"),
    [([], []), ([0], [1]), ([0, 1, 2], [3]), ([0, 2], [2]), ([0, 3], [1, 1]), ([0, 1, 5, 6, 20], [2, 2, 1])],
)
def test_a_line_breaks_where_nobody_looked(numbers: list[int], parts: list[int]) -> None:
    assert [len(part) for part in lines([Point(day, 1, 2) for day in at(*numbers)], GAP)] == parts


def test_what_nobody_looked_at_is_marked() -> None:
    points = [Point(day, 1, 2) for day in at(4, 5, 9)]
    assert blanks(points, D0, D0 + 10 * DAY, GAP) == [(D0, D0 + 4 * DAY), (D0 + 5 * DAY, D0 + 9 * DAY)]
    assert blanks(points, D0 + 2 * DAY, D0 + 12 * DAY, GAP)[-1] == (D0 + 9 * DAY, D0 + 12 * DAY)


def test_a_weekly_scan_makes_no_gaps() -> None:
    assert gap_after(7 * 86_400) > timedelta(days=7)
    assert gap_after(3600) == timedelta(days=2)


@pytest.mark.parametrize(
    ("days", "kept"),
    [
        ([(0, True), (1, False)], [True, True]),
        ([(0, False), (1, True)], [False, True]),
        ([(0, True), (3, False), (4, True)], [True, False, True]),
    ],
)
def test_a_day_of_words_alone_counts_while_what_was_seen_is_fresh(
    days: list[tuple[int, bool]], kept: list[bool]
) -> None:
    assert looked_at([(D0 + n * DAY, scanned) for n, scanned in days], GAP) == kept


def test_what_does_not_count_leaves_the_denominator() -> None:
    counts = {"required": {"met": 3, "not_met": 1, "accepted": 2, "not_applicable": 4}}
    assert of_level(counts, "required") == (3, 4)
    assert of_level(counts, "optional") == (0, 0)
    assert Point(D0, 0, 0).share == 1.0


@pytest.mark.parametrize(("met", "floor"), [(0, 0.0), (39, 0.2), (40, 0.4), (75, 0.6), (100, 0.6)])
def test_the_scale_begins_below_every_point(met: int, floor: float) -> None:
    assert floor_of([Point(D0, met, 100), Point(D0, 100, 100)]) == floor


def counts(met: int, of: int) -> dict[str, dict[str, int]]:
    return {level.value: {"met": met, "not_met": of - met} for level in Level}


def a_day(instance: Instance, ago: int, met: int, of: int = 10, scanned: bool = True) -> None:
    day = day_of(timezone.now()) - ago * DAY
    DayCount.objects.create(
        instance=instance, day=day, counts=counts(met, of), met=3 * met, applicable=3 * of, scanned=scanned
    )


def elements(svg: str, name: str) -> list[ET.Element]:
    return list(ET.fromstring(svg).iter(name))


@pytest.mark.django_db
def test_the_drawing_has_a_line_for_each_level_a_title_and_a_description(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    instance = an_instance()
    for ago, met in ((9, 5), (8, 6), (7, 6), (2, 8), (1, 8), (0, 9)):
        a_day(instance, ago, met)
    with django_assert_num_queries(1):
        shown = context(instance, 30)
    svg = str(shown["trend_svg"])
    paths = {e.get("class"): e.get("d") for e in elements(svg, "path") if "trend-line" in str(e.get("class"))}
    assert set(paths) == {f"trend-line trend-{level}" for level in Level}
    assert all(str(d).count("M") == 2 for d in paths.values())  # broken once
    assert len(elements(svg, "rect")) == 2  # before the first look, and in between
    assert "Required: 5 of 10 on" in str(elements(svg, "desc")[0].text)
    root = ET.fromstring(svg)
    assert root.get("role") == "img" and root.get("aria-labelledby") == "trend-title trend-desc"
    assert "style" not in svg


@pytest.mark.django_db
def test_every_point_lies_within_the_drawing() -> None:
    instance = an_instance()
    for ago in range(0, 365, 7):
        a_day(instance, ago, ago % 11)
    instance.interval_s = 7 * 86_400
    for days in (30, 90, 365):
        for path in elements(str(context(instance, days)["trend_svg"]), "path"):
            spots = re.findall(r"(-?[\d.]+) (-?[\d.]+)", str(path.get("d")))
            assert spots
            assert all(0 <= float(x) <= 1000 and 0 <= float(y) <= 100 for x, y in spots)


@pytest.mark.django_db
def test_the_table_lists_the_days_that_say_something_new() -> None:
    instance = an_instance()
    for ago, met in ((9, 5), (8, 5), (7, 6), (6, 6), (2, 6), (1, 6), (0, 6)):
        a_day(instance, ago, met)
    today = day_of(timezone.now())
    found = [
        ((today - row.day).days, row.cells[0].met, row.missed) for row in context(instance, 30)["trend_rows"]
    ]
    assert found == [(0, 6, 0), (2, 6, 3), (7, 6, 0), (9, 5, 0)]


@pytest.mark.django_db
def test_without_days_there_is_no_drawing() -> None:
    shown = context(an_instance(), 365)
    assert shown["trend_svg"] == "" and shown["trend_rows"] == []


@pytest.mark.django_db
def test_sparklines_of_many_are_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    instances = [an_instance() for _ in range(3)]
    for ago in (20, 19, 18, 2, 1):
        a_day(instances[0], ago, 10 - ago // 4)
    a_day(instances[1], 0, 5)
    a_day(instances[0], 40, 1)  # too long ago
    with django_assert_num_queries(1):
        found = sparkline(instances)
    assert set(found) == {one.pk for one in instances}
    assert found[instances[1].pk] == found[instances[2].pk] == ""
    (path,) = elements(found[instances[0].pk], "path")
    assert str(path.get("d")).count("M") == 2
    assert "from 15 of 30 met to 30 of 30" in found[instances[0].pk]
    assert "style=" not in found[instances[0].pk]


@pytest.mark.django_db
@pytest.mark.usefixtures("fake_items")
def test_scans_draw_the_line() -> None:
    instance, start = an_instance(), timezone.now() - 3 * DAY
    for number, status in enumerate(("fail", "fail", "pass")):
        moment: datetime = start + number * DAY
        a_recorded_scan(instance, facts(lock=status), moment)
    required = context(instance, 30)["trend_lines"][0]
    assert [point.met for point in required.points] == [1, 1, 2]
    assert required.change == "+1"
