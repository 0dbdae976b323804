"""The tables of support: what was shipped, what was read since, and where to go from what ends."""

from __future__ import annotations

from datetime import date

import pytest

from checks.codec import decode_facts, encode_facts
from checks.data.support import OsRelease, os_releases, stack, stack_release, system_titles, tables
from checks.facts import Facts
from checks.facts.ends import EndsOfLife, ReadEnds, ReadRelease

TODAY = date(2026, 11, 22)
READ = date(2026, 11, 20)


def news(product: str, *releases: ReadRelease) -> EndsOfLife:
    return EndsOfLife((ReadEnds(product, READ, releases),))


def test_every_product_says_its_name_at_the_source() -> None:
    assert {"rails", "laravel", "valkey", "erlang", "django"} <= stack().keys()
    for name, line in stack().items():
        assert line.title and line.eol and line.releases, name
    assert {name for name, line in stack().items() if line.comes_with} == {"rails", "laravel", "django"}
    assert set(system_titles()) == set(os_releases())


@pytest.mark.parametrize(
    ("product", "version", "name", "ends"),
    [
        ("postgresql", "14.19", "14", date(2026, 11, 12)),
        ("postgresql", "9.6.24", "9.6", date(2021, 11, 11)),
        ("nodejs", "20.19.2", "20", date(2026, 4, 30)),
        ("ruby", "3.2.9", "3.2", date(2026, 3, 31)),
        ("rails", "8.0.4", "8.0", date(2026, 11, 7)),
        ("erlang", "26.2.5", "26", date(2026, 5, 26)),
        ("openssl", "3.4.1", "3.4", date(2026, 10, 22)),
        ("docker", "28.5.1", "28", date(2026, 5, 13)),
        ("redis", "7", "7.4", date(2029, 12, 1)),
        ("redis", "8.10.1", "8.10", None),
        ("php", "8.2.29", "8.2", date(2026, 12, 31)),
    ],
)
def test_a_version_belongs_to_a_line(product: str, version: str, name: str, ends: date | None) -> None:
    found = stack_release(product, version)
    assert found is not None and (found.name, found.ends) == (name, ends)


def test_what_ended_on_no_known_day_has_ended() -> None:
    iojs = stack_release("nodejs", "3.3.1")
    assert iojs is not None and iojs.ends is None and iojs.over and iojs.is_ended(TODAY)
    postgres = stack_release("postgresql", "14.19")
    assert postgres is not None and not postgres.is_ended(date(2026, 11, 12))
    assert postgres.is_ended(date(2026, 11, 13))


@pytest.mark.parametrize(
    ("product", "here", "target"),
    [
        ("postgresql", "14", "18"),
        ("nodejs", "20", "26"),  # since 2026-10-28 a line for the long term
        ("nodejs", "25", "26"),
        ("mariadb", "10.6", "12.3"),
        ("haproxy", "3.3", "3.4"),
        ("ruby", "3.2", "4.0"),
    ],
)
def test_where_to_go(product: str, here: str, target: str) -> None:
    known = tables()
    now = known.release(product, here)
    assert now is not None
    found = known.goes_to(product, now, TODAY)
    assert found is not None and found.name == target


def test_an_lts_that_is_none_yet_is_not_gone_to_and_the_newest_has_nowhere_to_go() -> None:
    known = tables()
    node, newest = known.release("nodejs", "20"), known.release("nodejs", "26")
    assert node is not None and newest is not None
    before = known.goes_to("nodejs", node, date(2026, 10, 1))
    assert before is not None and before.name == "24"
    assert known.goes_to("nodejs", newest, TODAY) is None


@pytest.mark.parametrize(
    ("name", "branch", "target"),
    [("debian", "11", "12"), ("debian", "12", "13"), ("raspbian", "12", "13"), ("debian", "13", ""),
     ("ubuntu", "20.04", "22.04"), ("ubuntu", "22.04", "24.04"), ("ubuntu", "25.10", "26.04"),
     ("alpine", "3.21", "3.23"), ("fedora", "43", "44"), ("arch", "", "")],
)  # fmt: skip
def test_where_a_system_goes_to(name: str, branch: str, target: str) -> None:
    assert tables().system_goes_to(name, branch, TODAY) == target


def test_what_was_read_stands_in_place_of_what_was_shipped() -> None:
    read = news(
        "postgresql",
        ReadRelease("14", date(2027, 2, 1), latest="14.30"),
        ReadRelease("19", date(2031, 11, 1)),
    )
    known = tables(read)
    moved, old = known.release("postgresql", "14.19"), known.release("postgresql", "13.2")
    assert moved is not None and moved.ends == date(2027, 2, 1)
    assert old is not None and old.ends == date(2025, 11, 13), "what the news leave out stays"
    assert known.stack["postgresql"].releases[0].name == "19"
    assert (known.as_of("postgresql"), known.as_of("redis")) == (READ, date(2026, 8, 22))
    assert tables().release("postgresql", "14.19") == stack_release("postgresql", "14")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("debian", OsRelease(date(2026, 7, 11), date(2028, 7, 1), None)),
        ("ubuntu", OsRelease(date(2026, 7, 11), None, date(2028, 7, 1))),
        ("alpine", OsRelease(date(2026, 7, 11), None, None)),
    ],
)
def test_the_longer_support_of_a_system_is_free_or_paid(name: str, expected: OsRelease) -> None:
    read = news(name, ReadRelease("12", date(2026, 7, 11), extended=date(2028, 7, 1)), ReadRelease("99"))
    known = tables(read)
    assert known.os_dates(name, "12") == expected and known.os_dates(name, "99") is None


def test_news_of_what_nobody_knows_change_nothing() -> None:
    known = tables(news("gopher", ReadRelease("1", date(2020, 1, 1))))
    assert known.stack == stack() and known.read == {}


def test_the_fact_is_kept_with_its_days() -> None:
    fact = news("nodejs", ReadRelease("26", date(2029, 4, 30), lts=date(2026, 10, 28), latest="26.9.0"))
    facts = Facts().with_facts(fact)
    assert decode_facts(encode_facts(facts)) == facts
