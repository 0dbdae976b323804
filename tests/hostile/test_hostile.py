"""A few of the hostile far sides, in a run of their own; all of them in `make test-security`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.hostile.budgets import BUDGETS
from tests.hostile.model import PROTOCOLS, Allows
from tests.hostile.registry import behaviours
from tests.hostile.run import Run, complaints
from tests.lab.lab import Lab

pytest_plugins = ("tests.lab.fixtures",)


@pytest.mark.lab
@pytest.mark.timeout(240)
def test_a_few_hostile_far_sides_break_no_promise(lab: Lab, tmp_path: Path) -> None:
    # Without fedisec's database, which takes longer than the looks: so no feeds.
    names = [one.name for one in behaviours().values() if one.quick and one.protocol != "xml"]
    brought = Run(lab, tmp_path, store=False).run(names, 2)
    assert set(brought.outcomes) == set(names)
    assert {name: found for name, one in brought.outcomes.items() if (found := complaints(one))} == {}
    assert brought.canary == {}


def test_there_are_two_hundred_of_them_and_every_protocol_has_its_share() -> None:
    count = Counter(behaviour.protocol for behaviour in behaviours().values())
    least = dict(zip(PROTOCOLS, (58, 8, 27, 17, 45, 27, 11, 20, 9), strict=True))
    assert {protocol: n for protocol, n in least.items() if count[protocol] < n} == {}
    assert sum(count.values()) >= 200


def test_every_budget_names_behaviours_that_there_are() -> None:
    assert {name for budget in BUDGETS.values() for name in budget.behaviours} - behaviours().keys() == set()
    assert all(budget.behaviours for budget in BUDGETS.values())


@pytest.mark.parametrize(
    ("allows", "state", "sound", "wrong"),
    [
        (Allows(), "pass", "pass", False),
        (Allows(), "unknown", "pass", False),
        (Allows(), "fail", "pass", True),
        (Allows(), "error", "error", True),
        (Allows(("a.*",)), "pass", "pass", True),
        (Allows(("a.*",)), "manual", "pass", False),
        (Allows(("a.*",)), "not_applicable", "not_applicable", False),
        (Allows(("a.*",), {"a.b": "fail"}), "fail", "pass", False),
        (Allows(("a.*",), {"a.b": "fail"}), "unknown", "pass", True),
        (Allows((), {"a.b": "fail", "a.*": "pass"}), "pass", "pass", True),
        (Allows(), "kept", None, True),
    ],
)
def test_what_an_item_may_say(allows: Allows, state: str, sound: str | None, wrong: bool) -> None:
    assert allows.wrong("a.b", state, sound) is wrong
