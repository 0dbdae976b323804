"""Probes of the web phase: what the web server says to a stranger, in as few requests as tell it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from checks.clean import clean
from checks.data.tables import families
from checks.errors import ProbeError, Refused
from checks.facts import Fact, Missing, MissingFact
from checks.facts.http import (
    FOREIGN_ORIGIN,
    AssetPage,
    FrontPage,
    NoSuchPage,
    Page,
    PlainHttp,
    SecurityTxt,
    SignInPage,
)
from checks.facts.software import Software
from checks.parse.answers import first_asset, withheld
from checks.probes.http_client import HttpClient, redirect_of, same_site
from checks.probes.look import Look, Probe
from checks.target import parse_domain

__all__ = ["PROBES", "HttpClient", "redirect_of", "same_site", "kept"]

BODY_KEPT = 16384  # characters of a page that facts keep: enough for <head> and a challenge's marks
_DEEP = "/about"
STRANGER = (("Origin", FOREIGN_ORIGIN),)


def kept(page: Page, limit: int = BODY_KEPT) -> Page:
    """The page as facts keep it: body cleaned and cut."""
    return replace(page, body=clean(page.body, limit) if limit else "")


async def gather_front_page(look: Look) -> Iterable[Fact]:
    url = f"https://{look.target.domain}/"
    page = await look.http.get(url)
    ahead = redirect_of(page)
    if ahead is None or not ahead.startswith(f"https://{look.target.domain}/"):
        return (FrontPage(kept(page)),)
    try:
        return (FrontPage(kept(page), kept(await look.http.get(ahead))),)
    except ProbeError as error:
        return (FrontPage(kept(page), Missing.of(error)),)


async def gather_plain_http(look: Look) -> Iterable[Fact]:
    """The chain from port 80 up to the first https address, three hops at most."""
    host = look.target.domain
    url = f"http://{host}/"
    try:
        hops = [await look.http.get(url, max_body=2048)]
    except Refused:
        return (PlainHttp(closed=True),)
    while len(hops) <= 3:
        ahead = redirect_of(hops[-1])
        if ahead is None or not ahead.startswith("http://") or not _on_site(ahead, host):
            break
        try:
            hops.append(await look.http.get(ahead, max_body=2048))
        except ProbeError as error:
            return (PlainHttp(closed=False, hops=Missing.of(error)),)
    deep: Page | Missing | None = None
    if redirect_of(hops[0]) is not None:
        try:
            deep = kept(await look.http.get(f"http://{host}{_DEEP}", max_body=2048), 2048)
        except ProbeError as error:
            deep = Missing.of(error)
    return (PlainHttp(closed=False, hops=tuple(kept(p, 2048) for p in hops), deep=deep),)


def _on_site(url: str, host: str) -> bool:
    try:
        return same_site(parse_domain(url), host)
    except ValueError:
        return False


async def gather_no_such_page(look: Look) -> Iterable[Fact]:
    """A name nobody can have put there, without a suffix that a rule could catch."""
    path = f"/fedisec-{secrets.token_hex(8)}"
    page = await look.http.get(f"https://{look.target.domain}{path}", headers=STRANGER, max_body=65536)
    return (NoSuchPage(kept(page)),)


async def gather_sign_in(look: Look) -> Iterable[Fact]:
    software = await look.need(Software)
    family = families().get(software.family)
    if family is None or not family.sign_in:
        return ()
    url = f"https://{look.target.domain}{family.sign_in}"
    return (SignInPage(kept(await look.http.get(url, headers=STRANGER, max_body=16384), 2048)),)


async def gather_security_txt(look: Look) -> Iterable[Fact]:
    """The well-known place; the old one only where that answers 404, and last, when requests are left."""
    base, now = f"https://{look.target.domain}", datetime.now(UTC)
    chain = await look.http.follow(f"{base}/.well-known/security.txt", max_body=32768)
    page = chain[-1]
    reason = withheld(page)
    if reason is not None:
        raise MissingFact(reason)
    if page.status == 200:
        return (SecurityTxt(kept(page, 32768), now),)
    await look.after("instance", "hidden_paths", "media", "signed_fetch", "source")
    try:
        page = await look.http.get(f"{base}/security.txt", max_body=32768)
    except ProbeError:
        return (SecurityTxt(None, now),)  # the place that counts is known to be empty
    found = page.status == 200 and page.media_type == "text/plain"
    return (SecurityTxt(kept(page, 32768) if found else None, now, legacy=found),)


async def gather_asset(look: Look) -> Iterable[Fact]:
    """One static file of the front page, with a request that nothing else needs any more."""
    document = (await look.need(FrontPage)).document
    url = None if isinstance(document, Missing) else first_asset(document.body, look.target.domain)
    if url is None:
        return ()
    await look.after("instance", "sign_in", "hidden_paths", "media", "signed_fetch", "source", "mta_sts")
    return (AssetPage(kept(await look.http.get(url, max_body=0), 0)),)


PROBES: tuple[Probe, ...] = (
    Probe("front_page", "web", (FrontPage,), gather_front_page),
    Probe("plain_http", "web", (PlainHttp,), gather_plain_http),
    Probe("no_such_page", "web", (NoSuchPage,), gather_no_such_page),
    Probe("sign_in", "web", (SignInPage,), gather_sign_in),
    Probe("asset", "web", (AssetPage,), gather_asset),
    Probe("security_txt", "web", (SecurityTxt,), gather_security_txt),
)
