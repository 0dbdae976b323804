"""Is the software current?  The tables are the test's own, so that new releases change no verdict here."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from checks.data.tables import Advisory, Branch, Releases
from checks.facts.software import Software
from checks.items.updates import software_current
from checks.model import Status
from tests.checks.http.pages import facts, software
from tests.checks.instance.verdicts import (
    FAIL,
    PASS,
    UNKNOWN,
    WARN,
    Case,
    assert_all_codes,
    assert_verdict,
    names,
)

ITEM = "updates.software_current"


def _flaw(
    name: str, platform: str, *ranges: tuple[str, str], seen: bool = True, severity: str = "high"
) -> Advisory:
    return Advisory(
        platform, name, severity, "2026-09-01", ranges, f"title of {name}", "https://x.test", seen
    )


ADVISORIES = (
    _flaw("A", "mastodon", ("0", "4.5.9"), ("4.6.0", "4.6.3"), severity="critical"),
    _flaw("B", "mastodon", ("4.6.0", "4.6.5"), severity="low"),
    _flaw("C", "mastodon", ("4.7.0", "4.7.2"), seen=False),
    _flaw("D", "misskey", ("12.37.0", "2026.3.1")),
    _flaw("E", "sharkey", ("0", "2025.4.6")),
)
MASTODON = Releases(
    date(2026, 11, 1),
    False,
    (
        Branch("4.7", "4.7.3", date(2026, 8, 20), None),
        Branch("4.6", "4.6.9", date(2026, 6, 17), None),
        Branch("4.5", "4.5.19", date(2025, 11, 6), None),
        Branch("4.4", "4.4.25", date(2025, 7, 8), date(2026, 12, 17)),
        Branch("4.3", "4.3.23", date(2024, 10, 8), date(2026, 5, 6)),
    ),
    "test",
)
MISSKEY = Releases(date(2026, 11, 1), True, (Branch("2026.9", "2026.9.1", date(2026, 9, 1), None),), "test")
PIXELFED = Releases(date(2026, 11, 1), True, (Branch("0.12", "0.12.12", None, None),), "test")


@pytest.fixture(autouse=True)
def _tables(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = {"mastodon": MASTODON, "misskey": MISSKEY, "pixelfed": PIXELFED}
    monkeypatch.setattr(software_current, "advisories", lambda: ADVISORIES)
    monkeypatch.setattr(software_current, "releases", lambda: tables)


def nightly(day: str) -> Software:
    """Seen on 2026-11-21."""
    return software(version=f"4.8.0-nightly.{day}", base_version="4.8.0", prerelease=True)


LATER = datetime(2027, 6, 1, tzinfo=UTC)
CASES: list[Case] = [
    (ITEM, (software(version="4.7.3"),), PASS, "current"),
    (ITEM, (software(version="4.7.10"),), PASS, "current"),
    (ITEM, (software(version="4.8.0"),), PASS, "current"),
    (ITEM, (software("misskey", "2026.9.1"),), PASS, "current"),
    (ITEM, (software("misskey", "2026.11.0"),), PASS, "current"),
    (ITEM, (software("pixelfed", "0.12.12"),), PASS, "current"),
    (ITEM, (software(version="4.6.2"),), FAIL, "vulnerable"),
    (ITEM, (software(version="4.6.10+glitch", base_version="4.6.4", fork="glitch"),), FAIL, "vulnerable"),
    (ITEM, (software("misskey", "2025.4.1"),), FAIL, "vulnerable"),
    (ITEM, (software("misskey", "2025.4.5", name="sharkey", fork="sharkey", base_version=""),), WARN, "maybe_vulnerable"),
    (ITEM, (software("misskey", "2025.4.1-io.13", fork="io", base_version="2025.4.1"),), WARN, "maybe_vulnerable"),
    (ITEM, (software(version="4.7.1"),), WARN, "maybe_vulnerable"),
    (ITEM, (software(version="4.4.25", seen_at=LATER),), FAIL, "vulnerable"),
    (ITEM, (software(version="4.5.10"),), WARN, "newer_patch"),
    (ITEM, (software(version="4.5.19"),), WARN, "newer_branch"),
    (ITEM, (software("misskey", "2026.8.0"),), WARN, "newer_branch"),
    (ITEM, (software("pixelfed", "0.11.9"),), WARN, "newer_branch"),
    (ITEM, (software(version="4.8.0-rc.1", base_version="4.8.0", prerelease=True),), UNKNOWN, "prerelease"),
    (ITEM, (nightly("2026-11-01"),), UNKNOWN, "prerelease"),
    (ITEM, (nightly("2026-10-07"),), UNKNOWN, "prerelease"),
    (ITEM, (nightly("2026-10-06"),), WARN, "old_build"),
    (ITEM, (nightly("2026-13-99"),), UNKNOWN, "prerelease"),
    (ITEM, (nightly("2027-01-01"),), UNKNOWN, "prerelease"),
    (ITEM, (software(version="4.3.23+hometown-1.1.1", base_version="4.3.23", fork="hometown"),), WARN, "fork_branch_ended"),
    (ITEM, (software("misskey", "2025.4.9", name="sharkey", fork="sharkey", base_version=""),), UNKNOWN, "not_comparable"),
    (ITEM, (software("", "2.38", name="snac"),), UNKNOWN, "no_data"),
    (ITEM, (software(version="4.7.3", seen_at=LATER),), UNKNOWN, "stale_data"),
    (ITEM, (), UNKNOWN, ""),
    ("updates.inventory_known", (), UNKNOWN, ""),
    ("updates.stack_supported", (), UNKNOWN, ""),
    ("updates.sources_followed", (), UNKNOWN, ""),
    ("updates.releases_followed", (), UNKNOWN, ""),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_verdicts(case: Case) -> None:
    assert_verdict(case)


def test_an_ended_branch_fails_even_without_a_known_flaw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(software_current, "advisories", tuple)
    assert_verdict((ITEM, (software(version="4.3.23"),), FAIL, "branch_ended"))
    assert_verdict((ITEM, (software(version="4.4.25", seen_at=LATER),), FAIL, "branch_ended"))
    assert_verdict((ITEM, (software(version="4.4.25"),), WARN, "newer_branch"))


def test_the_fix_named_is_the_newest_of_the_same_branch() -> None:
    verdict = software_current.check(facts(software(version="4.6.2")))
    assert verdict.status is Status.FAIL
    assert dict(verdict.data) == {"version": "4.6.2", "count": 2, "severity": "critical", "fixed": "4.6.9"}
    assert "A (critical)" in verdict.evidence[1].text


def test_every_code_has_a_case() -> None:
    ended: Case = (ITEM, (), FAIL, "branch_ended")
    assert_all_codes([*CASES, ended], {ITEM})
