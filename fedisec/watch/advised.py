"""Published flaws, as fetched, for the look at one instance: what may concern the version seen, or changes
what the shipped table says of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from checks.data.tables import advisories as shipped
from checks.errors import ParseError
from checks.facts import Fact, Facts, MissingFact
from checks.facts.advisories import AdvisoriesKnown, Affected, Offer, Published, Rating
from checks.facts.advisories import Advisory as Said
from checks.facts.software import Software
from checks.parse.advisories import names_of
from checks.parse.running import running
from checks.parse.versions import comparable, parse_version
from fedisec.instances.models import Instance
from fedisec.watch.models import Advisory, Entry, Form, Source, SourceKind, Stack
from fedisec.watch.models import Offer as OfferRow

COLUMNS = (
    "platform", "name", "aliases", "title", "url", "affected", "ratings", "published", "changed", "seen",
    "by_makers", "withdrawn",
)  # fmt: skip


def self_facts(instance: Instance, facts: Facts) -> tuple[Fact, ...]:
    """What was fetched about the software that `facts` show.  Nothing where they show none, or nobody was
    asked about it; four queries at most."""
    try:
        software = running(facts)
    except MissingFact:
        return ()
    platforms = {software.name, software.family} - {""}
    sources = list(Source.objects.filter(kind=SourceKind.ADVISORIES, about__in=platforms, enabled=True))
    releases = _releases(platforms, software.base_version)
    if not sources and not releases:
        return ()
    read = [source.last_ok_at for source in sources if source.last_ok_at and source.form != Form.OFFERS]
    known = AdvisoriesKnown(
        as_of=min(read, default=None),
        advisories=relevant(said_of(fetched(platforms)), _versions(software)),
        offers=_offers(sources, software.base_version),
        releases=releases,
        sources=len(sources),
    )
    return (known,)


def fetched(platforms: Collection[str]) -> list[Advisory]:
    """Those of sources that are switched on."""
    rows = Advisory.objects.filter(platform__in=platforms, source__enabled=True).select_related("source")
    return list(rows.order_by("pk"))


def said_of(rows: Iterable[Advisory]) -> list[Said]:
    return [
        Said(
            row.platform,
            row.name,
            row.title,
            tuple(Affected(*span) for span in row.affected),
            seen=row.seen,
            published=row.published,
            changed=row.changed,
            url=row.url,
            aliases=tuple(row.aliases),
            ratings=tuple(Rating(*given) for given in row.ratings),
            by=row.source.title,
            by_makers=row.by_makers,
            withdrawn=row.withdrawn,
        )
        for row in rows
    ]


def columns_of(said: Said) -> dict[str, Any]:
    """The fields of a row, without those of its life here."""
    return {
        "platform": said.platform,
        "name": said.id,
        "aliases": list(said.aliases),
        "title": said.title,
        "url": said.url,
        "affected": [[span.introduced, span.fixed, span.last] for span in said.affected],
        "ratings": [[given.by, given.word, given.vector] for given in said.ratings],
        "published": said.published,
        "changed": said.changed,
        "seen": said.seen,
        "by_makers": said.by_makers,
        "withdrawn": said.withdrawn,
    }


def relevant(advisories: Iterable[Said], versions: Collection[str]) -> tuple[Said, ...]:
    """Those that may name one of `versions` or a later one, and those that change what the table says."""
    table: dict[tuple[str, str], Said] = {
        (one.platform, name): one for one in shipped() for name in names_of(one)
    }
    kept = []
    for one in advisories:
        ours = [table[key] for name in names_of(one) if (key := (one.platform, name)) in table]
        if one.withdrawn:
            needed = bool(ours)
        elif ours:
            needed = any(not _is_said(one, other) for other in ours)
        else:
            needed = any(_reaches(span, version) for span in one.affected for version in versions)
        if needed:
            kept.append(one)
    return tuple(kept)


def _is_said(one: Said, ours: Said) -> bool:
    """The shipped table says it all."""
    return ours.seen and ours.affected == one.affected and (bool(ours.ratings) or not one.ratings)


def _reaches(span: Affected, version: str) -> bool:
    try:
        here = comparable(version)
        if span.fixed:
            return here < comparable(span.fixed)
        return not span.last or here <= comparable(span.last)
    except ParseError:
        return False


def _versions(software: Software) -> tuple[str, ...]:
    return tuple({software.base_version, software.version} - {""})


def _offers(sources: Sequence[Source], version: str) -> tuple[Offer, ...]:
    asked = [source.pk for source in sources if source.form == Form.OFFERS]
    rows = OfferRow.objects.filter(source__in=asked, version=version) if asked and version else ()
    return tuple(Offer(*one) for row in rows for one in row.offered)


def _releases(platforms: Collection[str], version: str) -> tuple[Published, ...]:
    """The newest of each branch, and the first that follows `version` in its own."""
    rows = Entry.objects.filter(
        source__kind=SourceKind.RELEASE, source__about__in=platforms, source__enabled=True, prerelease=False
    )
    found: dict[str, datetime | None] = {}
    for name, day in rows.order_by("published_at").values_list("version", "published_at"):
        if name and _is_plain(name):
            found.setdefault(name, day)
    branches: dict[tuple[int, ...], str] = {}
    for name in found:
        branch = comparable(name).release[:2]
        if branch not in branches or comparable(name) > comparable(branches[branch]):
            branches[branch] = name
    wanted = set(branches.values())
    if version and _is_plain(version):
        here = comparable(version)
        later = [n for n in found if comparable(n) > here and comparable(n).release[:2] == here.release[:2]]
        wanted |= {min(later, key=comparable)} if later else set()
    return tuple(Published(name, found[name]) for name in sorted(wanted, key=comparable, reverse=True)[:30])


def _is_plain(version: str) -> bool:
    try:
        return not comparable(version).is_prerelease
    except ParseError:
        return False


def versions_of(family: str) -> list[str]:
    """The releases of a family that run here, without what forks append; the oldest first."""
    found = set()
    rows = Stack.objects.filter(family=family, instance__demo=False).order_by()
    for text in rows.values_list("version", flat=True).distinct():
        try:
            read = parse_version(family, text)
            comparable(read.base)
        except ParseError:
            continue
        if not read.prerelease and read.base:
            found.add(read.base)
    return sorted(found, key=comparable)
