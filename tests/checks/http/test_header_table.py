"""Every header case, sent byte for byte by a real server, read by the real client, judged by the real item."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from checks.evaluate import judge
from checks.facts import Fact, Facts
from checks.facts.http import ApiPage, FrontPage, Page, SignInPage
from checks.items import all_items
from checks.model import Status
from checks.probes.http import kept
from tests.checks.http import cases_policy, cases_small, cases_transport
from tests.checks.http.header_case import HeaderCase
from tests.checks.http.server import raw, serving

CASES: list[HeaderCase] = [
    *cases_transport.hsts(),
    *cases_transport.preload(),
    *cases_policy.csp(),
    *cases_policy.baselines(),
    *cases_policy.framing(),
    *cases_small.cookies(),
    *cases_small.cors(),
    *cases_small.small(),
]


async def fetched(case: HeaderCase) -> Page:
    head = [b"HTTP/1.1 %d Case" % case.http_status, b"Content-Length: %d" % len(case.body), *case.lines]
    answer = b"\r\n".join([*head, b"Connection: close", b"", b""]) + case.body
    async with serving(raw(answer)) as site:
        page = await site.client.get(site.url())
    return replace(kept(page), url=f"https://{case.host}/")


def facts_of(case: HeaderCase) -> Facts:
    page = asyncio.run(fetched(case))
    plain = FrontPage(Page(page.url, 200, (("content-type", "text/html"),), ""))
    given: dict[str, tuple[Fact, ...]] = {
        "front": (FrontPage(page),),
        "sign_in": (plain, SignInPage(page)),
        "api": (plain, ApiPage(page)),
    }
    return Facts().with_facts(*given[case.at], *case.beside)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.item}-{case.name}"[:100])
def test_the_verdict_is_right_by_specification(case: HeaderCase) -> None:
    verdict = judge(all_items()[case.item], facts_of(case))
    assert (verdict.status, verdict.code) == (case.status, case.code), (case.spec, verdict)
    assert verdict.evidence or verdict.status not in {Status.PASS, Status.WARN, Status.FAIL}


def test_the_table_is_as_large_as_promised_and_names_no_case_twice() -> None:
    assert len(CASES) >= 200
    assert all(case.spec for case in CASES)
    assert not [name for name, times in Counter((c.item, c.name) for c in CASES).items() if times > 1]
    per_item = Counter(case.item for case in CASES)
    assert min(per_item[f"http.{slug}"] for slug in ("hsts", "csp", "frame_options", "cookies")) >= 20


def test_the_mistakes_of_well_known_scanners_are_in_the_table() -> None:
    """Each of them as the rules name it: who would judge otherwise, and what is right."""
    by_name = {(case.item, case.name): case for case in CASES if case.remark}
    for item, name, who in (
        ("http.hsts", "quoted number, 300 s", "mdn"),
        ("http.hsts", "no number", "mdn"),
        ("http.hsts", "zero, then a long one", "mdn"),
        ("http.hsts", "the same header twice", "mdn"),
        ("http.frame_options", "ancestors *", "mdn"),
        ("http.frame_options", "ALLOW-FROM", "mdn"),
        ("http.cookies", "no Secure behind HSTS", "mdn"),
        ("http.csp", "Mastodon of today", "internet.nl"),
        ("http.csp", "Akkoma's hardening page", "internet.nl"),
    ):
        assert who in by_name[item, name].remark


def test_repeated_lines_reach_the_facts_in_their_order() -> None:
    case = next(c for c in CASES if c.name == "garbage, then long, two headers")
    page = asyncio.run(fetched(case))
    assert page.header_values("strict-transport-security") == ("bogus", "max-age=31536000")
