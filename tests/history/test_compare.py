"""What differs between two scans, of which kind it is, and whose doing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from fedisec.history.compare import Comparison, Kind, compare, kind_of, last_two, since
from fedisec.history.spans import SpanView
from fedisec.instances.models import Instance
from fedisec.scans.models import ItemState, Scan, Span
from tests.factories import a_recorded_scan
from tests.fakes import facts
from tests.history.conftest import START, day

pytestmark = pytest.mark.django_db


def kinds(found: Comparison) -> list[tuple[str, str]]:
    return [(line.item_id, line.kind.value) for line in found.lines]


def view(text: str) -> SpanView | None:
    """ "status code reason key=value" as a view; "" for an item that was not known."""
    if not text:
        return None
    status, *rest = text.split()
    code, reason = (rest + ["", ""])[:2]
    return SpanView("ssh.algorithms", 1, START, None, status, code.strip("-"), reason)


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("pass sound", "pass sound", None),
        ("pass sound", "pass other", Kind.OTHER),
        ("pass", "warn", Kind.WORSE),
        ("warn", "fail", Kind.WORSE),
        ("fail", "warn", Kind.BETTER),
        ("fail", "pass", Kind.BETTER),
        ("pass", "unknown - timeout", Kind.BLIND),
        ("fail", "error - bug", Kind.BLIND),
        ("unknown - timeout", "pass", Kind.SEEN),
        ("unknown - timeout", "fail", Kind.SEEN),
        ("unknown - timeout", "unknown - refused", None),
        ("unknown - not_connected", "unknown - denied", Kind.OTHER),
        ("", "fail", Kind.SEEN),
        ("", "unknown - timeout", None),
        ("", "manual", None),
        ("pass", "not_applicable none", Kind.OTHER),
        ("not_applicable none", "fail", Kind.WORSE),
        ("not_applicable none", "unknown - timeout", Kind.BLIND),
        ("manual", "pass", Kind.OTHER),
    ],
)
def test_a_difference_has_a_kind(before: str, after: str, kind: Kind | None) -> None:
    now = view(after)
    assert now is not None
    assert kind_of(view(before), now) is kind


def test_two_scans_differ_in_what_both_said(
    instance: Instance, looks: list[Scan], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(4):
        found = compare(instance, looks[0], looks[3])
    assert kinds(found) == [("fake.lock", "worse"), ("fake.bell", "better"), ("fake.lamp", "blind")]
    assert found.back == ("fake.bolt",)
    lock = found.lines[0]
    assert lock.before is not None
    assert (lock.before.status, lock.after.status, lock.after.scan_id) == ("pass", "fail", looks[2].pk)
    assert kinds(compare(instance, looks[1], looks[2])) == [("fake.lock", "worse")]


def test_a_scan_is_no_different_from_itself(instance: Instance, looks: list[Scan]) -> None:
    found = compare(instance, looks[2], looks[2])
    assert (found.lines, found.rejudged, found.back) == ((), (), ())


def test_what_other_rules_made_stands_apart(instance: Instance) -> None:
    first = a_recorded_scan(instance, facts(lock="pass", bell="pass", bolt="pass"), day(0))
    Scan.objects.update(checks_version="0")
    second = a_recorded_scan(instance, facts(lock="fail", bell="fail", bolt="pass"), day(1))
    third = a_recorded_scan(instance, facts(lock="fail", bell="warn", bolt="fail"), day(2))
    assert [line.item_id for line in compare(instance, first, second).rejudged] == ["fake.lock", "fake.bell"]
    found = compare(instance, first, third)
    assert [line.item_id for line in found.rejudged] == ["fake.lock"]
    assert kinds(found) == [("fake.bolt", "worse"), ("fake.bell", "worse")]  # the server moved the bell too


def test_the_last_two_looks_are_whole_ones(instance: Instance, looks: list[Scan]) -> None:
    Scan.objects.filter(state="queued").delete()
    Scan.objects.create(
        instance=instance, reason="item", only=["fake.lock"], state="done", finished_at=day(4)
    )
    Scan.objects.create(instance=instance, reason="manual", state="failed", finished_at=day(4))
    assert last_two(instance) == (looks[2], looks[3])


def test_a_second_look_belongs_to_the_look_before_it(instance: Instance, looks: list[Scan]) -> None:
    Scan.objects.filter(pk__in=[looks[1].pk, looks[3].pk]).update(reason="confirm")
    assert last_two(instance) == (looks[1], looks[3])
    Scan.objects.filter(pk=looks[2].pk).update(reason="confirm")
    assert last_two(instance) is None  # one look, confirmed thrice


def test_since_a_day_begins_with_the_last_scan_before_it(instance: Instance, looks: list[Scan]) -> None:
    assert since(instance, day(2).date()) == (looks[1], looks[3])
    assert since(instance, (day(0) - timedelta(days=9)).date()) == (looks[0], looks[3])
    assert since(instance, day(9).date()) is None  # nothing was looked at since


def test_one_scan_is_not_compared(instance: Instance) -> None:
    a_recorded_scan(instance, facts(), day(0))
    assert last_two(instance) is None
    assert since(instance, day(0).date()) is None


def test_what_moves_by_itself_is_told_of_the_last_scan_too(instance: Instance, looks: list[Scan]) -> None:
    item = "http.security_txt"
    for scan, code, days in ((looks[0], "valid", 40), (looks[2], "soon", 25)):
        Span.objects.create(
            instance=instance,
            item_id=item,
            scan=scan,
            first_at=day(0),
            status="pass",
            code=code,
            data={"days": days},
        )
    ItemState.objects.create(
        instance=instance,
        item_id=item,
        status="pass",
        code="soon",
        data={"days": 24},
        since=day(0),
        seen_at=day(3),
    )
    lines = {line.item_id: line for line in compare(instance, looks[0], looks[3]).lines}
    before = lines[item].before
    assert before is not None
    assert (before.data, lines[item].after.data) == ({"days": 40}, {"days": 24})
    assert compare(instance, looks[1], looks[2]).lines[-1].after.data == {"days": 25}
