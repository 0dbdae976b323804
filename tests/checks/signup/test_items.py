"""Sign-up: closed, approved, guarded; what the API does not show is unknown, never a fail."""

from __future__ import annotations

import pytest

from checks.items import all_items
from tests.checks.instance.infos import NOT_SHOWN, WITHHELD, info, opened
from tests.checks.instance.verdicts import (
    FAIL,
    MANUAL,
    NA,
    PASS,
    UNKNOWN,
    WARN,
    Case,
    assert_all_codes,
    assert_verdict,
    names,
)

CASES: list[Case] = [
    ("signup.closed", (info(),), PASS, "closed"),
    ("signup.closed", (info(invites_only=True),), PASS, "invites"),
    ("signup.closed", (opened(approval_required=True),), WARN, "approval"),
    ("signup.closed", (opened(),), FAIL, "open"),
    ("signup.closed", (opened(approval_required=WITHHELD),), UNKNOWN, ""),
    ("signup.closed", (info(registrations_open=WITHHELD),), UNKNOWN, ""),
    ("signup.approval", (info(),), NA, "closed"),
    ("signup.approval", (opened(approval_required=True),), PASS, "approved"),
    ("signup.approval", (opened(),), FAIL, "not_approved"),
    ("signup.approval", (opened(approval_required=NOT_SHOWN),), UNKNOWN, ""),
    ("signup.captcha", (info(captcha=False),), NA, "closed"),
    ("signup.captcha", (opened(captcha=True),), PASS, "on"),
    ("signup.captcha", (opened(captcha=True, captcha_is_test=True),), FAIL, "test"),
    ("signup.captcha", (opened(captcha=False, captcha_is_test=False),), FAIL, "off"),
    ("signup.captcha", (opened(captcha=NOT_SHOWN),), MANUAL, "not_shown"),
    ("signup.captcha", (opened(captcha=WITHHELD),), UNKNOWN, ""),
    ("signup.email_verified", (info(email_confirmation=False),), NA, "closed"),
    ("signup.email_verified", (opened(),), PASS, "required"),
    ("signup.email_verified", (opened(email_confirmation=False),), FAIL, "not_required"),
    ("signup.email_verified", (opened(email_confirmation=NOT_SHOWN),), MANUAL, "not_shown"),
    ("signup.email_verified", (opened(email_confirmation=WITHHELD),), UNKNOWN, ""),
    ("signup.rate_limited", (opened(),), UNKNOWN, ""),
    ("signup.email_blocklist_known", (opened(),), UNKNOWN, ""),
]


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_verdicts(case: Case) -> None:
    assert_verdict(case)


def test_every_code_has_a_case() -> None:
    assert_all_codes(CASES, {name for name in all_items() if name.startswith("signup.")})
