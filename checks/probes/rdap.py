"""What the registry says of the domain, over RDAP (RFC 9082, RFC 9083): one question per registered name.

The registry is a third party to the scan: it is asked little, and over verified TLS alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from checks.data.dns import lent_names, lent_suffix
from checks.data.rdap import bootstrap
from checks.data.suffixes import lender, public_suffix, registrable
from checks.errors import Malformed, ParseError, ProbeError, Reason, TooLarge, Withheld
from checks.facts import Fact, Missing
from checks.facts.http import Page
from checks.facts.rdap import RegisteredName, Registration, RegistrationRecord
from checks.parse.rdap import parse_domain_answer
from checks.parse.rdap_bootstrap import Bootstrap
from checks.probes.http_client import redirect_of
from checks.probes.look import Look, Probe

_HOPS = 2
# Not every registry knows its own media type.
_ACCEPT = (("Accept", "application/rdap+json, application/json;q=0.9, */*;q=0.8"),)


async def gather_registration(look: Look) -> Iterable[Fact]:
    services, now = _services(look.vantage.rdap_bootstrap), datetime.now(UTC)
    names: dict[str, tuple[RegisteredName, str]] = {}
    for host in (look.target.domain, look.target.mail_domain):
        found, url = _registered(host, services)
        names.setdefault(found.name, (found, url))
    asked = (_asked(look, found, url) for found, url in names.values())
    return (Registration(tuple(await asyncio.gather(*asked)), now),)


def _services(path: str) -> Bootstrap:
    try:
        return bootstrap(path)
    except (OSError, UnicodeError, ParseError) as error:
        raise ProbeError(f"{path}: {error}") from error


def _registered(host: str, services: Bootstrap) -> tuple[RegisteredName, str]:
    """The registered name above a host, and where to ask for it ("" = nowhere).

    Names that somebody lends out, privately or as a dynamic DNS service, have no registration of their own.
    An entry of several labels says that the registry's names lie right below it."""
    lent = lent_names()
    lent_by = lender(host) or lent_suffix(host, lent.tunnels | lent.dynamic)
    if lent_by and lent_by != host:
        return RegisteredName(host, lent_by), ""
    entry, url = services.service_for(host) or ("", "")
    name = registrable(host)
    if entry.count(".") > public_suffix(host).count("."):
        name = ".".join(host.split(".")[-entry.count(".") - 2 :]) if host != entry else None
    if name is None:
        return RegisteredName(host, record=Missing(Reason.NOT_ASKED, "a public suffix itself")), ""
    return RegisteredName(name, server=urlsplit(url).hostname or ""), f"{url}domain/{name}" if url else ""


async def _asked(look: Look, found: RegisteredName, url: str) -> RegisteredName:
    if not url:
        return found
    try:
        record = _read(await _ask(look, url), found.name)
    except ProbeError as error:
        return RegisteredName(found.name, server=found.server, record=Missing.of(error))
    if record is not None and record.registrar_url:
        record = await _with_contacts(look, record, found.name)
    return RegisteredName(found.name, server=found.server, record=record)


async def _with_contacts(look: Look, record: RegistrationRecord, name: str) -> RegistrationRecord:
    """A thin registry (.com, .net) leaves the contacts to the registrar: those of its answer.  Where it gives
    none the record stays as it is, and says that there is more elsewhere."""
    try:
        page = await look.http.get(record.registrar_url, headers=_ACCEPT, verify=True, kind="rdap_hop")
        other = _read(page, name)
    except ProbeError:
        return record
    if other is None:
        return record
    return replace(record, contacts=(*record.contacts, *other.contacts), more_at_registrar=False)


async def _ask(look: Look, url: str) -> Page:
    """The first answer that is no redirect, or the last redirect; never over plain http."""
    page = await look.http.get(url, headers=_ACCEPT, verify=True, kind="rdap")
    for _ in range(_HOPS):
        ahead = redirect_of(page)
        if ahead is None:
            break
        if not ahead.startswith("https://"):
            raise Malformed("a redirect to plain http")
        page = await look.http.get(ahead, headers=_ACCEPT, verify=True, kind="rdap_hop")
    return page


def _read(page: Page, name: str) -> RegistrationRecord | None:
    if page.status == 404:
        return None
    if page.status in {401, 403, 429} or page.status >= 500:
        raise Withheld(f"HTTP {page.status}")
    if page.status != 200:
        raise Malformed(f"HTTP {page.status}")
    if page.truncated:
        raise TooLarge(f"more than {len(page.body)} characters")
    try:
        return parse_domain_answer(page.body, name)
    except ParseError as error:
        raise Malformed(str(error)) from error


PROBES: tuple[Probe, ...] = (Probe("rdap", "dns", (Registration,), gather_registration),)
