"""The application's own defences: headers, limits of sign-up, spam."""

from __future__ import annotations

import pytest

from checks.errors import Reason
from checks.evaluate import judge
from checks.facts import Facts, Missing
from checks.facts.inside import Inside
from checks.facts.software import Software
from checks.model import Status
from tests.checks.http.pages import front
from tests.checks.inside.host_cases import Case, check_case, item_named, report, uncovered
from tests.checks.instance.infos import info, opened

PASS, WARN, FAIL, UNKNOWN, NOT_APPLICABLE, MANUAL = (
    Status.PASS, Status.WARN, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE, Status.MANUAL,
)  # fmt: skip
DENIED = {"app_config": "denied /home/mastodon"}
EMPTY = {"app_config": ""}
DATABASE = "configurable_from_database=true"


def config(family: str, *values: str, **more: str) -> dict[str, str]:
    return {"app_config": "\n".join((f"== {family} /opt/app/config", "LOCAL_DOMAIN=a.test", *values)), **more}


LIMITED = "signup.rate_limited"
LIMITS = [
    Case(LIMITED, PASS, "built_in", config("mastodon"), facts=(opened(),)),
    Case(LIMITED, PASS, "built_in", config("mastodon"), data={"software": "Mastodon"}),
    Case(LIMITED, NOT_APPLICABLE, "closed", config("mastodon"), facts=(info(),)),
    Case(LIMITED, PASS, "built_in", config("gotosocial"), "not set, so as shipped", facts=(opened(),)),
    Case(LIMITED, PASS, "built_in", config("gotosocial", "accounts-registration-daily-limit=10"), "10"),
    Case(LIMITED, FAIL, "removed", config("gotosocial", "accounts-registration-daily-limit=0"), "limit=0"),
    Case(LIMITED, FAIL, "removed", config("gotosocial", "accounts-registration-daily-limit=-1")),
    Case(LIMITED, PASS, "built_in", config("akkoma", ":rate_limit.app_account_creation={1_800_000, 5}")),
    Case(LIMITED, FAIL, "removed", config("akkoma", ":rate_limit.app_account_creation=nil")),
    Case(LIMITED, UNKNOWN, "in_database", config("pleroma", DATABASE)),
    Case(LIMITED, MANUAL, "not_known", config("friendica"), data={"software": "friendica"}),
    Case(
        LIMITED,
        MANUAL,
        "by_proxy",
        config("gotosocial", "accounts-registration-daily-limit=0", proxy="limit_req zone=signup burst=5;"),
        "limit_req zone=signup burst=5",
    ),
    Case(LIMITED, MANUAL, "by_proxy", config("friendica", proxy="limit_req zone=signup;")),
    Case(LIMITED, PASS, "built_in", config("mastodon", proxy="limit_req zone=signup;")),
    Case(LIMITED, UNKNOWN, "denied", DENIED, reason=Reason.DENIED),
    Case(LIMITED, UNKNOWN, "no_file", EMPTY),
]

SPAM = "app.spam_protection"
SWITCH = "DISABLE_AUTOMATIC_SWITCHING_TO_APPROVED_REGISTRATIONS"
COUNTS = "== database mastodon_production\nstaff 2\nstaff_without_second_factor 1\nemail_domain_blocks 14"
SPAM_CASES = [
    Case(SPAM, MANUAL, "blocks", config("mastodon", app_accounts=COUNTS), data={"count": "14"}),
    Case(SPAM, MANUAL, "no_blocks", config("mastodon", app_accounts=COUNTS.replace("14", "0"))),
    Case(SPAM, WARN, "switch_disabled", config("mastodon", f"{SWITCH}=true", app_accounts=COUNTS), SWITCH),
    Case(SPAM, MANUAL, "blocks", config("mastodon", f"{SWITCH}=false", app_accounts=COUNTS)),
    Case(
        SPAM,
        MANUAL,
        "filters",
        config("akkoma", ":mrf.policies=set", app_accounts="== database absent"),
        ":mrf.policies: set",
    ),
    Case(
        SPAM,
        MANUAL,
        "no_filters",
        config("pleroma", ":mrf.policies=empty", app_accounts="== database denied"),
    ),
    Case(
        SPAM,
        UNKNOWN,
        "not_counted",
        config("pleroma", ":mrf.policies=set", DATABASE, app_accounts="== database denied"),
    ),
    Case(
        SPAM,
        UNKNOWN,
        "not_counted",
        config("mastodon", app_accounts="== database denied"),
        reason=Reason.DENIED,
    ),
    Case(
        SPAM,
        UNKNOWN,
        "not_counted",
        config("mastodon", app_accounts="== database absent"),
        reason=Reason.NO_TOOL,
    ),
    Case(
        SPAM,
        UNKNOWN,
        "not_counted",
        config("mastodon", app_accounts="== database m\nemail_domain_blocks many"),
    ),
]

HTTP = "app.http_security"
ON, STS = ":http_security.enabled=true", ":http_security.sts=true"
AKKOMA = Software("akkoma", "akkoma", "3.21.0", "3.21.0")
MASTODON = Software("mastodon", "mastodon", "4.7.3", "4.7.3")
BARE = front(strict_transport_security=None)
HTTP_CASES = [
    Case(HTTP, PASS, "on", config("akkoma", ON, STS), ":http_security.sts=true", data={"policy": "same-origin"}),
    # Enabled is how it ships, sts is not; nginx may send that header in its place.
    Case(HTTP, PASS, "on", config("akkoma", STS)),
    Case(HTTP, PASS, "by_proxy", config("akkoma", ON), "outside: GET", facts=(front(),)),
    Case(HTTP, PASS, "by_proxy", config("akkoma", ":http_security.enabled=false"), facts=(front(x_frame_options=None),)),
    Case(HTTP, PASS, "on", config("akkoma", ON), facts=(front(x_content_type_options=None),)),
    Case(HTTP, WARN, "no_sts", config("pleroma", ON), facts=(BARE,)),
    Case(HTTP, WARN, "loose_referrer", config("akkoma", STS, ":http_security.referrer_policy=unsafe-url")),
    Case(HTTP, WARN, "loose_referrer", config("akkoma", ON, ":http_security.referrer_policy=unsafe-url"), facts=(front(x_content_type_options=None),)),
    Case(HTTP, FAIL, "off", config("akkoma", ":http_security.enabled=false"), data={"missing": "strict-transport-security"}, facts=(BARE,)),
    Case(HTTP, UNKNOWN, "in_database", config("akkoma", ON, STS, DATABASE), facts=(BARE,)),
    Case(HTTP, PASS, "by_proxy", config("akkoma", DATABASE), facts=(front(),)),
    Case(HTTP, NOT_APPLICABLE, "other_software", config("akkoma", ON), facts=(MASTODON,)),
    Case(HTTP, NOT_APPLICABLE, "other_software", config("mastodon")),
    Case(HTTP, UNKNOWN, "denied", {"app_config": "== akkoma /etc/akkoma/config.exs denied"}, facts=(AKKOMA,), reason=Reason.DENIED),
    Case(HTTP, UNKNOWN, "no_file", EMPTY, facts=(AKKOMA,)),
]  # fmt: skip

CASES = [*LIMITS, *SPAM_CASES, *HTTP_CASES]
ITEMS = {case.item for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_verdict(case: Case) -> None:
    check_case(case)


def test_every_code_has_a_case() -> None:
    assert uncovered(CASES, ITEMS) == set()


@pytest.mark.parametrize("item_id", sorted(ITEMS))
def test_nothing_is_said_of_a_server_that_is_not_connected(item_id: str) -> None:
    facts = Facts(missing={Inside: Missing(Reason.NOT_CONNECTED)}).with_facts(opened(), front())
    verdict = judge(item_named(item_id), facts)
    assert (verdict.status, verdict.reason) == (UNKNOWN, Reason.NOT_CONNECTED)


@pytest.mark.parametrize("item_id", sorted(ITEMS))
def test_silence_is_no_verdict(item_id: str) -> None:
    facts = Facts().with_facts(report(app_config="", app_accounts=""), opened(), front())
    assert judge(item_named(item_id), facts).status is UNKNOWN


def test_the_file_alone_does_not_say_what_arrives() -> None:
    """Switched off in the file, and no page was seen."""
    verdict = judge(
        item_named(HTTP), Facts().with_facts(report(**config("akkoma", ":http_security.enabled=false")))
    )
    assert (verdict.status, verdict.code) == (UNKNOWN, "")
