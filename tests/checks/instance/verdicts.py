"""One way to run a table of cases for the items of a topic."""

from __future__ import annotations

from checks.evaluate import judge
from checks.facts import Fact, Facts
from checks.items import all_items
from checks.model import Status

Case = tuple[str, tuple[Fact, ...], Status, str]
PASS, WARN, FAIL, UNKNOWN = Status.PASS, Status.WARN, Status.FAIL, Status.UNKNOWN
NA, MANUAL = Status.NOT_APPLICABLE, Status.MANUAL


def names(cases: list[Case]) -> list[str]:
    return [f"{number}-{item}-{code or status}" for number, (item, _, status, code) in enumerate(cases)]


def assert_verdict(case: Case) -> None:
    """The verdict of the item on exactly these facts; what is not given is missing."""
    item, given, status, code = case
    verdict = judge(all_items()[item], Facts().with_facts(*given))
    assert (verdict.status, verdict.code) == (status, code), verdict
    assert verdict.evidence or status not in {PASS, WARN, FAIL}


def assert_all_codes(cases: list[Case], items: set[str]) -> None:
    """Every code that an item declares is reached by a case."""
    used = {(item, code) for item, _, _, code in cases if code}
    declared = {(item, code) for item in items for code in all_items()[item].codes}
    assert declared == {pair for pair in used if pair[0] in items}
