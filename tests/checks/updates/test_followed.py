"""Does fedisec read the news?  Off is a fail, old is a warning, and what was never read is not known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from checks import codec
from checks.errors import Reason
from checks.facts import Facts
from checks.facts.fedisec import Feed, FeedsWatch
from checks.items.updates import releases_followed, sources_followed
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

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SOURCES, RELEASES = "updates.sources_followed", "updates.releases_followed"


def _feed(
    title: str,
    ok_days: float | None = 0.1,
    failing_days: float | None = None,
    *,
    about: str = "",
    on: bool = True,
) -> Feed:
    """`ok_days`: since the last good answer; `failing_days`: since the first failure after it."""
    ok = None if ok_days is None else NOW - timedelta(days=ok_days)
    failing = None if failing_days is None else NOW - timedelta(days=failing_days)
    return Feed(title, about, on, ok, failing, "http_503" if failing else "", "HTTP 503" if failing else "")


def _watch(
    *feeds: Feed, on: bool = True, reading: bool = True, name: str = "mastodon", family: str = "mastodon"
) -> FeedsWatch:
    """The same feeds for both items: those with a software in `about` are of releases."""
    releases = tuple(feed for feed in feeds if feed.about)
    sources = tuple(feed for feed in feeds if not feed.about)
    return FeedsWatch(NOW, reading, on, on, sources, releases, name, family)


def _m(**given: float | bool | None) -> Feed:
    return _feed("Mastodon", about="mastodon", **given)  # type: ignore[arg-type]  # a table's shorthand


JVN, CERT = _feed("JVN"), _feed("JPCERT/CC")
CASES: list[Case] = [
    (SOURCES, (_watch(JVN, CERT),), PASS, "read"),
    (SOURCES, (_watch(JVN, _feed("B", 2.9, 2.8)),), PASS, "read"),
    (SOURCES, (_watch(JVN, _feed("B", 3.1, 3)),), WARN, "stale"),
    (SOURCES, (_watch(_feed("A", 9, 9), _feed("B", 9, 9)),), WARN, "stale"),
    (SOURCES, (_watch(JVN, _feed("B", None, 4)),), WARN, "stale"),  # others answer, so the fault is its own
    (SOURCES, (_watch(_feed("A", None, 4), _feed("B", None, 4)),), UNKNOWN, "silent"),  # it may be ours
    (SOURCES, (_watch(JVN, _feed("B", None, 1)),), UNKNOWN, "silent"),
    (SOURCES, (_watch(JVN, _feed("B", None)),), UNKNOWN, "not_yet"),
    (SOURCES, (_watch(JVN, _feed("B", 99, 99, on=False)),), PASS, "read"),
    (SOURCES, (_watch(_feed("A", on=False)),), FAIL, "all_off"),
    (SOURCES, (_watch(),), FAIL, "all_off"),
    (SOURCES, (_watch(JVN, on=False),), FAIL, "off"),
    (SOURCES, (_watch(JVN, reading=False),), UNKNOWN, "offline"),
    (SOURCES, (_watch(JVN, on=False, reading=False),), FAIL, "off"),
    (SOURCES, (), UNKNOWN, ""),
    (RELEASES, (_watch(_m()),), PASS, "read"),
    (RELEASES, (_watch(_m(ok_days=3.1, failing_days=3)),), WARN, "stale"),
    (RELEASES, (_watch(_m(ok_days=None, failing_days=4), JVN),), UNKNOWN, "silent"),
    (RELEASES, (_watch(_m(ok_days=None)),), UNKNOWN, "not_yet"),
    (RELEASES, (_watch(_m(ok_days=None), _m()),), PASS, "read"),  # an own feed of the same software
    (RELEASES, (_watch(_m(on=False)),), FAIL, "feed_off"),
    (RELEASES, (_watch(_m(), on=False),), FAIL, "off"),
    (RELEASES, (_watch(_m(), reading=False),), UNKNOWN, "offline"),
    (RELEASES, (_watch(_m(), name="", family=""),), UNKNOWN, "no_software"),
    (RELEASES, (_watch(_m(), name="hometown"),), UNKNOWN, "no_feed"),  # its numbers are its own
    (RELEASES, (_watch(_m(), name="snac", family=""),), UNKNOWN, "no_feed"),
    (RELEASES, (_watch(_m(), name="hometown"), software(version="4.7.3+glitch", fork="glitch")), PASS, "read"),
    (RELEASES, (_watch(_m()), software("misskey", "2026.9.1", name="misskey")), UNKNOWN, "no_feed"),
    (RELEASES, (), UNKNOWN, ""),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_verdicts(case: Case) -> None:
    assert_verdict(case)


def test_every_code_has_a_case() -> None:
    assert_all_codes(CASES, {SOURCES, RELEASES})


def test_the_reader_sees_when_each_feed_was_read_and_what_is_wrong() -> None:
    verdict = sources_followed.check(facts(_watch(JVN, _feed("Ubuntu", 5, 4))))
    assert verdict.data == {"feeds": "Ubuntu"}
    assert verdict.evidence[0].text == (
        "JVN: last good answer 2026-11-21 09:36 UTC\nUbuntu: last good answer 2026-11-16 12:00 UTC; HTTP 503"
    )


@pytest.mark.parametrize(
    ("reason", "shown"),
    [("timeout", Reason.TIMEOUT), ("http_404", Reason.WITHHELD), ("held", Reason.WITHHELD)],
)
def test_why_a_feed_was_never_read_is_a_reason_of_the_closed_set(reason: str, shown: Reason) -> None:
    feed = Feed("Mastodon", "mastodon", True, None, NOW, reason)
    assert releases_followed.check(facts(_watch(feed))).reason is shown


def test_the_fact_outlasts_a_file() -> None:
    kept = Facts().with_facts(_watch(JVN, _m()))
    assert codec.decode_facts(codec.encode_facts(kept)) == kept
