"""Hidden paths, media and signed fetch, with answers of real servers and of shields in front of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import cast

import pytest

from checks.errors import Malformed, ProbeError, Reason, TimedOut
from checks.facts import Fact, Missing
from checks.facts.http import (
    MediaSample,
    NoSuchPage,
    Page,
    PanelPaths,
    PathSeen,
    SecretPaths,
    SignedFetch,
    SourceOffer,
)
from checks.facts.instance import InstanceInfo, Software
from checks.probes.hidden import gather_hidden_paths, gather_media, gather_signed_fetch, gather_source
from checks.probes.http_client import HttpClient
from checks.probes.look import Look, Probe
from checks.probes.net import Net
from checks.target import Limits, Target, Vantage
from tests.checks.http.pages import software
from tests.checks.http.server import Names
from tests.checks.instance.infos import info
from tests.checks.instance.samples import Recorded, answer, sample

Gather = Callable[[Look], Awaitable[Iterable[Fact]]]
ENV = "LOCAL_DOMAIN=a\nSECRET_KEY_BASE=b\nDB_PASS=hunter2\n"


def run(
    gather: Gather, table: dict[str, Page | ProbeError], *known: Fact, host: str = "site.test"
) -> list[Fact]:
    """What `gather` finds when `known` are the facts of the probes before it."""

    async def within() -> list[Fact]:
        client = Recorded(host, table)
        look = Look(Target(host), Vantage(), Net(Vantage(), Limits()), cast("object", Names()), client)  # type: ignore[arg-type]
        for fact in known:
            probe = Probe(type(fact).__name__, "web", (type(fact),), gather)
            look.announce(probe)
            look.settle(probe, (fact,), Missing(Reason.NOT_ASKED))
        return list(await gather(look))

    return asyncio.run(within())


def hidden(table: dict[str, Page | ProbeError], *known: Fact) -> dict[str, PathSeen | Missing]:
    facts = run(gather_hidden_paths, table, *known)
    secrets = next(f for f in facts if isinstance(f, SecretPaths))
    panels = next(f for f in facts if isinstance(f, PanelPaths))
    names = ("/.env", "/.git/config", *("panel" for _ in panels.paths))
    return dict(zip(names, (*secrets.paths, *panels.paths), strict=False))


def test_a_server_that_answers_every_path_with_its_page_serves_no_secret() -> None:
    names = {"/.env": "mk_.env", "/.git/config": "mk_.git_config", "/metrics": "mk_metrics"}
    table: dict[str, Page | ProbeError] = {p: sample(n, f"https://site.test{p}") for p, n in names.items()}
    nothing = NoSuchPage(sample("mk_", "https://site.test/x"))
    assert {p.found for p in hidden(table, nothing).values() if isinstance(p, PathSeen)} == {""}


@pytest.mark.parametrize(
    ("elsewhere", "wanted"),
    [(404, PathSeen("/.env", 403)), (403, Missing(Reason.WITHHELD, "HTTP 403"))],
)
def test_a_refusal_counts_where_other_paths_answer(elsewhere: int, wanted: PathSeen | Missing) -> None:
    nothing = NoSuchPage(answer("none", status=elsewhere))
    assert hidden({"/.env": answer("no", status=403)}, nothing, software())["/.env"] == wanted


def test_what_is_served_is_named_and_not_kept() -> None:
    seen = hidden({"/.env": answer(ENV, media_type="text/plain")}, software())
    assert seen["/.env"] == PathSeen(
        "/.env", 200, "environment file", "DB_PASS=, LOCAL_DOMAIN=, SECRET_KEY_BASE="
    )


@pytest.mark.parametrize(
    ("page", "wanted"),
    [
        # With no other path to compare with, a 403 may be a door that is closed everywhere.
        (answer("no", status=403), Missing(Reason.WITHHELD, "HTTP 403")),
        (answer("no", status=404), PathSeen("/.env", 404)),
        (answer("", status=302), PathSeen("/.env", 302)),
        (answer(ENV, status=404), PathSeen("/.env", 404)),
        (answer("slow down", status=429), Missing(Reason.WITHHELD, "HTTP 429")),
        (answer("down", status=503, media_type="text/html"), Missing(Reason.WITHHELD, "HTTP 503")),
        (answer("<i>/cdn-cgi/challenge-platform/</i>", status=403, media_type="text/html"), Missing(Reason.WITHHELD, "challenge page")),
        (answer("<i>window._cf_chl_opt</i>", media_type="text/html"), Missing(Reason.WITHHELD, "challenge page")),
        (TimedOut("x"), Missing(Reason.TIMEOUT, "x")),
    ],
)  # fmt: skip
def test_a_closed_door_is_told_from_a_shield(page: Page | ProbeError, wanted: PathSeen | Missing) -> None:
    assert hidden({"/.env": page}, software())["/.env"] == wanted


def test_a_health_check_that_is_off_is_closed_although_it_says_503() -> None:
    table: dict[str, Page | ProbeError] = {"/api/v1/pleroma/healthcheck": answer({}, status=503)}
    panel = run(gather_hidden_paths, table, software("pleroma"))[1]
    assert isinstance(panel, PanelPaths) and panel.paths[0] == PathSeen("/api/v1/pleroma/healthcheck", 503)
    table["/api/v1/pleroma/healthcheck"] = answer(
        {"pool_size": 10, "memory_used": 3, "healthy": False}, status=503
    )
    panel = run(gather_hidden_paths, table, software("pleroma"))[1]
    assert isinstance(panel, PanelPaths) and isinstance(panel.paths[0], PathSeen)
    assert panel.paths[0].found == "health details"


LISTING = answer("<ListBucketResult><Name>b</Name>", media_type="application/xml")


@pytest.mark.parametrize(
    ("table", "host", "wanted"),
    [
        ({"/a/b.png": answer(""), "/": LISTING}, "files.test", "bucket listing"),
        ({"/a/b.png": answer(""), "/a/": LISTING}, "files.test", "bucket listing"),
        ({"/a/b.png": answer(""), "/": answer("", status=403), "/a/": LISTING}, "files.test", None),
        ({"/a/b.png": answer(""), "/": LISTING, "/a/": answer("")}, "site.test", None),
        ({"/a/b.png": answer(""), "/a/": answer("<title>Index of /a/</title>")}, "site.test", "folder index"),
        ({"/a/b.png": answer(""), "/": TimedOut("x")}, "files.test", Missing(Reason.TIMEOUT, "x")),
        ({"/a/b.png": answer(""), "/": answer("", status=500)}, "files.test", Missing(Reason.WITHHELD, "HTTP 500")),
    ],
)  # fmt: skip
def test_a_listing_is_looked_for_where_uploads_lie(
    table: dict[str, Page | ProbeError], host: str, wanted: str | Missing | None
) -> None:
    class Anywhere(Recorded):
        async def get(self, url: str, **more: object) -> Page:
            self.host = url.split("/")[2]
            return await super().get(url)

    async def within() -> list[Fact]:
        client = Anywhere("site.test", table)
        look = Look(Target("site.test"), Vantage(), Net(Vantage(), Limits()), cast("object", Names()), client)  # type: ignore[arg-type]
        probe = Probe("info", "web", (InstanceInfo,), gather_media)
        look.announce(probe)
        look.settle(probe, (info(media_urls=(f"https://{host}/a/b.png",)),), Missing(Reason.NOT_ASKED))
        return list(await gather_media(look))

    (found,) = asyncio.run(within())
    assert isinstance(found, MediaSample) and found.host == host and found.listing == wanted


def test_signed_fetch_tells_a_refusal_from_an_actor() -> None:
    known = info(actor_url="https://site.test/@a")
    (refused,) = run(gather_signed_fetch, {"/@a": answer("Request not signed", status=401)}, known)
    assert refused == SignedFetch("https://site.test/@a", 401, False)
    (given,) = run(gather_signed_fetch, {"/@a": answer({"type": "Person"})}, known)
    assert given == SignedFetch("https://site.test/@a", 200, True)
    (page,) = run(gather_signed_fetch, {"/@a": answer("<html>", media_type="text/html")}, known)
    assert page == SignedFetch("https://site.test/@a", 200, False)
    assert run(gather_signed_fetch, {}, info()) == []


def test_an_actor_on_another_host_is_not_fetched() -> None:
    with pytest.raises(ProbeError):
        run(gather_signed_fetch, {}, info(actor_url="https://victim.test/@a"))


def test_the_secrets_of_the_software_are_asked_for_as_well() -> None:
    facts = run(gather_hidden_paths, {}, software("pixelfed"))
    secrets = next(f for f in facts if isinstance(f, SecretPaths))
    assert [p.path for p in secrets.paths if isinstance(p, PathSeen)][-1] == "/storage/logs/laravel.log"
    assert isinstance(software(), Software)


OWN = "https://site.test/git/fork"


@pytest.mark.parametrize(
    ("known", "asked"),
    [
        (software(source_url=OWN), OWN),
        (software(source_url=f"{OWN}?x=1#y"), OWN),
        (software(source_url="https://github.com/mastodon/mastodon"), None),
        (software(source_url="https://github.com/mastodon/mastodon/tree/v4.7.3"), None),
        (software("", "2.38", name="snac", source_url=OWN), None),
        (software(), None),
    ],
)
def test_only_a_source_offer_of_ones_own_is_asked_for(known: Software, asked: str | None) -> None:
    found = run(gather_source, {"/git/fork": answer("secret of a private page", status=404)}, known)
    assert found == ([SourceOffer(asked, 404)] if asked else [])


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "file:///etc/passwd", "ftp://site.test/x", "not a link"]
)
def test_a_source_offer_that_is_no_web_address_is_not_dialled(url: str) -> None:
    async def within() -> None:
        client = HttpClient(Net(Vantage(), Limits()), Names())
        look = Look(Target("site.test"), Vantage(), Net(Vantage(), Limits()), cast("object", Names()), client)  # type: ignore[arg-type]
        probe = Probe("software", "web", (Software,), gather_source)
        look.announce(probe)
        look.settle(probe, (software(source_url=url),), Missing(Reason.NOT_ASKED))
        await gather_source(look)

    with pytest.raises(Malformed):
        asyncio.run(within())


@pytest.mark.parametrize(
    "url", ["https://[::1", "https://", "https://a b/c.png", "https://user@site.test/a.png"]
)
@pytest.mark.parametrize(
    ("gather", "field"), [(gather_media, "media_urls"), (gather_signed_fetch, "actor_url")]
)
def test_a_broken_address_is_malformed_and_nothing_worse(gather: Gather, field: str, url: str) -> None:
    value: object = (url,) if field == "media_urls" else url
    with pytest.raises(Malformed):
        run(gather, {}, info(**{field: value}))
