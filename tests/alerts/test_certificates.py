"""A certificate that is not renewed: each threshold once to each recipient, and never twice with its item."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from checks.facts import Facts
from fedisec.accounts.models import User
from fedisec.alerts import certificates
from fedisec.alerts.certificates import TOLD_WITH_ITEM
from fedisec.alerts.models import MailKind, Notice, Preference
from fedisec.checklist.models import Waiver
from fedisec.instances.models import Instance
from fedisec.scans.models import Change
from tests.checks.tls.made import ADDRESS, certificate, front, web
from tests.factories import a_recorded_scan, a_subscriber, an_instance

START = timezone.now().replace(microsecond=0) - timedelta(hours=2)
DAY = timedelta(days=1)


@pytest.fixture
def instance(db: None) -> Instance:
    return an_instance(domain="good.example")


@pytest.fixture
def reader(instance: Instance) -> User:
    return a_subscriber(instance, email="reader@example.org")


def a_look(instance: Instance, at: datetime, *left: float, life: float = 90, name: str = "aa") -> None:
    """At a server that shows certificates with so many days left."""
    shown = (
        certificate(
            fingerprint=f"{name}{number}" * 16,
            not_before=at + (days - life) * DAY,
            not_after=at + days * DAY,
        )
        for number, days in enumerate(left)
    )
    a_recorded_scan(instance, Facts().with_facts(web(*shown, seen_at=at)), at)


def told(user: User, *, dropped: bool = False) -> list[str]:
    found = Notice.objects.filter(user=user, kind=MailKind.CERTIFICATE, dropped_at__isnull=not dropped)
    return [notice.about for notice in found.order_by("pk")]


def test_what_is_not_renewed_is_told_step_by_step(instance: Instance, reader: User) -> None:
    begins = START - 10 * DAY
    for days in (30, 22, 21, 13, 8):
        a_look(instance, begins + (30 - days) * timedelta(hours=6), days)
    assert told(reader) == [f"{'aa0' * 16} late", f"{'aa0' * 16} 14d"]
    notice = Notice.objects.filter(user=reader).first()
    assert notice is not None and notice.instance == instance
    assert notice.data["address"] == ADDRESS and notice.data["threshold"] == "late"
    assert datetime.fromisoformat(notice.data["not_after"]) - datetime.fromisoformat(
        notice.data["not_before"]
    ) == timedelta(days=90)
    a_look(instance, START, 22, name="bb")  # another one begins anew
    assert told(reader)[2:] == [f"{'bb0' * 16} late"]


def test_each_certificate_and_each_recipient_has_thresholds_of_its_own(
    instance: Instance, reader: User
) -> None:
    a_look(instance, START, 20, 60, 10)
    assert told(reader) == [f"{'aa0' * 16} late", f"{'aa2' * 16} 14d"]
    second = a_subscriber(instance)
    a_look(instance, START + timedelta(minutes=10), 20, 60, 10)
    assert len(told(reader)) == 2
    assert told(second) == [f"{'aa0' * 16} late", f"{'aa2' * 16} 14d"]


def test_the_fall_of_the_item_is_told_once(instance: Instance, reader: User) -> None:
    """Fedisec slept from the eighth day to the second: the second look tells, and the day is noted."""
    a_look(instance, START, 8)
    assert told(reader) == [f"{'aa0' * 16} 14d"]
    a_look(instance, START + timedelta(minutes=10), 2)
    assert told(reader) == [f"{'aa0' * 16} 14d"]
    a_look(instance, START + timedelta(minutes=16), 2)
    change = Change.objects.get(item_id="tls.certificate_lasts", kind="regressed")
    assert change.processed_at is None
    assert told(reader) == [f"{'aa0' * 16} 14d"]
    assert told(reader, dropped=True) == [f"{'aa0' * 16} 3d"]
    assert Notice.objects.get(dropped_at__isnull=False).dropped_why == TOLD_WITH_ITEM
    # The steps after that are news again.
    a_look(instance, START + timedelta(minutes=30), 0.9)
    a_look(instance, START + timedelta(minutes=40), 0.8)
    a_look(instance, START + timedelta(minutes=50), -0.1)
    assert told(reader)[1:] == [f"{'aa0' * 16} 1d", f"{'aa0' * 16} ended"]


def test_what_fails_from_the_first_look_on_is_told_here(instance: Instance, reader: User) -> None:
    """A first result is no regression, and a certificate that ends in two days is news."""
    a_look(instance, START, 2)
    assert told(reader) == [f"{'aa0' * 16} 3d"]


def test_a_clock_that_is_wrong_tells_of_no_certificate(instance: Instance, reader: User) -> None:
    shown = certificate(not_before=START - 80 * DAY, not_after=START + 10 * DAY)
    theirs = front(date=f"{START - 20 * DAY:%a, %d %b %Y %H:%M:%S GMT}")
    a_recorded_scan(instance, Facts().with_facts(web(shown, seen_at=START), theirs), START)
    assert told(reader) == []


def test_what_is_set_aside_is_not_told(instance: Instance, reader: User) -> None:
    Waiver.objects.create(
        instance=instance, item_id="tls.certificate_lasts", by=reader, kind="accepted_risk", reason="a test"
    )
    a_look(instance, START, 2)
    assert told(reader) == []


def test_who_does_not_want_it_does_not_hear_it(instance: Instance, reader: User) -> None:
    Preference.objects.create(user=reader, kinds=["regression"])
    a_look(instance, START, 2)
    assert told(reader) == []


def test_all_is_well_costs_no_query(instance: Instance, django_assert_num_queries: object) -> None:
    shown = [("aa", START - 10 * DAY, START + 80 * DAY, ADDRESS)]
    with django_assert_num_queries(0):  # type: ignore[operator]
        certificates.seen(instance, shown, START)
