"""Paths that a stranger should not see, the media store, the unsigned fetch of an actor, the source offer.

Every body is recognised by its content; what is not the thing itself is dropped here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from checks.data.tables import families
from checks.errors import Malformed, ParseError, ProbeError
from checks.facts import Fact, Missing, MissingFact
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
from checks.parse.answers import withheld
from checks.parse.json_caps import load_object, text_at
from checks.parse.served import Found, listing_in, panel_in, secret_in
from checks.parse.source_offer import is_upstream, without_query
from checks.probes.http import kept
from checks.probes.http_client import host_of, same_site
from checks.probes.look import Look, Probe

SECRETS = ("/.env", "/.git/config")
_CLOSED = frozenset({401, 403, 404, 405, 410})
_ACTIVITY = (("Accept", "application/activity+json"),)
_ACTORS = frozenset({"Person", "Service", "Application", "Group", "Organization"})


async def gather_hidden_paths(look: Look) -> Iterable[Fact]:
    try:
        family = families().get((await look.need(Software)).family)
    except MissingFact:
        family = None
    try:
        elsewhere = (await look.need(NoSuchPage)).page
    except MissingFact:
        elsewhere = None
    secrets = (*SECRETS, *(family.secrets if family else ()))
    panels = family.panels if family else ("/metrics",)
    seen = await asyncio.gather(
        *(_path(look, path, secret_in, elsewhere) for path in secrets),
        *(_path(look, path, panel_in, elsewhere) for path in panels),
    )
    return SecretPaths(tuple(seen[: len(secrets)])), PanelPaths(tuple(seen[len(secrets) :]))


async def _path(
    look: Look, path: str, recognise: Callable[[str], Found | None], elsewhere: Page | None
) -> PathSeen | Missing:
    """What lies at `path`; Missing where the answer says nothing either way.  `elsewhere`: the answer to a
    path that nobody has; a door that is closed everywhere hides this path from us alone."""
    try:
        page = await look.http.get(f"https://{look.target.domain}{path}", max_body=65536)
    except ProbeError as error:
        return Missing.of(error)
    # Pleroma's health check answers 503 and JSON by itself, healthy or not: the software speaks, no shield.
    speaks = page.status == 200 or (page.status == 503 and page.media_type == "application/json")
    reason = withheld(page)
    if reason is not None and ("challenge" in reason.detail or not (speaks or page.status in _CLOSED)):
        return reason
    if reason is not None and not speaks and (elsewhere is None or elsewhere.status == page.status):
        return reason
    if not speaks or (elsewhere is not None and kept(page).body == elsewhere.body):
        return PathSeen(path, page.status)
    found = recognise(page.body)
    return PathSeen(path, page.status, found.kind, found.proof) if found else PathSeen(path, page.status)


async def gather_media(look: Look) -> Iterable[Fact]:
    """The first upload that can be fetched, and the root it lies in."""
    info = await look.need(InstanceInfo)
    for url in info.media_urls[:1]:
        host = host_of(url)
        page, (where, listing) = await asyncio.gather(
            look.http.get(url, max_body=0), _listing(look, url, host)
        )
        reason = withheld(page)
        if reason is not None:
            raise MissingFact(reason)
        return (MediaSample(host, kept(page, 0), where, listing),)
    return ()


async def _listing(look: Look, url: str, host: str) -> tuple[str, str | Missing | None]:
    """Where a listing was looked for, and the kind that was found.  On the web host itself the root is a
    page of the software, so the folder of the uploads is asked for; elsewhere the root of the bucket."""
    folder = "/" + urlsplit(url).path.lstrip("/").split("/")[0] + "/"
    first = [folder] if host == look.target.domain else ["/", folder]
    where = ""
    for path in first:
        where = f"https://{host}{path}"
        try:
            page = await look.http.get(where, max_body=8192)
        except ProbeError as error:
            return where, Missing.of(error)
        found = listing_in(page.body) if page.status == 200 else None
        if found:
            return where, found.kind
        reason = withheld(page)
        if reason is not None and (page.status not in _CLOSED or "challenge" in reason.detail):
            return where, reason
        if page.status in {401, 403}:
            break  # the store refuses to list; a second look would only cost a request
    return where, None


async def gather_signed_fetch(look: Look) -> Iterable[Fact]:
    url = (await look.need(InstanceInfo)).actor_url
    if not url or not url.startswith("https://"):
        return ()
    if not same_site(host_of(url), look.target.domain):
        raise Malformed("the actor lies on another host")
    page = await look.http.get(url, headers=_ACTIVITY, max_body=65536)
    if page.status != 401:
        reason = withheld(page)
        if reason is not None:
            raise MissingFact(reason)
    return (SignedFetch(url, page.status, _is_actor(page)),)


def _is_actor(page: Page) -> bool:
    try:
        return page.status == 200 and text_at(load_object(page.body), "type") in _ACTORS
    except ParseError:
        return False


async def gather_source(look: Look) -> Iterable[Fact]:
    """Whether a source offer that is not the project's own opens; nothing of the page is read."""
    software = await look.need(Software)
    family = families().get(software.family)
    if (
        family is None
        or not family.agpl
        or not software.source_url
        or is_upstream(software.source_url, family)
    ):
        return ()
    url = without_query(software.source_url)
    return (SourceOffer(url, (await look.http.get(url, max_body=0)).status),)


PROBES: tuple[Probe, ...] = (
    Probe("hidden_paths", "web", (SecretPaths, PanelPaths), gather_hidden_paths),
    Probe("media", "web", (MediaSample,), gather_media),
    Probe("signed_fetch", "software", (SignedFetch,), gather_signed_fetch),
    Probe("source", "software", (SourceOffer,), gather_source),
)
