"""Releases: what an entry names, what is newer, whom it concerns; and what of a feed is not believed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fedisec.watch.doubts import Doubt, Known, doubt
from fedisec.watch.parsing import FeedEntry, parse_feed
from fedisec.watch.versions import concerns, release_of, speaks_of_security
from tests.watch import feeds

NOW = feeds.NOW


def _entries(text: str) -> tuple[FeedEntry, ...]:
    return parse_feed(text.encode(), "https://feeds.example/")


@pytest.mark.parametrize(
    ("software", "tag", "version", "prerelease"),
    [
        ("mastodon", "v4.7.3", "4.7.3", False),
        ("mastodon", "v4.8.0-beta.1", "4.8.0", True),
        ("mastodon", "v4.8.0-rc.2", "4.8.0", True),
        ("misskey", "2026.9.1", "2026.9.1", False),
        ("misskey", "2026.9.2-beta.0", "2026.9.2", True),
        ("sharkey", "2025.4.4", "2025.4.4", False),
        ("sharkey", "2025.5.1-dev", "2025.5.1", True),
        ("akkoma", "v3.21.0", "3.21.0", False),
        ("pleroma", "v2.10.2", "2.10.2", False),
        ("pixelfed", "v0.12.12", "0.12.12", False),
        ("gotosocial", "v0.22.1", "0.22.1", False),
        ("gotosocial", "v0.23.0-rc1", "0.23.0", True),
        ("friendica", "2026.05", "2026.05", False),
        ("lemmy", "0.19.20", "0.19.20", False),
        ("lemmy", "1.0.0-beta.1", "1.0.0", True),
        ("peertube", "v8.1.6", "8.1.6", False),
        ("mastodon", "nightly", "", True),
    ],
)
def test_the_tag_names_the_version(software: str, tag: str, version: str, prerelease: bool) -> None:
    (entry,) = _entries(feeds.github("a/b", tag))
    assert release_of(entry, software) == (version, prerelease)


@pytest.mark.parametrize(
    ("tag", "title", "prerelease"),
    [
        ("v4.8.0", "v4.8.0 (pre-release)", True), ("v4.8.0", "Release candidate for 4.8.0", True),
        ("v4.8.0", "4.8.0 Preview", True), ("v4.8.0", "Nightly of today", True), ("v4.8.0", "4.8.0 ベータ版", True),
        ("v4.8.0rc1", "Autumn", True), ("v4.8.0.beta2", "Autumn", True), ("v4.8.0", "v4.8.0-RC2", True),
        ("v4.8.0", "v4.8.0", False), ("v4.8.0", "Alphabet and march", False), ("v4.8.0", "Previews of links", False),
    ],
)  # fmt: skip
def test_a_pre_release_is_known_by_any_of_its_names(tag: str, title: str, prerelease: bool) -> None:
    """GitHub's feed has no field for it."""
    url = f"https://github.com/mastodon/mastodon/releases/tag/{tag}"
    assert release_of(FeedEntry("1", title, url, "", None), "mastodon") == ("4.8.0", prerelease)


def test_without_a_tag_the_title_names_it() -> None:
    (entry,) = _entries(feeds.rss2("PeerTube v8.1.6 is out"))
    assert release_of(entry, "peertube") == ("8.1.6", True), "what hangs on it may be anything"
    (entry,) = _entries(feeds.rss2("Release v8.1.6"))
    assert release_of(entry, "peertube") == ("8.1.6", False)


@pytest.mark.parametrize(
    ("release", "newest", "family", "runs", "told"),
    [
        ("4.7.3", "4.7.3", "mastodon", "4.7.2", True),
        ("4.7.3", "4.7.3", "mastodon", "4.7.3", False),
        ("4.7.3", "4.7.3", "mastodon", "4.5.4", True),  # the newest of all
        ("4.6.9", "4.7.3", "mastodon", "4.6.8", True),  # of its branch
        ("4.6.9", "4.7.3", "mastodon", "4.5.4", False),  # of another branch, and not the newest
        ("4.6.9", "4.7.3", "mastodon", "4.7.2", False),
        ("4.10.0", "4.10.0", "mastodon", "4.9.9", True),  # by number, not by letter
        ("4.7.3", "4.7.3", "mastodon", "4.7.2+glitch", True),
        ("4.7.0", "4.7.0", "mastodon", "4.7.0-rc.1", True),
        ("4.7.0", "4.7.0", "mastodon", "4.7.0-nightly.2026-08-01", False),
        ("2026.10.0", "2026.10.0", "misskey", "2026.9.1", True),
        ("2026.9.1", "2026.9.1", "misskey", "2026.9.1-io.3", False),
        ("3.21.0", "3.21.0", "akkoma", "3.20.0-12-gabcdef0", True),
        ("3.21.0", "3.21.0", "akkoma", "develop", False),
        ("3.21.0", "3.21.0", "akkoma", "", False),
    ],
)
def test_whom_a_release_concerns(release: str, newest: str, family: str, runs: str, told: bool) -> None:
    assert concerns(release, newest, family, runs) is told


@pytest.mark.parametrize(
    ("notes", "urgent"),
    [("Two security fixes", True), ("セキュリティに関する修正", True), ("See CVE-2026-12345", True),
     ("GHSA-aaaa-bbbb-cccc", True), ("New colours", False), ("insecurity is human", False)],
)  # fmt: skip
def test_notes_that_speak_of_security_are_marked(notes: str, urgent: bool) -> None:
    assert speaks_of_security(_entries(feeds.github("a/b", "v1.0.0", notes=notes))[0]) is urgent


KNOWN = Known(10, "4.7.2", NOW - timedelta(days=5))
AGO = NOW - timedelta(days=60)


@pytest.mark.parametrize(
    ("feed", "why"),
    [
        (feeds.github("a/b", "v4.7.3", "v4.6.9"), None),
        (feeds.github("a/b", "v5.0.0"), None),
        (feeds.github("a/b", "v5.0.0-beta.1", "v4.7.2"), None),
        (feeds.github("a/b", "v4.6.10", newest=NOW), None),  # an older branch, but today: no step back
        (feeds.github("a/b"), Doubt.EMPTY),
        (feeds.github("a/b", "v6.0.0"), Doubt.LEAP),
        (feeds.github("a/b", "v99.0.0-rc.1", "v4.7.3"), Doubt.LEAP),
        (feeds.github("a/b", "v4.5.0", newest=AGO), Doubt.BACKWARD),
        (feeds.github("a/b", "v4.7.3", newest=NOW + timedelta(days=30)), Doubt.FUTURE),
        (feeds.github("a/b", "hello", "world"), Doubt.NO_RELEASES),
    ],
)
def test_a_release_feed_that_cannot_be_true_is_doubted(feed: str, why: Doubt | None) -> None:
    found = doubt(_entries(feed), KNOWN, NOW, software="mastodon")
    assert (found[0] if found else None) is why


@pytest.mark.parametrize(
    ("feed", "why"),
    [
        (feeds.jpcert("A", "B"), None),
        (feeds.jpcert(), Doubt.EMPTY),
        (feeds.jpcert("A", newest=AGO), Doubt.BACKWARD),
        (feeds.jpcert("A", newest=NOW + timedelta(days=30)), Doubt.FUTURE),
    ],
)
def test_a_feed_of_warnings_that_cannot_be_true_is_doubted(feed: str, why: Doubt | None) -> None:
    found = doubt(_entries(feed), Known(10, "", NOW - timedelta(days=5)), NOW)
    assert (found[0] if found else None) is why


def test_the_first_time_only_a_leap_over_what_fedisec_came_with_is_doubted() -> None:
    first = Known(0, "4.7.3", None)
    assert doubt(_entries(feeds.github("a/b", "v4.5.0", newest=AGO)), first, NOW, software="mastodon") is None
    assert doubt((), Known(), NOW) is None
    leap = doubt(_entries(feeds.github("a/b", "v40.0.0")), first, NOW, software="mastodon")
    assert leap is not None and leap[0] is Doubt.LEAP
