"""Probes of the software phase: which software, which settings, who answers for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from checks.data.tables import families, forks
from checks.errors import Malformed, ParseError, ProbeError, Reason
from checks.facts import Fact, Missing, MissingFact
from checks.facts.dns import Lookup, Outcome
from checks.facts.http import ApiPage, Page
from checks.facts.instance import ContactDomain, InstanceInfo, Software
from checks.parse.answers import withheld
from checks.parse.instance_api import Doc, Docs, read_instance
from checks.parse.json_caps import at, bool_at, load_object, text_at
from checks.parse.nodeinfo import NodeInfo, best_link, parse_nodeinfo
from checks.parse.versions import is_injected, is_mastodon, parse_version, really
from checks.probes import hidden
from checks.probes.http import STRANGER, kept
from checks.probes.look import Look, Probe

_JSON = ("Content-Type", "application/json")
_META_BODY = json.dumps({"detail": True}).encode()


class _Api:
    """The public API of one instance; remembers the first readable answer, whose headers count."""

    def __init__(self, look: Look, host: str) -> None:
        self._look, self.base = look, f"https://{host}"
        self.first: Page | None = None

    async def document(self, path: str, *, post: bytes = b"") -> Doc:
        """A JSON object, or why there is none: 404 means that this software does not have the path."""
        try:
            page = await self._page(path, post)
            return load_object(page.body)
        except ParseError as error:
            return Missing(Reason.MALFORMED, f"{path}: {error}")
        except ProbeError as error:
            return Missing.of(error)
        except MissingFact as gap:
            return gap.missing

    async def text(self, path: str) -> str | Missing:
        """A text page; 404 means that there is none."""
        try:
            return (await self._page(path, b"")).body[:65536]
        except ProbeError as error:
            return Missing.of(error)
        except MissingFact as gap:
            return gap.missing

    async def _page(self, path: str, post: bytes) -> Page:
        headers = (*STRANGER, _JSON) if post else STRANGER
        method = "POST" if post else "GET"
        page = await self._look.http.get(self.base + path, method=method, headers=headers, body=post)
        reason = withheld(page)
        if reason is not None:
            raise MissingFact(reason)
        if page.status != 200:
            raise MissingFact(Missing(Reason.NOT_ASKED, f"{path}: HTTP {page.status}"))
        self.first = self.first or page
        return page


async def gather_instance(look: Look) -> Iterable[Fact]:
    """Software and settings.  The handles' domain may lead to another host for NodeInfo: the API is there."""
    found = await _nodeinfo(look)
    if isinstance(found, Missing):
        api = _Api(look, look.target.domain)
        docs = await _without_nodeinfo(api, found)
        recognised = _recognise(docs)
        if recognised is None:
            raise MissingFact(found)
        name, version, via = recognised
    else:
        nodeinfo, host = found
        api = _Api(look, host)
        name, version, via = nodeinfo.name, nodeinfo.version, "nodeinfo"
        docs = await _documents(api, _family(name), nodeinfo)
    software = _software(name, version, via, docs, api.base)
    facts: list[Fact] = [software, read_instance(software.family, docs)]
    if api.first is not None and api.base == f"https://{look.target.domain}":
        facts.append(ApiPage(kept(api.first, 0)))
    return facts


async def _nodeinfo(look: Look) -> tuple[NodeInfo, str] | Missing:
    """The document and the host it lies on: by the link of the well-known one, on this host or the one it
    redirected to."""
    try:
        chain = await look.http.follow(f"https://{look.target.domain}/.well-known/nodeinfo")
        host = urlsplit(chain[-1].url).hostname or ""
        link = best_link(_readable(chain[-1]), frozenset({look.target.domain, host}))
        nodeinfo = parse_nodeinfo(_readable(await look.http.get(link)))
        return nodeinfo, urlsplit(link).hostname or look.target.domain
    except ParseError as error:
        return Missing(Reason.MALFORMED, str(error))
    except ProbeError as error:
        return Missing.of(error)
    except MissingFact as gap:
        return gap.missing


def _readable(page: Page) -> str:
    reason = withheld(page)
    if reason is not None:
        raise MissingFact(reason)
    if page.status != 200:
        raise Malformed(f"NodeInfo: HTTP {page.status}")
    return page.body


async def _documents(api: _Api, family: str, nodeinfo: NodeInfo) -> Docs:
    """The documents that this family has, and no others: requests are counted."""
    if family == "misskey":
        meta = await api.document("/api/meta", post=_META_BODY)
        if not _has_no_such(meta):
            return Docs(nodeinfo, meta=meta)
        # Iceshrimp.NET speaks the Mastodon API alone.
    if family == "lemmy":
        site = await api.document("/api/v3/site")
        return Docs(nodeinfo, site=await api.document("/api/v4/site") if _has_no_such(site) else site)
    if family == "peertube":
        config, about = await asyncio.gather(
            api.document("/api/v1/config"), api.document("/api/v1/config/about")
        )
        return Docs(nodeinfo, config=config, about=about)
    if family in {"pleroma", "akkoma"}:
        v1, captcha, terms = await asyncio.gather(
            api.document("/api/v1/instance"),
            api.document("/api/v1/pleroma/captcha"),
            api.text("/static/terms-of-service.html"),
        )
        return Docs(nodeinfo, v1=v1, captcha=captcha, terms_text=terms)
    if family == "mastodon":
        v2, privacy = await asyncio.gather(
            api.document("/api/v2/instance"), api.document("/api/v1/instance/privacy_policy")
        )
        if not _has_no_such(v2):
            return Docs(nodeinfo, v2=v2, privacy=privacy)
        return Docs(nodeinfo, v2=v2, v1=await api.document("/api/v1/instance"), privacy=privacy)
    v1, v2 = await asyncio.gather(api.document("/api/v1/instance"), api.document("/api/v2/instance"))
    return Docs(nodeinfo, v1=v1, v2=v2)


def _has_no_such(doc: Doc) -> bool:
    """The software has no such path (404 or the like), as opposed to one that is closed or broken."""
    return isinstance(doc, Missing) and doc.reason is Reason.NOT_ASKED


async def _without_nodeinfo(api: _Api, reason: Missing) -> Docs:
    """NodeInfo is malformed or absent: the APIs, until one names a version.  A server that keeps silent or
    sends us away is not asked further."""
    if reason.reason is not Reason.MALFORMED:
        raise MissingFact(reason)
    docs = Docs(reason, v2=await api.document("/api/v2/instance"))
    if text_at(docs.v2, "version") is None:
        docs = replace(docs, v1=await api.document("/api/v1/instance"))
    if _recognise(docs) is None:
        docs = replace(docs, meta=await api.document("/api/meta", post=_META_BODY))
    if _recognise(docs) is None:
        docs = replace(docs, site=await api.document("/api/v3/site"))
    if _recognise(docs) is None:
        docs = replace(docs, config=await api.document("/api/v1/config"))
    return docs


def _recognise(docs: Docs) -> tuple[str, str, str] | None:
    """(name, version, where) from the APIs; a pretended Mastodon version names the real one."""
    for via, doc in (("instance_v2", docs.v2), ("instance_v1", docs.v1)):
        version = text_at(doc, "version", limit=200) or ""
        source = (text_at(doc, "source_url", limit=2000) or "").lower()
        if pretended := really(version):
            return *pretended, via
        if "gotosocial" in source:
            return "gotosocial", version.partition("+")[2] if is_injected(version) else version, via
        if is_mastodon(version):
            return "mastodon", version, via
    if version := text_at(docs.meta, "version", limit=200) or "":
        return _misskey_or_fork(docs.meta), version, "meta"
    if isinstance(at(docs.site, "site_view"), dict) and (version := text_at(docs.site, "version") or ""):
        return "lemmy", version, "site"
    version = text_at(docs.config, "serverVersion", limit=200) or ""
    return ("peertube", version, "config") if version else None


def _misskey_or_fork(meta: Doc) -> str:
    """A fork under a name of its own does not say it here, but where its source lies."""
    source = (text_at(meta, "repositoryUrl", limit=2000) or "").lower()
    names = sorted(forks(), key=len, reverse=True)  # iceshrimp.net before iceshrimp
    return next((name for name in names if forks()[name] == "misskey" and name in source), "misskey")


def _family(name: str) -> str:
    return name if name in families() else forks().get(name, "")


def _software(name: str, version: str, via: str, docs: Docs, base_url: str) -> Software:
    family = _family(name)
    base, fork, prerelease = "", name if name in forks() else "", False
    try:
        read = parse_version(family, version)
    except ParseError:
        pass
    else:
        prerelease = read.prerelease
        follows = not fork or (family == "mastodon" and read.fork == fork)  # 4.0.15+hometown-1.1.1
        base, fork = (read.base if follows else ""), fork or read.fork
    return Software(
        name, family, version, base, fork, prerelease, _source_url(docs, base_url), via, datetime.now(UTC)
    )


def _source_url(docs: Docs, base: str) -> str | None:
    candidates = (
        text_at(docs.v2, "source_url", limit=2000),
        text_at(docs.v1, "source_url", limit=2000),
        text_at(docs.meta, "repositoryUrl", limit=2000),
        _tarball(docs, base),
        None if isinstance(docs.nodeinfo, Missing) else docs.nodeinfo.repository,
    )
    return next((url for url in candidates if url), None)


def _tarball(docs: Docs, base: str) -> str | None:
    """Misskey can hand out its own source in place of a repository's address."""
    version = text_at(docs.meta, "version", limit=80)
    return (
        f"{base}/tarball/misskey-{version}.tar.gz"
        if bool_at(docs.meta, "providesTarball") and version
        else None
    )


async def gather_contact(look: Look) -> Iterable[Fact]:
    """Whether mail to the contact address can arrive at all; nothing is sent."""
    address = (await look.need(InstanceInfo)).contact_email
    if isinstance(address, Missing) or not address or "@" not in address:
        return ()
    domain = address.rsplit("@", 1)[1].strip(" .>").lower()
    mx = await look.dns.query(domain, "MX")
    hosts = tuple(record.lower() for record in mx.records[:10])
    names = [host for record in hosts if (host := record.split()[-1].rstrip("."))]
    resolves = any(await asyncio.gather(*(_has_address(look, name) for name in names[:3])))
    own = False if hosts else await _has_address(look, domain)
    return (ContactDomain(domain, mx.outcome is not Outcome.NO_NAME, hosts, own, resolves),)


async def _has_address(look: Look, name: str) -> bool:
    """An address that mail can be sent to: one of this machine or of a private network is none."""
    found = [await look.dns.ask(name, "A"), await look.dns.ask(name, "AAAA")]
    if any(isinstance(lookup, Lookup) and any(map(look.net.may_dial, lookup.records)) for lookup in found):
        return True
    for lookup in found:
        if isinstance(lookup, Missing):
            raise MissingFact(lookup)
    return False


PROBES: tuple[Probe, ...] = (
    Probe("instance", "software", (Software, InstanceInfo, ApiPage), gather_instance),
    Probe("contact", "software", (ContactDomain,), gather_contact),
    *hidden.PROBES,
)
