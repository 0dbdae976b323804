"""Which advisories name which version: a table made from the sources' own lists, and the laws of the order."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from univers.versions import DebianVersion, RubygemsVersion

from checks.data.tables import advisories
from checks.errors import ParseError
from checks.facts.advisories import Advisory, Affected, Rating
from checks.parse.advisories import applying, ends_in, merged, names_of
from checks.parse.severity import Severity, score, severity
from checks.parse.versions import comparable, parse_version

TABLE: dict[str, list[dict[str, Any]]] = json.loads(
    Path(__file__).with_name("advisory_pairs.json").read_text(encoding="utf-8")
)


def test_the_table_names_each_pair_once_and_every_software() -> None:
    pairs = {(row["software"], row["version"]) for row in TABLE["pairs"]}
    assert len(pairs) == len(TABLE["pairs"]) >= 120
    assert {one.platform for one in advisories()} < {software for software, _ in pairs}
    named = {name for row in TABLE["pairs"] for name in row["advisories"]}
    assert len(named) > 150, "most of the advisories name a version of the table"


@pytest.mark.parametrize("software", sorted({row["software"] for row in TABLE["pairs"]}))
def test_each_version_is_named_by_exactly_its_advisories(software: str) -> None:
    for row in TABLE["pairs"]:
        if row["software"] == software:
            found = sorted(one.id for one in applying(advisories(), software, row["version"]))
            assert found == row["advisories"], (software, row["version"])


@pytest.mark.parametrize("row", TABLE["as_said"], ids=lambda row: row["as_said"])
def test_what_a_fork_appends_changes_nothing(row: dict[str, Any]) -> None:
    read = parse_version(row["software"], row["as_said"])
    assert (read.base, read.prerelease) == (row["release"], False)
    found = sorted(one.id for one in applying(advisories(), row["software"], read.base))
    assert found == row["advisories"]


# A release as people number it: three numbers, or a year and a month.
_NUMBER = st.integers(0, 2100)
_RELEASE = st.tuples(_NUMBER, st.integers(0, 120), st.integers(0, 120))


@given(_RELEASE, _RELEASE)
@example((9, 9, 0), (10, 0, 0))
@example((4, 9, 0), (4, 10, 0))
@example((2025, 12, 0), (2026, 1, 0))
@example((13, 14, 2), (2023, 9, 0))
def test_numbers_are_compared_as_numbers(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    first, second = (comparable(".".join(map(str, numbers))) for numbers in (one, other))
    assert (first < second, first == second) == (one < other, one == other)


@given(_RELEASE, st.sampled_from(["alpha", "beta", "rc"]), st.integers(0, 20))
def test_a_prerelease_comes_before_its_release_and_after_the_one_before(
    numbers: tuple[int, int, int], kind: str, count: int
) -> None:
    release = ".".join(map(str, numbers))
    before = ".".join(map(str, (numbers[0], numbers[1], numbers[2] - 1))) if numbers[2] else "0"
    early = comparable(f"{release}-{kind}.{count}")
    assert early < comparable(release) and (numbers == (0, 0, 0) or comparable(before) < early)
    assert parse_version("mastodon", f"{release}-{kind}.{count}").prerelease


@given(_RELEASE, st.from_regex(r"[a-z]{1,8}(\.[0-9]{1,2}){0,2}", fullmatch=True))
def test_what_stands_behind_a_plus_counts_nowhere(numbers: tuple[int, ...], fork: str) -> None:
    release = ".".join(map(str, numbers))
    for family in ("mastodon", "pixelfed", "gotosocial"):
        read = parse_version(family, f"{release}+{fork}")
        assert (read.base, read.prerelease) == (release, False)


_SPAN = st.tuples(_RELEASE, _RELEASE, st.booleans()).filter(lambda given: given[0] < given[1])


@given(st.lists(_SPAN, min_size=1, max_size=4), _RELEASE)
def test_a_range_names_what_lies_in_it(spans: list[Any], version: tuple[int, ...]) -> None:
    def text(numbers: tuple[int, ...]) -> str:
        return ".".join(map(str, numbers))

    affected = tuple(
        Affected(text(low), last=text(high)) if inclusive else Affected(text(low), fixed=text(high))
        for low, high, inclusive in spans
    )
    wanted = any(
        low <= version <= high if inclusive else low <= version < high for low, high, inclusive in spans
    )
    one = Advisory("mastodon", "A", "title", affected, seen=True)
    assert bool(applying([one], "mastodon", text(version))) is wanted


_NAMES = st.lists(st.sampled_from("ABCDEF"), min_size=1, max_size=3, unique=True)


@given(st.lists(st.tuples(_NAMES, st.booleans(), st.booleans()), max_size=8))
def test_one_flaw_counts_once(rows: list[tuple[list[str], bool, bool]]) -> None:
    given_ = [
        Advisory("mastodon", names[0], "t", (Affected("0", "1"),), seen, aliases=tuple(names[1:]), by="X", withdrawn=gone)
        for names, seen, gone in rows
    ]  # fmt: skip
    found = merged(given_)
    names = [name for one in found for name in names_of(one)]
    assert len(names) == len(set(names)), "no name stands in two"
    assert set(names) <= {name for row in given_ for name in names_of(row)}
    assert not any(one.withdrawn for one in found)
    upheld = {name for row in given_ if not row.withdrawn for name in names_of(row)}
    assert upheld <= set(names), "what somebody upholds stays"
    assert {one.id for one in merged(found)} == {one.id for one in found}


def _debian(one: str, other: str) -> bool:
    return bool(DebianVersion(one) < DebianVersion(other))


def _ruby(one: str, other: str) -> bool:
    return bool(RubygemsVersion(one) < RubygemsVersion(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("9.9-1", "10.0-1"), ("1.18.0-6", "1.18.0-6+deb11u1"), ("2.4.52-1~deb11u2", "2.4.52-1"),
        ("5:7.0.15-1", "5:7.0.15-1+b1"), ("9.99", "1:0.1"), ("1.0~rc1-1", "1.0-1"), ("1.0~~", "1.0~"),
        ("1.0~beta1~svn1245-1", "1.0~beta1-1"), ("1.0-1", "1.0-1.1"), ("0.9a", "0.9b"), ("1.2.3-1", "1.2.3-1ubuntu0.1"),
        ("1.2", "1.2.1"), ("1.0-1~bpo12+1", "1.0-1"),
    ],
)  # fmt: skip
def test_packages_of_debian_are_ordered_by_debians_rules(one: str, other: str) -> None:
    """deb-version(7): an epoch counts before all, a tilde before the end, digits as numbers."""
    assert _debian(one, other) and not _debian(other, one) and not _debian(one, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("9.9", "10.0"), ("1.0.0.pre1", "1.0.0"), ("1.0.0.beta.2", "1.0.0.rc.1"), ("7.1.3.4", "7.1.5"),
        ("1.0.a10", "1.0.b1"), ("3.0.0.rc1", "3.0.0.rc2"), ("2.0.0.alpha", "2.0.0.beta"),
    ],
)  # fmt: skip
def test_gems_are_ordered_by_rubygems_rules(one: str, other: str) -> None:
    assert _ruby(one, other) and not _ruby(other, one)
    assert not _ruby("1.0", "1.0.0") and not _ruby("1.0.0", "1.0")


def test_a_branch_names_the_release_that_ends_a_flaw_there() -> None:
    one = Advisory("mastodon", "A", "t", (Affected("0", "4.3.11"), Affected("4.4.0", "4.4.3")), seen=True)
    other = Advisory("mastodon", "B", "t", (Affected("4.4.0", last="4.4.1"),), seen=True)
    assert ends_in([one, other], "4.4.1") == ("4.4.3", "") and ends_in([one], "4.3.2") == ("4.3.11",)


@pytest.mark.parametrize(
    ("vector", "version", "number", "word"),
    [
        ("AV:N/AC:L/Au:N/C:P/I:P/A:P", "2.0", 7.5, "high"),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "3.0", 9.8, "critical"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "3.1", 7.5, "high"),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "4.0", 9.3, "critical"),
        ("CVSS:3.1/AV:N/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:N", "3.1", 0.0, "none"),
    ],
)
def test_scores_are_those_of_the_specifications(vector: str, version: str, number: float, word: str) -> None:
    found = score(vector)
    assert (found.version, found.number, found.word) == (version, number, word)


@given(st.text(max_size=300) | st.from_regex(r"CVSS:(3\.[01]|4\.0)/[A-Z:/]{0,80}", fullmatch=True))
def test_what_is_no_vector_is_a_parse_error(text: str) -> None:
    with contextlib.suppress(ParseError):
        assert 0 <= score(text).number <= 10


def test_a_severity_says_who_gives_it() -> None:
    three = Rating("OSV", "medium", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H")
    four = Rating("NVD", "low", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N")
    assert str(severity((three, four))) == "critical, CVSS 4.0 9.3 by the vector of NVD"
    assert str(severity((Rating("GitHub", "high"),))) == "high, as given by GitHub"
    assert severity(()) == Severity() and str(Severity()) == "no severity given"
    assert severity((Rating("X", "", "no vector"), Rating("Y", "low"))).by == "Y"
