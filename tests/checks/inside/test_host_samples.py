"""Whole reports of a real Debian 12 with planted faults, as root and as a plain user: what each may say."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from checks.evaluate import judge
from checks.facts import Facts
from checks.model import Status
from checks.parse.collector import parse_report
from tests.checks.inside.host_cases import item_named

SAMPLES = Path(__file__).parent / "samples"
NOW = datetime(2026, 11, 21, 15, tzinfo=UTC)
# item: verdict for root, verdict for a plain user
EXPECTED = {
    "host.os_supported": ("pass long_term", "pass long_term"),
    "host.auto_updates": ("pass ran", "pass ran"),
    "host.security_updates_applied": ("warn pending", "warn pending"),
    "host.no_reboot_pending": ("not_applicable container", "not_applicable container"),
    "host.mandatory_access_control": ("not_applicable container", "not_applicable container"),
    "host.endpoint_detection": ("fail down", "fail down"),
    "host.time_synchronised": ("not_applicable container", "not_applicable container"),
    "host.disk_space": ("pass room", "pass room"),
    "host.admin_logins_clean": ("pass clean", "unknown shadow_denied"),
    "data.redis_password": ("fail open", "fail open"),
    "data.postgres_password": ("pass password", "manual probed"),
    "data.database_backup": ("fail tiny", "fail job_failed"),
    "data.backup_offsite": ("manual not_seen", "unknown hidden"),
    "accounts.admin_two_factor": ("fail some_without", "unknown denied"),
    "signup.email_blocklist_known": ("manual empty", "unknown denied"),
    "tls.renewal_automated": ("pass waits", "pass waits"),
    "tls.origin_strong": ("unknown ", "unknown "),
    "updates.inventory_known": ("pass known", "unknown images_hidden"),
    "updates.stack_supported": ("pass supported", "unknown images_hidden"),
    "updates.software_current": ("unknown ", "unknown "),
}


def sample(name: str) -> Facts:
    return Facts().with_facts(parse_report((SAMPLES / f"bookworm_{name}.txt").read_bytes(), NOW))


@pytest.mark.parametrize("item_id", sorted(EXPECTED))
@pytest.mark.parametrize("who", ["root", "user"])
def test_verdict(item_id: str, who: str) -> None:
    verdict = judge(item_named(item_id), sample(who))
    assert f"{verdict.status.value} {verdict.code}" == EXPECTED[item_id][who == "user"]


@pytest.mark.parametrize("item_id", sorted(EXPECTED))
def test_a_plain_user_is_never_told_better_news(item_id: str) -> None:
    """What root sees to be bad, a plain user does not see to be good."""
    root, user = (judge(item_named(item_id), sample(who)).status for who in ("root", "user"))
    assert not (root in {Status.FAIL, Status.WARN} and user is Status.PASS)


@pytest.mark.parametrize("item_id", sorted(EXPECTED))
def test_each_section_may_be_missing(item_id: str) -> None:
    """Without any one of its sections an item is never an error, and passes only what it still saw."""
    facts = sample("root")
    report = next(iter(facts.found.values()))
    for gone in report.sections:  # type: ignore[attr-defined]
        less = type(report)(1, 0, NOW, tuple(s for s in report.sections if s is not gone))  # type: ignore[attr-defined,call-arg]
        assert judge(item_named(item_id), Facts().with_facts(less)).status is not Status.ERROR, gone.name
