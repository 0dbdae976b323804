"""Twenty requests are enough for every family, with one of them left to the policy of MTA-STS."""

from __future__ import annotations

import asyncio

import pytest

from checks import probes
from checks.errors import Reason
from checks.facts.http import (
    ApiPage,
    AssetPage,
    FrontPage,
    NoSuchPage,
    Page,
    PanelPaths,
    PlainHttp,
    SecretPaths,
    SecurityTxt,
    SourceOffer,
)
from checks.facts.instance import InstanceInfo, Software
from checks.probes import Gathered, gather, http, instance
from checks.probes.http_client import HttpClient
from checks.probes.net import Net
from checks.target import Limits, Target, Vantage
from tests.checks.http.server import Names
from tests.checks.instance import families
from tests.checks.instance.samples import Recorded, answer
from tests.checks.instance.test_fuzz import SERVERS

NEEDED = {
    FrontPage, PlainHttp, NoSuchPage, Software, InstanceInfo, ApiPage, SecretPaths, PanelPaths, SecurityTxt,
}  # fmt: skip
PROBES = tuple(p for p in (*http.PROBES, *instance.PROBES) if p.name != "contact")
PAGE = '<html><head><link rel="stylesheet" href="/packs/common.css"></head></html>'


class Counting(Recorded):
    """A client that pays for each request out of the real budget; `/` leads to another page, which costs one
    more, and so do the hosts beside the instance's own."""

    def __init__(self, net: Net, table: dict[str, Page]) -> None:
        super().__init__("site.test", dict(table))
        self._net = net

    async def get(self, url: str, **more: object) -> Page:
        self._net.spend("http")
        await asyncio.sleep(0)
        if url.startswith("http://"):
            return Page(url, 301, (("location", url.replace("http://", "https://")),), "")
        self.host = url.split("/")[2]
        page = await super().get(url)
        return Page(url, page.status, page.headers, page.body)


def scan(table: dict[str, Page], monkeypatch: pytest.MonkeyPatch) -> Gathered:
    site = dict(table)
    site["/"] = Page("https://site.test/", 302, (("location", "/about"), ("content-type", "text/html")), "")
    site["/about"] = answer(PAGE, media_type="text/html")

    def client(net: Net, names: Names, **_: object) -> HttpClient:
        net.spend("http")  # the policy of MTA-STS
        return Counting(net, site)

    monkeypatch.setattr(probes.http, "HttpClient", client)
    return asyncio.run(gather(Target("site.test"), Vantage(), Limits(), probes=PROBES))


FORK = "https://site.test/git/fork"
FORKS: dict[str, dict[str, Page]] = {
    "glitch": families.mastodon("4.6.5+glitch", source=FORK, enabled=True, approval=True),
    "a fork of Misskey": families.misskey("misskey", "2025.4.1-io.13", FORK),
    "a fork of Pixelfed": families.pixelfed("pixelfed", "0.12.6+glitch.1", FORK),
}


ALL = SERVERS | FORKS


@pytest.mark.parametrize("family", ALL)
def test_nothing_that_is_needed_goes_unasked(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    gathered = scan(ALL[family], monkeypatch)
    assert family not in FORKS or gathered.facts.get(SourceOffer).status == 404
    assert set(gathered.facts.found) >= NEEDED
    spared = {kind for kind, gap in gathered.facts.missing.items() if gap.reason is Reason.BUDGET}
    assert spared <= {AssetPage}, "only the look at a static file may be left out"
    for fact in (gathered.facts.get(SecretPaths), gathered.facts.get(PanelPaths)):
        assert not any(getattr(path, "reason", None) for path in fact.paths)
    assert gathered.connections["http"] <= 20
