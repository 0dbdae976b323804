"""Sign-up: closed, approved, guarded; what the API does not show is unknown, never a fail."""

from __future__ import annotations

import pytest

from checks.facts.inside import Inside
from checks.facts.software import Software
from checks.items import all_items
from checks.model import Settles
from tests.checks.inside.host_cases import report
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

MASTODON = Software("mastodon", "mastodon", "4.7.3", "4.7.3")
GOTOSOCIAL = Software("gotosocial", "gotosocial", "0.22.1", "0.22.1")


def config(family: str, *values: str) -> Inside:
    return report(app_config="\n".join((f"== {family} /opt/app/config", "LOCAL_DOMAIN=a.test", *values)))


SITE, SECRET = "HCAPTCHA_SITE_KEY=set", "HCAPTCHA_SECRET_KEY=set"
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
    # What outside is not shown, the configuration may tell; of the database it tells nothing.
    ("signup.captcha", (opened(captcha=NOT_SHOWN), MASTODON, config("mastodon", SITE, SECRET)), MANUAL, "keys_set"),
    ("signup.captcha", (opened(captcha=NOT_SHOWN), MASTODON, config("mastodon", SITE)), FAIL, "no_keys"),
    ("signup.captcha", (opened(captcha=NOT_SHOWN), MASTODON, config("mastodon", SITE, "HCAPTCHA_SECRET_KEY=empty")), FAIL, "no_keys"),
    ("signup.captcha", (opened(captcha=NOT_SHOWN), MASTODON, report(app_config="denied /home/mastodon")), MANUAL, "not_shown"),
    ("signup.captcha", (opened(captcha=NOT_SHOWN), MASTODON, report()), MANUAL, "not_shown"),
    ("signup.captcha", (opened(captcha=NOT_SHOWN), config("pixelfed", "CAPTCHA_ENABLED=true")), MANUAL, "not_shown"),
    ("signup.captcha", (opened(captcha=True), MASTODON, config("mastodon")), PASS, "on"),
    ("signup.captcha", (info(), MASTODON, config("mastodon")), NA, "closed"),
    ("signup.email_verified", (info(email_confirmation=False),), NA, "closed"),
    ("signup.email_verified", (opened(),), PASS, "required"),
    ("signup.email_verified", (opened(email_confirmation=False),), FAIL, "not_required"),
    ("signup.email_verified", (opened(email_confirmation=NOT_SHOWN),), MANUAL, "not_shown"),
    ("signup.email_verified", (opened(email_confirmation=WITHHELD),), UNKNOWN, ""),
    ("signup.email_verified", (opened(email_confirmation=NOT_SHOWN), GOTOSOCIAL, config("gotosocial", "smtp-host=m.test")), PASS, "by_smtp"),
    ("signup.email_verified", (opened(email_confirmation=NOT_SHOWN), GOTOSOCIAL, config("gotosocial", "smtp-host=")), FAIL, "no_smtp"),
    ("signup.email_verified", (opened(email_confirmation=NOT_SHOWN), GOTOSOCIAL, report(app_config="denied /srv/x")), MANUAL, "not_shown"),
    ("signup.email_verified", (opened(email_confirmation=NOT_SHOWN), config("pixelfed", "ENFORCE_EMAIL_VERIFICATION=true")), MANUAL, "not_shown"),
    ("signup.rate_limited", (opened(),), UNKNOWN, ""),
    ("signup.email_blocklist_known", (opened(),), UNKNOWN, ""),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_verdicts(case: Case) -> None:
    assert_verdict(case)


def test_every_code_has_a_case() -> None:
    seen_outside = {name for name, item in all_items().items() if Settles.OUTSIDE in item.settles}
    assert_all_codes(CASES, {name for name in seen_outside if name.startswith("signup.")})
