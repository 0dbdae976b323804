"""What sources answer of published flaws, to advisories; and what of it is not believed."""

from __future__ import annotations

import contextlib
import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.errors import ParseError
from checks.facts.advisories import Advisory, Affected, Offer
from checks.parse.severity import severity
from fedisec.watch import github, offers, osv
from fedisec.watch.advisory_doubts import doubt_advisories
from fedisec.watch.doubts import Doubt
from tests.watch import advisories as made

ASKS = "Bitnami mastodon"


def _entry(*events: dict[str, str], kind: str = "SEMVER", **more: Any) -> dict[str, Any]:
    entry = made.osv_entry("BIT-1", ("0", "1"))
    entry["affected"][0]["ranges"] = [{"type": kind, "events": list(events), **more}]
    return entry


def _spans(entry: dict[str, Any]) -> tuple[Affected, ...]:
    found = osv.parse_entry(entry, "mastodon", ASKS)
    return found.affected if found else ()


def test_an_entry_of_osv_is_read_whole() -> None:
    entry = made.osv_entry(
        "BIT-mastodon-1", ("0", "4.3.24"), ("4.4.0", "4.4.18"), aliases=["CVE-2026-50129", "x y"]
    )
    entry["references"].append(
        {"type": "WEB", "url": "https://github.com/a/b/security/advisories/GHSA-qrgq-9fx2-vf2r"}
    )
    (found,), token = osv.parse_answer(made.osv(entry, token="next").encode(), "mastodon", ASKS)
    assert token == "next"
    assert found.affected == (Affected("0", "4.3.24"), Affected("4.4.0", "4.4.18")) and found.seen
    assert (found.published, found.changed, found.aliases) == (
        "2026-11-20",
        "2026-11-21",
        ("CVE-2026-50129",),
    )
    assert found.url.endswith("GHSA-qrgq-9fx2-vf2r") and not found.by_makers
    assert str(severity(found.ratings)) == "critical, CVSS 3.1 9.8 by the vector of Bitnami"
    assert osv.parse_answer(b"{}", "mastodon", ASKS) == ((), "")


@pytest.mark.parametrize(
    ("events", "wanted"),
    [
        (({"introduced": "4.5.0"}, {"fixed": "4.5.4"}), (Affected("4.5.0", "4.5.4"),)),
        (({"fixed": "4.5.4"}, {"introduced": "4.5.0"}), (Affected("4.5.0", "4.5.4"),)),
        (({"introduced": "0"}, {"last_affected": "4.1.16"}), (Affected("0", last="4.1.16"),)),
        (({"introduced": "4.5.0"},), (Affected("4.5.0"),)),
        (({"introduced": "0"}, {"introduced": "4.0.0"}, {"fixed": "4.1.0"}), (Affected("0", "4.1.0"),)),
        (({"introduced": "nightly.2026-03-10.0"}, {"fixed": "4.6.0"}), ()),
        (({"introduced": "5.0.0"}, {"fixed": "4.0.0"}), (Affected("5.0.0"),)),
        (({"fixed": "4.0.0"},), ()),
    ],
)  # fmt: skip
def test_events_are_ranges_in_whatever_order(
    events: tuple[dict[str, str], ...], wanted: tuple[Affected, ...]
) -> None:
    assert _spans(_entry(*events)) == wanted


def test_commits_are_no_versions_but_what_stands_beside_them_is() -> None:
    commits = ({"introduced": "0"}, {"fixed": "6a14d4b5d1c64d5c8b5e9d3f"})
    beside = {"versions": [{"introduced": "12.31.0"}, {"fixed": "2025.4.1"}]}
    assert _spans(_entry(*commits, kind="GIT", database_specific=beside)) == (
        Affected("12.31.0", "2025.4.1"),
    )
    entry = _entry(*commits, kind="GIT")
    assert _spans(entry) == ()
    entry["affected"][0]["versions"] = ["v4.1.0", "4.1.1", "main"]
    assert _spans(entry) == (Affected("4.1.0", last="4.1.0"), Affected("4.1.1", last="4.1.1"))


def test_an_entry_about_another_package_is_left_out() -> None:
    assert _spans(made.osv_entry("BIT-1", ("0", "1"), package="redis")) == ()
    assert _spans(made.osv_entry("BIT-1", ("0", "1"), ecosystem="npm")) == ()
    gone = osv.parse_entry({"id": "BIT-1", "withdrawn": "2026-11-20T00:00:00Z"}, "mastodon", ASKS)
    assert gone is not None and gone.withdrawn


@pytest.mark.parametrize(
    ("text", "patched", "wanted"),
    [
        ("< 4.2.24", "", [Affected("0", "4.2.24")]),
        (">= 4.5.0, < 4.5.4", "4.5.4", [Affected("4.5.0", "4.5.4")]),
        (">=4.5.0,<4.5.4", "", [Affected("4.5.0", "4.5.4")]),
        ("<= v4.1.16", "", [Affected("0", last="4.1.16")]),
        ("<= 4.1.16", "4.2.9, 4.1.17", [Affected("0", "4.1.17")]),
        ("<= 4.1.16", "4.2.0", [Affected("0", last="4.1.16")]),
        ("= 4.5.3", "", [Affected("4.5.3", last="4.5.3")]),
        ("4.5.3", "", [Affected("4.5.3", last="4.5.3")]),
        (">= 12.37.0, < 2026.3.1", "", [Affected("12.37.0", "2026.3.1")]),
        (">= 2025.2.0-alpha.0, < 2025.2.1", "", [Affected("2025.2.0-alpha.0", "2025.2.1")]),
        ("< 4.1.0 || >= 4.2.0, < 4.2.2", "", [Affected("0", "4.1.0"), Affected("4.2.0", "4.2.2")]),
        (">= 4.5.0", "", [Affected("4.5.0")]),
    ],
)  # fmt: skip
def test_ranges_as_makers_write_them(text: str, patched: str, wanted: list[Affected]) -> None:
    assert github.parse_range(text, patched) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "all",
        "4.5.x",
        "< 4.3.11, < 4.2.24",
        ">= 4.5.0, = 4.5.1",
        "before 4.5.4",
        "< 4.5.4, <= 4.5.3",
        "*",
        "< main",
    ],
)
def test_a_range_of_another_form_is_not_guessed_at(text: str) -> None:
    with pytest.raises(ParseError):
        github.parse_range(text)


def test_more_than_a_version_is_excluded_by_a_plain_greater() -> None:
    (span,) = github.parse_range("> 4.5.0, < 4.5.4")
    one = Advisory("mastodon", "A", "t", (span,), seen=True)
    from checks.parse.advisories import applying

    assert [bool(applying([one], "mastodon", v)) for v in ("4.5.0", "4.5.1", "4.5.4")] == [False, True, False]


def test_an_advisory_of_a_repository_is_read_whole() -> None:
    row = made.github_entry("GHSA-aaaa-bbbb-cccc", "< 4.4.3", ">= 4.5.0, < 4.5.1", cve_id="CVE-2026-1111")
    row["cvss_severities"]["cvss_v3"] = {"vector_string": made.VECTOR, "score": 9.8}
    (found,) = github.parse_page(made.github(row).encode(), "mastodon")
    assert found.affected == (Affected("0", "4.4.3"), Affected("4.5.0", "4.5.1"))
    assert (found.seen, found.by_makers, found.aliases) == (True, True, ("CVE-2026-1111",))
    assert str(severity(found.ratings)) == "critical, CVSS 3.1 9.8 by the vector of GitHub"


def test_parts_of_a_repository_that_are_other_software_are_left_out() -> None:
    rows = [
        made.github_entry("GHSA-aaaa-bbbb-cccc", "< 4.4.3", package="misskey-js"),
        made.github_entry("GHSA-aaaa-bbbb-dddd", "< 4.4.3", package="something"),
        made.github_entry("GHSA-aaaa-bbbb-eeee", "< 4.4.3", package="Misskey"),
        made.github_entry("GHSA-aaaa-bbbb-ffff", "< 4.4.3", package="misskey", state="draft"),
        made.github_entry("GHSA-aaaa-bbbb-gggg", "< 4.4.3", "everything", package="misskey"),
    ]
    found = github.parse_page(made.github(*rows).encode(), "misskey")
    assert [(one.id[-4:], one.seen) for one in found] == [("eeee", True), ("gggg", False)]


def test_the_next_page_is_that_of_the_link_header() -> None:
    link = '<https://api.github.com/r?page=1>; rel="prev", <https://api.github.com/r?page=3>; rel="next"'
    assert github.next_page(link) == "https://api.github.com/r?page=3"
    assert github.next_page("") == github.next_page('<ftp://x/>; rel="next"') == ""


def test_offers_are_read_as_the_update_check_answers() -> None:
    body = made.offers(("4.5.19", True, "patch"), ("4.7.3", False, "minor"), ("main", True, "patch")).encode()
    assert offers.parse_offers(body) == (
        Offer("4.5.19", True, "patch", "https://example.org/v4.5.19"),
        Offer("4.7.3", False, "minor", "https://example.org/v4.7.3"),
    )
    assert offers.question("https://api.example/update-check?a=1", "4.5.4+x&y") == (
        "https://api.example/update-check?version=4.5.4%2Bx%26y"
    )
    for wrong in (b"{}", b"[]", b"<html>", b"\xff"):
        with pytest.raises(ParseError):
            offers.parse_offers(wrong)


def _said(name: str, *spans: Affected, **fields: Any) -> Advisory:
    return Advisory("mastodon", name, "t", spans or (Affected("0", "4.2.0"),), seen=True, **fields)


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        ([_said("A"), _said("B"), _said("C"), _said("D")], None),
        ([_said("A"), _said("B")], None),
        ([_said("A")], Doubt.VANISHED),
        ([], Doubt.EMPTY),
        ([*(_said(n) for n in "ABCD"), _said("E", published="2026-11-24")], None),
        ([*(_said(n) for n in "ABCD"), _said("E", changed="2026-11-25")], Doubt.FUTURE),
        ([*(_said(n) for n in "ABCD"), _said("E", Affected("0", "5.2.0"))], None),
        ([*(_said(n) for n in "ABCD"), _said("E", Affected("0", last="6.0.0"))], Doubt.LEAP),
    ],
)  # fmt: skip
def test_doubts(found: list[Advisory], wanted: Doubt | None) -> None:
    doubted = doubt_advisories(found, "ABCD", "4.7.3", date(2026, 11, 22))
    assert (doubted[0] if doubted else None) is wanted


def test_at_first_there_is_nothing_to_doubt_by() -> None:
    assert doubt_advisories([], (), "", date(2026, 11, 22)) is None
    assert doubt_advisories([_said("A", Affected("0", "99.0.0"))], (), "", date(2026, 11, 22)) is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["id", "affected", "ranges", "events", "introduced", "fixed", "package", "ghsa_id", "vulnerabilities",
             "vulnerable_version_range", "aliases", "severity", "score", "references", "vulns", "updatesAvailable",
             "version", "cvss", "type", "withdrawn", "withdrawn_at", "database_specific", "versions", "name"]
        ) | st.text(max_size=5),
        inner,
        max_size=5,
    ),
    max_leaves=25,
)  # fmt: skip


@given(_JSON | st.dictionaries(st.just("vulns"), st.lists(_JSON, max_size=3)))
def test_whatever_is_answered_only_a_parse_error_comes_out(value: Any) -> None:
    body = json.dumps(value).encode()
    for read in (
        lambda: osv.parse_answer(body, "mastodon", ASKS),
        lambda: osv.parse_one(body, "mastodon", ASKS),
        lambda: github.parse_page(body, "mastodon"),
        lambda: github.parse_one(body, "mastodon"),
        lambda: offers.parse_offers(body),
    ):
        with contextlib.suppress(ParseError):
            read()


@given(st.text(max_size=200), st.text(max_size=100))
def test_whatever_makers_write_a_range_is_read_or_refused(text: str, patched: str) -> None:
    with contextlib.suppress(ParseError):
        github.parse_range(text, patched)


@given(st.binary(max_size=300))
def test_bytes_are_no_answer(body: bytes) -> None:
    for read in (offers.parse_offers, lambda given: osv.parse_answer(given, "m", ASKS)):
        with contextlib.suppress(ParseError):
            read(body)
