"""When is a certificate said to be late?  By its life, from 398 days to six."""

from __future__ import annotations

from datetime import timedelta

import pytest

from checks.errors import Reason
from checks.facts import Facts, Missing
from fedisec.scans.certificates import NAMES, due_threshold, shown, thresholds
from tests.checks.tls.made import ADDRESS, SECOND, certificate, web

DAY, HOUR = timedelta(days=1), timedelta(hours=1)

# Life in days; when each threshold is reached, in days that are left.
TABLE = [
    (398, {"late": 30, "14d": 14, "7d": 7, "3d": 3, "1d": 1, "ended": 0}),
    (200, {"late": 30, "14d": 14, "7d": 7, "3d": 3, "1d": 1, "ended": 0}),
    (120, {"late": 30, "14d": 14, "7d": 7, "3d": 3, "1d": 1, "ended": 0}),
    (90, {"late": 22.5, "14d": 14, "7d": 7, "3d": 3, "1d": 1, "ended": 0}),
    (89, {"late": 22.25, "7d": 7, "3d": 3, "1d": 1, "ended": 0}),
    (64, {"late": 16, "7d": 7, "3d": 3, "1d": 1, "ended": 0}),
    (47, {"late": 11.75, "7d": 7, "3d": 3, "1d": 1, "ended": 0}),
    (45, {"late": 11.25, "7d": 7, "3d": 3, "1d": 1, "ended": 0}),
    (28, {"late": 7, "3d": 3, "1d": 1, "ended": 0}),
    (10, {"late": 2.5, "1d": 1, "ended": 0}),
    (9.9, {"late": 2.475, "24h": 1, "12h": 0.5, "ended": 0}),
    (160 / 24, {"late": 40 / 24, "24h": 1, "12h": 0.5, "ended": 0}),
    (3, {"late": 0.75, "12h": 0.5, "ended": 0}),
    (1, {"late": 0.25, "ended": 0}),
]


@pytest.mark.parametrize(("life", "expected"), TABLE)
def test_thresholds_go_by_the_life(life: float, expected: dict[str, float]) -> None:
    found = thresholds(life * DAY)
    assert [one.name for one in found] == list(expected)
    for one in found:
        assert abs(one.left - expected[one.name] * DAY) < timedelta(seconds=1)
    assert list(found) == sorted(found, reverse=True)
    assert {one.name for one in found} <= NAMES


@pytest.mark.parametrize(("life", "expected"), TABLE)
def test_each_is_told_once_on_its_day(life: float, expected: dict[str, float]) -> None:
    """A look each hour until two days after the end."""
    told: list[str] = []
    for hour in range(int(life * 24) + 48):
        left = life * DAY - hour * HOUR
        due = due_threshold(life * DAY, left, told)
        if due is None:
            continue
        assert left < due.left and left + HOUR >= due.left - timedelta(seconds=1)
        told.append(due.name)
    assert told == list(expected)


@pytest.mark.parametrize(
    ("life", "left", "told", "due"),
    [
        (90, 60, [], None),
        (90, 22.5, [], None),
        (90, 22.4, [], "late"),
        (90, 22.4, ["late"], None),
        (90, 13, ["late"], "14d"),
        (90, 2, ["late"], "3d"),  # fedisec slept for a week: one mail, not three
        (90, 2, [], "3d"),
        (90, 2, ["3d"], None),
        (90, 2, ["1d"], None),  # who heard of a smaller one hears of no bigger one
        (90, -1, ["late", "1d"], "ended"),
        (90, -400, ["ended"], None),
        (90, 0, [], "1d"),
        (6.67, 1.5, [], "late"),
        (6.67, 0.4, ["late", "24h"], "12h"),
        (6.67, 0.4, ["something of a later version"], "12h"),
        (6.67, 0.4, ["14d", "7d"], "12h"),  # names of a longer life
    ],
)
def test_what_is_due_depends_on_what_was_told(
    life: float, left: float, told: list[str], due: str | None
) -> None:
    found = due_threshold(life * DAY, left * DAY, told)
    assert (found.name if found else None) == due


def test_one_certificate_on_many_addresses_is_one() -> None:
    first, other = certificate(fingerprint="aa"), certificate(fingerprint="bb")
    served = web(first, Missing(Reason.TIMEOUT), first)
    found = shown(Facts().with_facts(served))
    assert [(one.fingerprint, one.address) for one in found] == [("aa", ADDRESS)]
    found = shown(Facts().with_facts(web(other, first)))
    assert [(one.fingerprint, one.address) for one in found] == [("bb", ADDRESS), ("aa", SECOND)]
    assert (found[0].not_before, found[0].not_after) == (other.not_before, other.not_after)
    assert shown(Facts()) == ()
