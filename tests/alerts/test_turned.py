"""Mails whose time a clock that was turned back has put off are sent all the same, once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fedisec.alerts import send
from fedisec.alerts.models import Delivery, DeliveryState
from fedisec.alerts.turned import put_right
from fedisec.scans.models import Change
from tests.factories import a_running_scan, a_user, an_instance

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def a_mail(**fields: object) -> Delivery:
    return Delivery.objects.create(user=a_user(), kind="test", about="x", message_id="<x@y>", **fields)


def test_what_a_right_clock_wrote_stays() -> None:
    a_mail(next_try_at=NOW + HOUR, rung_at=NOW)
    before = list(Delivery.objects.values())
    put_right(NOW)
    assert list(Delivery.objects.values()) == before


def test_a_try_that_was_put_off_for_days_is_due() -> None:
    mail = a_mail(next_try_at=NOW + DAY, rung_at=NOW + DAY)
    put_right(NOW)
    mail.refresh_from_db()
    assert (mail.next_try_at, mail.rung_at) == (NOW, None)


def test_a_held_change_is_judged_now() -> None:
    scan = a_running_scan(an_instance(), NOW)
    Change.objects.create(
        instance=scan.instance, scan=scan, item_id="a", kind="regressed", after="fail", held_until=NOW + DAY
    )
    put_right(NOW)
    assert Change.objects.get().held_until == NOW


def test_a_sender_whose_lease_was_shortened_still_notes_what_it_did() -> None:
    mail = a_mail(state=DeliveryState.SENDING, lease_until=NOW + DAY, attempts=1)
    put_right(NOW)
    assert Delivery.objects.get().lease_until is not None
    assert Delivery.objects.get().lease_until < NOW + HOUR  # type: ignore[operator]  # not None, see above
    send._finish(mail, DeliveryState.SENT, "")
    assert Delivery.objects.get().state == "sent"


def test_a_sender_who_lost_the_mail_notes_nothing() -> None:
    mail = a_mail(state=DeliveryState.SENDING, lease_until=NOW, attempts=1)
    Delivery.objects.update(attempts=2, lease_until=NOW + HOUR)
    send._finish(mail, DeliveryState.SENT, "")
    assert Delivery.objects.get().state == "sending"
