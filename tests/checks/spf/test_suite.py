"""The 203 tests of the RFC 7208 suite, by the evaluator."""

from __future__ import annotations

import asyncio

import pytest

from checks.parse.spf_eval import Mail, check_host
from tests.checks.spf.suite import Case, load, needed

CASES = load()


@needed
def test_the_suite_is_whole() -> None:
    assert len(CASES) == 203
    assert sum(case.explanation is not None for case in CASES) == 22


@needed
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.key)
def test_a_mail_is_judged_as_the_rfc_says(case: Case) -> None:
    checked = asyncio.run(check_host(Mail(case.address, case.helo, case.sender), case.zone.ask))
    assert checked.result in case.results, checked.cause
    if case.explanation is not None:
        assert checked.explanation == case.explanation.replace("DEFAULT", "")
