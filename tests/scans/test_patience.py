"""A look that is over and a database that is away.  With a real one that is restarted: tests/faults."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import OperationalError
from django.utils import timezone

from checks.probes import Gathered
from fedisec.scans import patience
from fedisec.scans.models import Scan
from fedisec.scans.patience import record_with_patience
from fedisec.scans.record import record
from tests.factories import a_running_scan, an_instance
from tests.fakes import facts

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fake_items")]

TRIES = len(patience.PAUSES_S) + 1
Away = Callable[[int], None]


@pytest.fixture
def scan() -> Scan:
    return a_running_scan(an_instance())


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Away:
    """`away(n)`: the next n tries find no database."""

    def set_up(times: int) -> None:
        left = iter(range(times))

        def try_once(*arguments: object) -> bool:
            for _ in left:
                raise OperationalError("server closed the connection unexpectedly\nmore words")
            return record(*arguments)  # type: ignore[arg-type]  # passed on as they came

        monkeypatch.setattr(patience, "record", try_once)
        monkeypatch.setattr(patience, "PAUSES_S", (0,) * (TRIES - 1))

    return set_up


def recorded(scan: Scan) -> bool:
    return record_with_patience(scan, scan.token, Gathered(facts(), {"dns": 1}), timezone.now())


def test_it_waits_two_minutes_in_all() -> None:
    assert sum(patience.PAUSES_S) == 120
    assert len(patience.PAUSES_S) == 5


def test_a_look_outlasts_a_database_that_comes_back(
    scan: Scan, away: Away, caplog: pytest.LogCaptureFixture
) -> None:
    away(TRIES - 1)
    assert recorded(scan)
    assert Scan.objects.get().state == "done"
    said = [message for message in caplog.messages if "waits for the database" in message]
    assert len(said) == TRIES - 1
    assert said[0].endswith("server closed the connection unexpectedly")


def test_patience_ends(scan: Scan, away: Away) -> None:
    away(TRIES)
    with pytest.raises(OperationalError):
        recorded(scan)
    assert Scan.objects.get().state == "running"


def test_who_lost_the_scan_meanwhile_stores_nothing(scan: Scan, away: Away) -> None:
    away(1)
    Scan.objects.update(token="another")
    assert not recorded(scan)
    assert Scan.objects.get().state == "running"


def test_another_error_is_no_absence(scan: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> bool:
        raise ZeroDivisionError

    monkeypatch.setattr(patience, "record", broken)
    with pytest.raises(ZeroDivisionError):
        recorded(scan)
