"""Ends of support as endoflife.date tells them: read strictly, asked for only where somebody runs the product."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from checks.data.support import tables
from checks.errors import ParseError
from checks.facts import Facts
from checks.facts.ends import EndsOfLife, ReadRelease
from fedisec.instances.models import Instance
from fedisec.scans.run import with_self_facts
from fedisec.watch import catalogue, clock, endings, fetching, lifecycles, parts
from fedisec.watch.doubts import Doubt
from fedisec.watch.models import Source, SourceKind
from fedisec.watch.stacks import needs
from fedisec.watch.stock_models import Ending, Lifecycle, Stock
from tests.factories import an_instance
from tests.watch.conftest import AddSource
from tests.watch.site import Site

TODAY = date(2026, 11, 22)


def row(name: str, ends: str | None, **more: Any) -> dict[str, Any]:
    """A release as the API v1 has it."""
    over = ends is not None and ends < "2026-11-22"
    return {
        "name": name, "codename": None, "label": name, "releaseDate": "2021-09-30", "isLts": False, "ltsFrom": None,
        "isEol": over, "eolFrom": ends, "isMaintained": not over,
        "latest": {"name": f"{name}.9", "date": "2026-11-10", "link": "https://example.org/"}, "custom": None, **more,
    }  # fmt: skip


def answer(*rows: dict[str, Any]) -> str:
    return json.dumps(
        {
            "schema_version": "1.2.0", "generated_at": "2026-11-20T01:02:03+00:00",
            "last_modified": "2026-11-20T00:00:00+00:00",
            "result": {"name": "postgresql", "label": "PostgreSQL", "category": "database", "releases": list(rows)},
        }
    )  # fmt: skip


def whole(moved: dict[str, str | None] | None = None) -> str:
    """Every line of PostgreSQL as shipped, some with another end."""
    ends = {one.name: str(one.ends) for one in tables().stack["postgresql"].releases}
    return answer(*(row(name, day) for name, day in (ends | (moved or {})).items()))


def test_a_release_is_read_with_all_its_days() -> None:
    rows = (
        row("24", "2028-04-30", isLts=True, ltsFrom="2025-10-28", eoesFrom="2030-01-01"),
        row("22.04", "2027-04-01", isLts=True, releaseDate="2022-04-21", latest=None),
        row("3.2", None, isEol=True),
        row("1.31", None),
    )
    assert lifecycles.parse(answer(*rows).encode()) == (
        ReadRelease("24", date(2028, 4, 30), False, date(2030, 1, 1), date(2025, 10, 28), "24.9"),
        ReadRelease("22.04", date(2027, 4, 1), lts=date(2022, 4, 21)),
        ReadRelease("3.2", over=True, latest="3.2.9"),
        ReadRelease("1.31", latest="1.31.9"),
    )


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>", b"[]", b"{}", b'{"result": []}', b'{"result": {"releases": {}}}',
        b'{"result": {"releases": [1]}}', b'{"result": {"releases": [{"name": ""}]}}', b"[" * 100_000,
        answer(row("1", "soon")).encode(), answer(row("1", "0001-01-01")).encode(),
        answer(*(row(str(n), None) for n in range(301))).encode(), b"\xff\xfe",
    ],
)  # fmt: skip
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(ParseError):
        lifecycles.parse(body)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=9),
                    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(
                        ["result", "releases", "name", "eolFrom", "latest", "isLts", "ltsFrom"]), inner, max_size=5)))  # fmt: skip
def test_whatever_comes_is_read_or_refused(document: Any) -> None:
    for body in (document, {"result": {"releases": [document]}}, {"result": {"releases": document}}):
        try:
            lifecycles.parse(json.dumps(body).encode())
        except ParseError:
            continue


KNOWN = {"18": date(2030, 11, 14), "14": date(2026, 12, 12), "13": date(2025, 11, 13), "9": None}


@pytest.mark.parametrize(
    ("releases", "why"),
    [
        ((), Doubt.EMPTY),
        ((ReadRelease("18", date(2030, 11, 14)),), Doubt.EMPTY),
        ((ReadRelease("18", date(2027, 11, 14)), ReadRelease("14", date(2026, 12, 12)), ReadRelease("9")), Doubt.BACKWARD),
        ((ReadRelease("18", over=True), ReadRelease("14", date(2026, 12, 12)), ReadRelease("9")), Doubt.BACKWARD),
        ((ReadRelease("18", date(2029, 11, 14)), ReadRelease("14", date(2026, 11, 14)), ReadRelease("13", date(2001, 1, 1))), None),
        ((ReadRelease("14", date(2026, 11, 14)), ReadRelease("13", over=True), ReadRelease("9", date(2026, 1, 1))), Doubt.BACKWARD),
        ((ReadRelease("14", date(2031, 11, 14)), ReadRelease("13"), ReadRelease("19")), None),
    ],
)  # fmt: skip
def test_news_that_jump_back_by_years_are_doubted(
    releases: tuple[ReadRelease, ...], why: Doubt | None
) -> None:
    found = lifecycles.doubt(releases, KNOWN, TODAY)
    assert (found[0] if found else None) is why


# From the source to pages and scans


@pytest.fixture
def postgres(db: None) -> Instance:
    """A server with the PostgreSQL of Mastodon's sample compose."""
    instance = an_instance()
    Stock.objects.create(
        instance=instance,
        parts=parts.to_json(
            [parts.Part(parts.Kind.PROGRAM, "postgresql", "14", parts.Source.IMAGE, "postgres:14")]
        ),
        made_at=timezone.now(),
    )
    place()
    return instance


def place() -> None:
    endings.place(timezone.now())


@pytest.fixture
def source_of_postgres(web: Site, source: AddSource, postgres: Instance) -> Source:
    return source("/postgresql", SourceKind.ENDS, about="postgresql", every_s=86400)


def _read(web: Site, source: Source, body: str, **headers: Any) -> Source:
    web.say("/postgresql", body, **headers)
    Source.objects.filter(pk=source.pk).update(next_fetch_at=timezone.now())
    fetching.fetch_source(source.pk)
    return Source.objects.get(pk=source.pk)


def test_every_product_of_the_tables_has_a_source(db: None) -> None:
    catalogue.sync()
    found = dict(Source.objects.filter(kind=SourceKind.ENDS).values_list("about", "url"))
    assert found["postgresql"] == "https://endoflife.date/api/v1/products/postgresql/"
    assert found["alpine"].endswith("/alpine-linux/") and found["mastodon"].endswith("/mastodon/")
    assert len(found) == len(lifecycles.names()) > 30


def test_only_what_somebody_runs_is_asked_for(postgres: Instance) -> None:
    catalogue.sync()
    clock.wake(timezone.now())
    awake = Source.objects.filter(kind=SourceKind.ENDS).exclude(next_fetch_at=None)
    assert list(awake.values_list("about", flat=True)) == ["postgresql"]
    Ending.objects.update(live=False)
    assert not needs().products


def test_a_moved_end_reaches_pages_and_scans(
    web: Site, source_of_postgres: Source, postgres: Instance
) -> None:
    assert Ending.objects.get().day == date(2026, 11, 12)
    found = _read(web, source_of_postgres, whole({"14": "2027-02-11"}), ETag='"one"')
    assert found.last_ok_at is not None and not found.last_error and found.etag == '"one"'
    assert Lifecycle.objects.get().product == "postgresql"
    assert Stock.objects.get().placed_on is None
    place()
    assert Ending.objects.get().day == date(2027, 2, 11)
    fact = with_self_facts(Facts(), postgres).get(EndsOfLife)
    moved = tables(fact).release("postgresql", "14.3")
    assert moved is not None and moved.ends == date(2027, 2, 11)
    assert with_self_facts(Facts(), an_instance(domain="other.example")).maybe(EndsOfLife) is None


def test_an_answer_that_has_not_changed_costs_nothing(web: Site, source_of_postgres: Source) -> None:
    _read(web, source_of_postgres, whole(), ETag='"one"')
    Lifecycle.objects.update(as_of=date(2026, 11, 1))
    place()
    found = _read(web, source_of_postgres, whole(), ETag='"one"')
    assert web.asked[-1].headers["if-none-match"] == '"one"'
    assert found.failures == 0 and Lifecycle.objects.get().as_of == timezone.now().date()
    assert Stock.objects.get().placed_on is not None, "nothing is counted anew"


@pytest.mark.parametrize(
    ("body", "held"),
    [
        (whole({"18": "2026-12-01"}), "backward"),
        (answer(), "empty"),
        (answer(row("18", "2030-11-14")), "empty"),
    ],
)
def test_what_cannot_be_believed_is_held(web: Site, source_of_postgres: Source, body: str, held: str) -> None:
    _read(web, source_of_postgres, whole())
    before = Lifecycle.objects.get().releases
    found = _read(web, source_of_postgres, body)
    assert found.held == held and Lifecycle.objects.get().releases == before
    Source.objects.update(believe=True)
    if held == "backward":
        assert not _read(web, source_of_postgres, body).held
        assert Lifecycle.objects.get().releases != before


def test_errors_leave_what_was_known(web: Site, source_of_postgres: Source) -> None:
    _read(web, source_of_postgres, whole())
    web.say("/postgresql", "busy", 503, Retry_After="7200")
    Source.objects.update(next_fetch_at=timezone.now())
    fetching.fetch_source(source_of_postgres.pk)
    found = Source.objects.get()
    assert found.error_reason == "http_503" and found.next_fetch_at is not None
    assert found.next_fetch_at - timezone.now() > timedelta(minutes=110)
    assert _read(web, source_of_postgres, "<html>").error_reason == "malformed"
    assert Lifecycle.objects.get().product == "postgresql"
