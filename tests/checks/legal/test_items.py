"""Source offer, rules, privacy: what is published, and whether it is the server's own."""

from __future__ import annotations

from typing import Any

import pytest

from checks.facts import Fact
from checks.facts.http import SourceOffer
from checks.items import all_items
from checks.model import Status
from tests.checks.http.pages import software
from tests.checks.instance.infos import NOT_SHOWN, WITHHELD, info
from tests.checks.instance.verdicts import (
    FAIL,
    NA,
    PASS,
    UNKNOWN,
    WARN,
    Case,
    assert_all_codes,
    assert_verdict,
    names,
)


def own(url: str, status: int = 200, **more: Any) -> tuple[Fact, ...]:
    """A server that names a place of its own, and what that answered."""
    return software(source_url=url, **more), SourceOffer(url, status)


FORK = "https://github.com/glitch-soc/mastodon"
UPSTREAM = "https://github.com/mastodon/mastodon"
SHARKEY = "https://activitypub.software/TransFem-org/Sharkey"
GLITCH: dict[str, Any] = {"version": "4.6.5+glitch", "fork": "glitch"}

CASES: list[Case] = [
    ("legal.source_published", (software(source_url=UPSTREAM),), PASS, "upstream"),
    ("legal.source_published", (software(source_url=UPSTREAM + "/tree/v4.7.3"),), PASS, "upstream"),
    ("legal.source_published", (software(source_url="https://GitHub.com/mastodon/mastodon.git"),), PASS, "upstream"),
    ("legal.source_published", own(FORK, **GLITCH), PASS, "own"),
    ("legal.source_published", own(FORK, 301, **GLITCH), PASS, "own"),
    ("legal.source_published", own(FORK, 404, **GLITCH), WARN, "unreachable"),
    ("legal.source_published", own(FORK, 401, **GLITCH), WARN, "unreachable"),
    ("legal.source_published", own(FORK, 503, **GLITCH), UNKNOWN, ""),
    ("legal.source_published", own(FORK, 429, **GLITCH), UNKNOWN, ""),
    ("legal.source_published", (software(source_url=FORK, **GLITCH),), UNKNOWN, ""),
    ("legal.source_published", own("https://git.site.test/us/mastodon"), PASS, "own"),
    ("legal.source_published", (software(source_url=UPSTREAM, **GLITCH),), FAIL, "mismatch"),
    ("legal.source_published", (software(source_url=UPSTREAM + "/", **GLITCH),), FAIL, "mismatch"),
    ("legal.source_published", (software(source_url="https://github.com/tootsuite/mastodon"),), PASS, "upstream"),
    ("legal.source_published", (software(source_url="https://github.com/tootsuite/mastodon", **GLITCH),), FAIL, "mismatch"),
    ("legal.source_published", (software("gotosocial", source_url="https://github.com/superseriousbusiness/gotosocial"),), PASS, "upstream"),
    ("legal.source_published", (software("misskey", name="sharkey", fork="sharkey", source_url="https://github.com/misskey-dev/misskey"),), FAIL, "mismatch"),
    ("legal.source_published", own(SHARKEY, family="misskey", name="sharkey", fork="sharkey"), PASS, "own"),
    ("legal.source_published", (software("pixelfed", version="0.12.6+glitch.1.12.1", fork="glitch", source_url="https://github.com/pixelfed/pixelfed"),), FAIL, "mismatch"),
    ("legal.source_published", (software("lemmy", "0.19.20"),), Status.MANUAL, "no_link"),
    ("legal.source_published", own("https://git.site.test/us/lemmy", family="lemmy"), PASS, "own"),
    ("legal.source_published", (software(),), UNKNOWN, "no_link"),
    ("legal.source_published", (software(family="", name="snac"),), NA, "not_agpl"),
    ("legal.terms_prohibit", (info(),), PASS, "rules"),
    ("legal.terms_prohibit", (info(rules=(), terms_url="https://site.test/tos"),), PASS, "terms"),
    ("legal.terms_prohibit", (info(rules=NOT_SHOWN, terms_url="/static/terms-of-service.html", terms_default=False),), PASS, "terms"),
    ("legal.terms_prohibit", (info(rules=NOT_SHOWN, terms_url="/static/terms-of-service.html", terms_default=True),), WARN, "default"),
    ("legal.terms_prohibit", (info(rules=()),), FAIL, "none"),
    ("legal.terms_prohibit", (info(rules=(), user_count=1),), NA, "single_user"),
    ("legal.terms_prohibit", (info(rules=(), user_count=1, registrations_open=True),), FAIL, "none"),
    ("legal.terms_prohibit", (info(rules=WITHHELD),), UNKNOWN, ""),
    ("legal.terms_prohibit", (info(rules=(), terms_url=NOT_SHOWN),), UNKNOWN, ""),
    ("legal.privacy_policy", (info(),), PASS, "own"),
    ("legal.privacy_policy", (info(privacy_default=True),), WARN, "default"),
    ("legal.privacy_policy", (info(privacy_url=None),), FAIL, "none"),
    ("legal.privacy_policy", (info(privacy_url=NOT_SHOWN),), Status.MANUAL, "not_shown"),
    ("legal.privacy_policy", (info(privacy_url=WITHHELD),), UNKNOWN, ""),
    ("legal.privacy_policy", (info(privacy_default=WITHHELD),), UNKNOWN, ""),
    ("legal.jurisdiction_known", (info(),), Status.MANUAL, ""),
    ("legal.telecom_filing", (info(),), Status.MANUAL, ""),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_verdicts(case: Case) -> None:
    assert_verdict(case)


def test_every_code_has_a_case() -> None:
    assert_all_codes(CASES, {name for name in all_items() if name.startswith("legal.")})
