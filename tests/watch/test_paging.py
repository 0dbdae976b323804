"""Sources that come in pages, or in one too large to hold: at a pace, from where the last job ended."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.utils import timezone

from fedisec.instances.models import Instance
from fedisec.watch import debian, fetching, myjvn, paging
from fedisec.watch.models import Concern, Entry, Flaw, PackageStanding, Source, SourceKind, Stack
from tests.watch import feeds
from tests.watch.conftest import AddRunner, AddSource
from tests.watch.site import Reply, Site

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were waited for, without waiting."""
    waited: list[float] = []
    monkeypatch.setattr(paging, "sleep", waited.append)
    return waited


def _read(source: Source) -> Source:
    Source.objects.filter(pk=source.pk).update(next_fetch_at=timezone.now())
    fetching.fetch_source(source.pk)
    return Source.objects.get(pk=source.pk)


def _queries(web: Site) -> list[dict[str, str]]:
    return [dict(parse_qsl(urlsplit(asked.path).query.replace("+", "%2B"))) for asked in web.asked]


def _pages(count: int, **item: str) -> Any:
    """MyJVN with so many warnings of Redis, the first being number 1."""
    items = [
        {"id": f"JVNDB-2026-{n:06}", "title": f"Redis {n}", "cpe": "cpe:/a:redis:redis", **item}
        for n in range(1, count + 1)
    ]

    def answer(query: dict[str, str]) -> Reply:
        start = int(query["startItem"])
        part = items[start - 1 : start - 1 + int(query["maxCountItem"])]
        return Reply(feeds.myjvn(*part, total=count, first=start, newest=NOW).encode())

    return answer


@pytest.fixture
def api(source: AddSource, runs: AddRunner) -> Source:
    runs("mastodon", "4.7.2", products=[["redis", "7.2.4"], ["linux", ""]], domain="first.example")
    return source("/myjvn", form="myjvn", language="ja", every_s=43_200)


def test_the_year_of_a_product_that_is_new_comes_in_pages(
    web: Site, api: Source, pauses: list[float]
) -> None:
    web.answers["/myjvn"] = _pages(120)
    read = _read(api)
    asked = _queries(web)
    assert [query["startItem"] for query in asked[:3]] == ["1", "51", "101"]
    since = (NOW - myjvn.HISTORY).date()
    assert asked[0] == {
        "method": "getVulnOverviewList", "feed": "hnd", "startItem": "1", "maxCountItem": "50", "lang": "ja",
        "cpeName": "cpe:/*:joinmastodon:mastodon+cpe:/*:redis:redis+cpe:/*:redislabs:redis",
        "rangeDatePublic": "n", "rangeDatePublished": "n", "rangeDateFirstPublished": "n",
        "datePublishedStartY": str(since.year), "datePublishedStartM": f"{since.month:02}",
        "datePublishedStartD": f"{since.day:02}",
    }  # fmt: skip
    assert "linux" not in asked[0]["cpeName"], "thousands a year, each for some driver"
    assert pauses == [1.0] * (len(asked) - 1) and len(asked) <= paging.PAGES_A_JOB
    assert Entry.objects.count() == Concern.objects.count() == 120
    assert not Concern.objects.filter(told_at=None).exists(), "history is on the list, and told to nobody"
    assert read.failing_since is None and read.last_ok_at is not None


def test_a_round_goes_on_where_the_last_job_ended_and_the_next_asks_for_the_week(
    web: Site, api: Source
) -> None:
    web.answers["/myjvn"] = _pages(320)
    unfinished = _read(api)
    assert unfinished.next_fetch_at is not None and unfinished.fetched_at is not None
    assert unfinished.next_fetch_at - unfinished.fetched_at == timedelta(seconds=paging.SOON_S)
    done = _read(unfinished)
    asked = [query["startItem"] for query in _queries(web)]
    assert asked == ["1", "51", "101", "151", "201", "251", "301"]
    assert Entry.objects.count() == 320 and done.next_fetch_at is not None and done.fetched_at is not None
    assert (done.next_fetch_at - done.fetched_at).total_seconds() > 43_000
    assert done.cursor["known"] == ["joinmastodon:mastodon", "redis:redis", "redislabs:redis"]
    web.asked.clear()
    web.answers["/myjvn"] = _pages(1, id="JVNDB-2026-999999")
    _read(done)
    (query,) = _queries(web)
    assert {query[f"rangeDate{name}"] for name in ("Public", "FirstPublished")} == {"n"}
    assert query["rangeDatePublished"] == "w" and "datePublishedStartY" not in query
    assert Concern.objects.filter(told_at=None).count() == 1, "what is new is told"


@pytest.mark.parametrize(("days", "asked"), [(1, "w"), (9, "m"), (60, "n")])
def test_what_was_away_for_longer_asks_for_more(web: Site, api: Source, days: int, asked: str) -> None:
    known = ["joinmastodon:mastodon", "redis:redis", "redislabs:redis"]
    Source.objects.update(cursor={"known": known, "round_at": (NOW - timedelta(days=days)).isoformat()})
    web.answers["/myjvn"] = lambda query: Reply(feeds.myjvn().encode())
    assert _read(api).failing_since is None, "none found is a good answer"
    assert _queries(web)[0]["rangeDatePublished"] == asked


def test_only_a_product_that_is_new_is_looked_up_again(web: Site, api: Source, runs: AddRunner) -> None:
    web.answers["/myjvn"] = lambda query: Reply(feeds.myjvn().encode())
    _read(api)
    runs("misskey", "2026.9.1", domain="second.example", products=[["nginx", "1.26"]])
    web.asked.clear()
    _read(api)
    first, second = _queries(web)[:2]
    assert "nginx" in first["cpeName"] and "redis" not in first["cpeName"]
    assert first["rangeDatePublished"] == "n" and second["rangeDatePublished"] == "w"


def test_an_error_of_the_api_under_200_is_a_failure_and_pages_before_it_stay(web: Site, api: Source) -> None:
    whole = _pages(200)

    def answer(query: dict[str, str]) -> Reply:
        if int(query["startItem"]) > 100:
            return Reply(feeds.myjvn_error("MYJVN-E-0001", "busy").encode())
        reply: Reply = whole(query)
        return reply

    web.answers["/myjvn"] = answer
    failed = _read(api)
    assert (failed.error_reason, failed.last_error) == ("refused_by_api", "MYJVN-E-0001 busy")
    assert Entry.objects.count() == 100 and failed.failures == 1 and failed.cursor["start"] == 101
    web.answers["/myjvn"] = whole
    web.asked.clear()
    _read(failed)
    assert _queries(web)[0]["startItem"] == "101" and Entry.objects.count() == 200


@pytest.mark.parametrize(
    "body", ["", "<html/>", feeds.jvndb(), feeds.LAUGHS, feeds.myjvn().replace('totalRes="0"', 'totalRes="' + "9" * 99 + '"'),
             feeds.myjvn({"id": "JVNDB-2026-1", "title": ""}, total=1)],
    ids=["empty", "html", "no status", "laughs", "huge number", "announced and missing"],
)  # fmt: skip
def test_what_is_no_answer_of_myjvn_is_a_failure(web: Site, api: Source, body: str) -> None:
    web.answers["/myjvn"] = lambda query: Reply(body.encode())
    assert _read(api).error_reason == "malformed"


def test_an_answer_that_never_ends_is_not_asked_for_without_end(web: Site, api: Source) -> None:
    """It says that there are millions, and gives the same page again and again."""
    item = {"id": "JVNDB-2026-000001", "title": "Redis", "cpe": "cpe:/a:redis:redis"}
    web.answers["/myjvn"] = lambda query: Reply(feeds.myjvn(item, total=9_000_000, first=1).encode())
    done = _read(api)
    assert len(web.asked) == 2 and "question" not in done.cursor


@pytest.fixture
def bookworm(runs: AddRunner) -> Instance:
    return runs(
        "mastodon", "4.7.2", domain="first.example", distribution="debian", release="bookworm",
        products=[["redis", "7.0.15"], ["nginx", "1.22.1"], ["postgresql", "15.8"]],
        packages=[["nginx", "1.22.1-9+deb12u1"], ["redis", "5:7.0.15-1~deb12u1"]],
        owned={"nginx": "nginx", "redis": "redis"},
    )  # fmt: skip


@pytest.fixture
def tracker(source: AddSource) -> Source:
    return source("/tracker", SourceKind.PACKAGES, form="debian", about="debian", every_s=43_200)


TRACKER: dict[str, Any] = {
    "nginx": {
        "CVE-2026-0001": feeds.debian_flaw("bookworm", "resolved", "1.22.1-9+deb12u2", "high"),
        "CVE-2026-0002": feeds.debian_flaw("bookworm", "resolved", "1.22.1-9+deb12u10", "low"),
        "CVE-2026-0003": feeds.debian_flaw("bookworm", "open"),
        "CVE-2026-0004": feeds.debian_flaw("bookworm", "open", urgency="unimportant"),
    },
    "redis": {"CVE-2026-0005": feeds.debian_flaw("bookworm", "resolved", "5:7.0.15-1~deb12u1")},
    "zlib": {"CVE-2026-0006": feeds.debian_flaw("bookworm", "open")},
}


def test_installed_packages_stand_beside_what_debian_says(
    web: Site, tracker: Source, bookworm: Instance
) -> None:
    packed = gzip.compress(json.dumps(TRACKER).encode())
    web.say("/tracker", packed, ETag='"1"', Content_Encoding="gzip")
    read = _read(tracker)
    assert read.failing_since is None and set(Flaw.objects.values_list("package", flat=True)) == {
        "nginx",
        "redis",
    }
    nginx, redis = PackageStanding.objects.filter(instance=bookworm)
    assert (nginx.package, nginx.update, nginx.open, nginx.ignored, nginx.fixed, nginx.urgency, nginx.names) == (
        "nginx", 2, 1, 1, "1.22.1-9+deb12u10", "high", ["CVE-2026-0001", "CVE-2026-0002"],
    )  # fmt: skip
    assert (redis.update, redis.open, redis.fixed) == (0, 0, "")
    assert _read(read).last_ok_at is not None and "if-none-match" in web.asked[-1].headers
    Stack.objects.update(packages=[["nginx", "1.22.1-9+deb12u1"], ["zlib", "1:1.2"]])
    _read(read)
    assert "if-none-match" not in web.asked[-1].headers, (
        "another package is wanted: the old answer is no answer"
    )
    assert Flaw.objects.filter(package="zlib").exists() and not Flaw.objects.filter(package="redis").exists()


@pytest.mark.parametrize(
    ("say", "reason"),
    [
        (lambda web: web.say("/tracker", b"[" * 1000), "malformed"),
        (lambda web: web.say("/tracker", b'{"redis": {'), "malformed"),
        (lambda web: web.say("/tracker", b"", 503, Retry_After="7200"), "http_503"),
        (
            lambda web: web.say("/tracker", gzip.compress(b" " * 3_000_000), Content_Encoding="gzip"),
            "malformed",
        ),
        (lambda web: web.say("/tracker", json.dumps({"zlib": {}})), "held"),
    ],
    ids=["deep", "cut", "503", "bomb", "nearly empty"],
)
def test_a_bad_tracker_takes_nothing_away(
    web: Site, tracker: Source, bookworm: Instance, say: Any, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.say("/tracker", json.dumps(TRACKER))
    _read(tracker)
    before = list(Flaw.objects.values())
    monkeypatch.setattr(debian, "BYTES_MAX", 2_000_000)
    say(web)
    assert _read(tracker).error_reason == reason and list(Flaw.objects.values()) == before
    assert PackageStanding.objects.filter(update__gt=0).exists()


def test_a_tracker_larger_than_the_cap_ends_where_it_passes_it(
    web: Site, tracker: Source, bookworm: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debian, "BYTES_MAX", 100_000)
    web.say("/tracker", b'{"nginx": {}, "a": "' + b"x" * 200_000 + b'"}')
    assert _read(tracker).error_reason == "too_large"


def test_the_distribution_judges_its_packages_and_upstream_the_rest(
    web: Site, tracker: Source, bookworm: Instance, source: AddSource, runs: AddRunner
) -> None:
    runs("mastodon", "4.7.2", domain="image.example", distribution="debian", release="bookworm",
         products=[["redis", "7.0.15"]], packages=[["nginx", "1"]], owned={})  # fmt: skip
    web.say("/tracker", json.dumps(TRACKER))
    _read(tracker)
    found = source("/jvndb")
    web.say("/jvndb", feeds.jvndb(newest=NOW))
    _read(found)
    flaws = {
        "1": ("nginx", "f5:nginx", "CVE-2026-0001"), "2": ("redis", "redis:redis", "CVE-2026-0005"),
        "3": ("nginx", "f5:nginx", "CVE-2026-0003"), "4": ("nginx", "f5:nginx", "CVE-2026-0009"),
        "5": ("postgresql", "postgresql:postgresql", "CVE-2026-0008"), "6": ("nginx", "f5:nginx", "CVE-2026-0004"),
    }  # fmt: skip
    items = [
        {"id": f"JVNDB-2026-00000{n}", "title": name, "cpe": f"cpe:/a:{cpe}", "cve": cve}
        for n, (name, cpe, cve) in flaws.items()
    ]
    web.say("/jvndb", feeds.jvndb(*items, newest=NOW))
    _read(found)

    def said(domain: str) -> dict[str, tuple[str, str, bool]]:
        return {
            line.story[-1]: (line.verdict, line.repaired_in, line.told_at is None)
            for line in Concern.objects.filter(instance__domain=domain)
        }

    assert said("first.example") == {
        "1": ("update", "1.22.1-9+deb12u2", True), "2": ("repaired", "5:7.0.15-1~deb12u1", False),
        "3": ("open", "", True), "4": ("", "", True), "5": ("", "", True), "6": ("ignored", "", True),
    }  # fmt: skip
    assert said("image.example") == {"2": ("", "", True)}
    Stack.objects.filter(instance=bookworm).update(packages=[["nginx", "1.22.1-9+deb12u10"]])
    Source.objects.update(etag="")
    _read(tracker)
    assert said("first.example")["1"] == ("repaired", "1.22.1-9+deb12u2", True)


def _jammy(runs: AddRunner) -> Instance:
    return runs(
        "mastodon", "4.7.2", distribution="ubuntu", release="jammy", products=[["redis", "6.0.16"]],
        packages=[["nginx", "1.18.0-6ubuntu14.4"], ["redis", "5:6.0.16-1ubuntu1"]], owned={"redis": "redis"},
    )  # fmt: skip


def test_ubuntu_is_asked_by_package_in_pages_and_goes_on_after_a_503(
    web: Site, source: AddSource, runs: AddRunner, pauses: list[float]
) -> None:
    instance = _jammy(runs)
    found = source("/cves", SourceKind.PACKAGES, form="ubuntu", about="ubuntu", every_s=43_200)
    fixed = [
        feeds.ubuntu_cve(f"CVE-2026-{n:04}", "redis", "jammy", "released", "5:6.0.16-1ubuntu1.1")
        for n in range(25)
    ]
    ready = False

    def answer(query: dict[str, str]) -> Reply:
        offset = int(query["offset"])
        if query["package"] == "nginx":
            return Reply(feeds.ubuntu(feeds.ubuntu_cve("CVE-2026-9999", "nginx", "jammy", "needed")).encode())
        if offset and not ready:
            return Reply(b"busy", 503, {"Retry-After": "900"})
        return Reply(feeds.ubuntu(*fixed[offset : offset + 20], total=25, offset=offset).encode())

    web.answers["/cves"] = answer
    failed = _read(found)
    assert failed.error_reason == "http_503" and failed.cursor == {"package": "redis", "offset": 20}
    assert failed.next_fetch_at is not None and failed.fetched_at is not None
    assert (failed.next_fetch_at - failed.fetched_at).total_seconds() == pytest.approx(900, abs=5)
    ready = True
    web.asked.clear()
    done = _read(failed)
    assert [(q["package"], q["offset"], q["version"]) for q in _queries(web)] == [("redis", "20", "jammy")]
    assert done.failing_since is None and done.cursor == {}
    rows = PackageStanding.objects.filter(instance=instance)
    assert [(row.package, row.update, row.open, row.fixed) for row in rows] == [
        ("redis", 25, 0, "5:6.0.16-1ubuntu1.1"), ("nginx", 0, 1, ""),
    ]  # fmt: skip
    assert pauses and set(pauses) == {paging.PAUSE_S}
