"""Counts that the app's own database gives: numbers only, never a name."""

from __future__ import annotations

import pytest

from checks.errors import Reason
from checks.model import Status
from tests.checks.inside.host_cases import Case, check_case, judged, uncovered

PASS, FAIL, UNKNOWN, MANUAL = Status.PASS, Status.FAIL, Status.UNKNOWN, Status.MANUAL


def database(staff: int, without: int, blocks: int | None = None) -> dict[str, str]:
    rows = f"== database mastodon_production\nstaff {staff}\nstaff_without_second_factor {without}"
    return {"app_accounts": rows + ("" if blocks is None else f"\nemail_domain_blocks {blocks}")}


DENIED = {"app_accounts": "== database denied"}
ABSENT = {
    "app_accounts": "== database absent\npsql: error: connection to server on socket failed: No such file"
}
CASES = [
    Case("accounts.admin_two_factor", PASS, "all", database(3, 0), "staff 3", data={"staff": 3}),
    Case("accounts.admin_two_factor", FAIL, "some_without", database(3, 1), "without a second factor 1", data={"count": 1}),
    Case("accounts.admin_two_factor", UNKNOWN, "no_staff", database(0, 0)),
    Case("accounts.admin_two_factor", UNKNOWN, "denied", DENIED, reason=Reason.DENIED),
    Case("accounts.admin_two_factor", UNKNOWN, "no_database", ABSENT, reason=Reason.NO_TOOL),
    Case("accounts.admin_two_factor", UNKNOWN, "no_database", {"app_accounts": ""}),
    Case("accounts.admin_two_factor", UNKNOWN, "no_database", {"app_accounts": "== database mastodon\nERROR:  relation"}),
    Case("signup.email_blocklist_known", PASS, "entries", database(3, 0, 12), data={"count": 12}),
    Case("signup.email_blocklist_known", MANUAL, "empty", database(3, 0, 0)),
    Case("signup.email_blocklist_known", UNKNOWN, "denied", DENIED, reason=Reason.DENIED),
    Case("signup.email_blocklist_known", UNKNOWN, "no_database", database(3, 0)),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_verdict(case: Case) -> None:
    check_case(case)


def test_every_code_has_a_case() -> None:
    assert uncovered(CASES, {case.item for case in CASES}) == set()


def test_two_databases_are_counted_together() -> None:
    both = database(3, 1)["app_accounts"] + "\n" + database(2, 1)["app_accounts"]
    verdict = judged(Case("accounts.admin_two_factor", FAIL, "", {"app_accounts": both}))
    assert dict(verdict.data) == {"count": 2, "staff": 5}
