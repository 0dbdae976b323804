"""Settings of a closed, orderly instance; a test changes one thing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from checks.errors import Reason
from checks.facts import Missing
from checks.facts.instance import InstanceInfo

NOT_SHOWN = Missing(Reason.NOT_ASKED)
WITHHELD = Missing(Reason.WITHHELD, "HTTP 401")

_GOOD = InstanceInfo(
    registrations_open=False,
    approval_required=False,
    invites_only=NOT_SHOWN,
    captcha=NOT_SHOWN,
    captcha_is_test=NOT_SHOWN,
    email_confirmation=True,
    rules=("Be kind",),
    terms_url=None,
    privacy_url="https://site.test/privacy-policy",
    contact_email="admin@site.test",
    contact_account="admin",
    user_count=12,
    setup_open=NOT_SHOWN,
    terms_default=NOT_SHOWN,
    privacy_default=False,
)


def info(**changed: Any) -> InstanceInfo:
    return replace(_GOOD, **changed)


def opened(**changed: Any) -> InstanceInfo:
    """Sign-up open to everybody."""
    return info(registrations_open=True, **changed)
