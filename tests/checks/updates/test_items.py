"""Is the software current?  The tables are the test's own, so that new releases change no verdict here."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from checks.data.tables import Branch, Releases
from checks.facts.advisories import AdvisoriesKnown, Advisory, Affected, Offer, Published, Rating
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
    name: str,
    platform: str,
    *ranges: tuple[str, str],
    seen: bool = True,
    word: str = "high",
    by: str = "GitHub",
) -> Advisory:
    spans = tuple(Affected(*span) for span in ranges)
    ratings = (Rating(by, word),) if word else ()
    return Advisory(
        platform, name, f"title of {name}", spans, seen, url="https://x.test/" + name, ratings=ratings
    )


ADVISORIES = (
    _flaw("A", "mastodon", ("0", "4.5.9"), ("4.6.0", "4.6.3"), word="critical"),
    _flaw("B", "mastodon", ("4.6.0", "4.6.5"), word="low"),
    _flaw("C", "mastodon", ("4.7.0", "4.7.2"), seen=False),
    _flaw("D", "misskey", ("12.37.0", "2026.3.1")),
    _flaw("E", "sharkey", ("0", "2025.4.6")),
    _flaw("F", "pixelfed", ("0", "0.10.0"), word=""),
    _flaw("G", "lemmy", ("0", "")),
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
AUTUMN = datetime(2026, 11, 21, tzinfo=UTC)


def known(*advisories: Advisory, **fields: Any) -> AdvisoriesKnown:
    return AdvisoriesKnown(datetime(2026, 11, 20, tzinfo=UTC), advisories, **fields)


def fetched(name: str, *ranges: tuple[str, str], **fields: Any) -> Advisory:
    """As the project's own page says it."""
    spans = tuple(Affected(*span) for span in ranges)
    return Advisory(
        "mastodon", name, "title", spans, **{"seen": True, "by": "GitHub", "by_makers": True, **fields}
    )


URGENT = Offer("4.5.20", urgent=True, kind="patch", url="https://x.test/notes")
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
    (ITEM, (software("misskey", "2025.4.5", name="sharkey", fork="sharkey", base_version=""),), FAIL, "vulnerable"),
    (ITEM, (software("misskey", "2025.4.1-io.13", fork="io", base_version="2025.4.1"),), WARN, "maybe_vulnerable"),
    (ITEM, (software(version="4.7.1"),), WARN, "maybe_vulnerable"),
    (ITEM, (software(version="4.4.25", seen_at=LATER),), FAIL, "vulnerable"),
    (ITEM, (software("pixelfed", "0.9.9"),), FAIL, "vulnerable_unrated"),
    (ITEM, (software("lemmy", "0.19.20"),), FAIL, "vulnerable_unfixed"),
    (ITEM, (software(version="4.7.3"), known(fetched("N", ("4.7.0", "4.7.4")))), FAIL, "vulnerable_unrated"),
    (ITEM, (software(version="4.7.1"), known(fetched("C", ("4.7.0", "4.7.2")))), FAIL, "vulnerable"),
    (ITEM, (software(version="4.6.4"), known(fetched("X", withdrawn=True, aliases=("B",)))), WARN, "newer_patch"),
    (ITEM, (software(version="4.5.19"), known(offers=(URGENT,))), FAIL, "urgent_update"),
    (ITEM, (software(version="4.5.20"), known(offers=(URGENT,))), WARN, "newer_branch"),
    (ITEM, (software(version="4.5.19+hometown-1", base_version="4.5.19", fork="hometown"), known(offers=(URGENT,))),
     WARN, "newer_branch"),
    (ITEM, (software(version="4.5.10"),), WARN, "newer_patch"),
    (ITEM, (software(version="4.7.3", seen_at=AUTUMN), known(releases=(Published("4.7.4", AUTUMN),))), WARN, "newer_patch"),
    (ITEM, (software(version="4.7.3", seen_at=AUTUMN), known(releases=(Published("4.7.4", datetime(2026, 10, 1, tzinfo=UTC)),))),
     WARN, "behind_patch"),
    (ITEM, (software(version="4.7.3", seen_at=AUTUMN), known(releases=(Published("nightly", AUTUMN),))), PASS, "current"),
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
    assert_verdict((ITEM, (software(version="4.4.25"),), WARN, "branch_ending"))


def test_the_fix_named_is_the_newest_of_the_same_branch() -> None:
    verdict = software_current.check(facts(software(version="4.6.2")))
    assert verdict.status is Status.FAIL
    assert dict(verdict.data) == {
        "version": "4.6.2", "count": 2, "severity": "critical", "by": "GitHub", "fixed": "4.6.9",
    }  # fmt: skip
    assert verdict.evidence[0].text.splitlines() == [
        "A (critical, as given by GitHub): title of A < 4.6.3 https://x.test/A",
        "B (low, as given by GitHub): title of B < 4.6.5 https://x.test/B",
    ]


def test_news_that_say_the_same_of_a_flaw_count_it_once_and_rate_it_by_their_vector() -> None:
    vector = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:N/SC:N/SI:N/SA:N"
    news = known(
        fetched("GHSA-1", ("4.6.0", "4.6.3"), aliases=("A",), ratings=(Rating("NVD", vector=vector),))
    )
    verdict = software_current.check(facts(software(version="4.6.2"), news))
    assert (verdict.data["count"], verdict.data["severity"], verdict.data["by"]) == (2, "critical", "NVD")
    assert verdict.evidence[0].text.startswith(
        "GHSA-1 (critical, CVSS 4.0 9.3 by the vector of NVD): title <"
    )


def test_the_day_up_to_which_flaws_are_known_is_that_of_the_news() -> None:
    verdict = software_current.check(facts(software(version="4.7.3"), known()))
    assert verdict.data["as_of"] == "2026-11-21", "the shipped table is newer than the last answer"
    later = AdvisoriesKnown(datetime(2026, 12, 24, 8, tzinfo=UTC))
    assert software_current.check(facts(software(version="4.7.3"), later)).data["as_of"] == "2026-12-24"


def test_who_leaves_an_ended_branch_is_sent_to_a_supported_one(monkeypatch: pytest.MonkeyPatch) -> None:
    old = _flaw("A", "mastodon", ("0", "4.4.20"))
    maybe = _flaw("B", "mastodon", ("0", "4.4.26"), ("4.5.0", "4.5.19"), seen=False)
    monkeypatch.setattr(software_current, "advisories", lambda: (old,))

    def sent_to(**fields: Any) -> str:
        verdict = software_current.check(facts(software(version="4.3.20", **fields)))
        return f"{verdict.code} {verdict.data['fixed']}"

    assert sent_to() == "vulnerable 4.4.25"
    assert sent_to(seen_at=LATER) == "vulnerable 4.5.19", "by then 4.4 has ended"
    monkeypatch.setattr(software_current, "advisories", lambda: (old, maybe))
    assert sent_to() == "vulnerable 4.5.19", "no doubt hangs over that one"


def test_every_code_has_a_case() -> None:
    others: list[Case] = [(ITEM, (), FAIL, "branch_ended"), (ITEM, (), WARN, "branch_ending")]
    assert_all_codes([*CASES, *others], {ITEM})
