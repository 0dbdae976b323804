"""Settings of the real processes under test: fake looks, and times short enough to wait for."""

from __future__ import annotations

import os

from fedisec.settings import *  # noqa: F403
from fedisec.settings import INSTALLED_APPS
from tests.fakes import register

register()
INSTALLED_APPS += ["tests.running.quick.Quick"]
GATHER = "tests.running.looks.gather"
SELF_FACTS = ("tests.running.looks.no_self_facts",)  # type: ignore[assignment]  # one giver, not two
if "FEDISEC_ANCHORS" not in os.environ:
    ANCHORS = None  # there is no network, and the tests know it
FEEDS = False
CRASH_AT = os.environ.get("FEDISEC_CRASH_AT", "")  # fedisec/lib/crash.py
SCAN_ATTEMPTS = int(os.environ.get("TEST_ATTEMPTS", "3"))
SCAN_RETRY_PAUSES_S = (0, 0)
EMAIL_TIMEOUT = int(os.environ.get("TEST_MAIL_TIMEOUT", "60"))
MAIL_LEASE_S = int(os.environ.get("TEST_MAIL_LEASE", "4"))
MAIL_GROUP_S = int(os.environ.get("FEDISEC_MAIL_GROUP", "0"))
KEYS_SETTLE_S = 0
JOB_SOFT_LIMIT_S, JOB_HARD_LIMIT_S = 20, 25
if "TEST_LIMITS" in os.environ:
    JOB_SOFT_LIMIT_S, JOB_HARD_LIMIT_S = (int(part) for part in os.environ["TEST_LIMITS"].split(","))
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
