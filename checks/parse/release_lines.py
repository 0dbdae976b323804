"""Branches of releases as of today: the shipped table with the news of the makers on top; and the way from
one version to one that no advisory names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from checks.data.tables import Branch, Releases
from checks.errors import ParseError
from checks.facts.advisories import Advisory, Published
from checks.parse.advisories import applying, ends_in
from checks.parse.versions import comparable


def refreshed(table: Releases, news: Iterable[Published], as_of: date | None = None) -> Releases:
    """The table with releases that came out since.  What it says of the end of a branch stays; a branch that
    it does not know stands in its place, supported."""
    branches = {branch.name: branch for branch in table.branches}
    for one in sorted(_readable(news), key=lambda one: comparable(one.version)):
        home = branch_of(table, one.version)
        name = home.name if home else ".".join(one.version.split(".")[:2])
        known = branches.get(name)
        day = one.day.date() if one.day else None
        if known is None:
            branches[name] = Branch(name, one.version, day, None)
        elif comparable(one.version) > comparable(known.latest):
            branches[name] = replace(known, latest=one.version)
    ordered = sorted(branches.values(), key=lambda branch: comparable(branch.latest), reverse=True)
    return replace(table, branches=tuple(ordered), as_of=max(table.as_of, as_of or table.as_of))


def branch_of(table: Releases, version: str) -> Branch | None:
    return next((b for b in table.branches if version == b.name or version.startswith(b.name + ".")), None)


def way_out(
    version: str, hits: Sequence[Advisory], known: Sequence[Advisory], table: Releases | None, today: date
) -> str:
    """The release that ends all of `hits`: the newest of the own branch if nothing that is `known` names it,
    else the lowest such one of a supported branch; "" where there is none."""
    platform = hits[0].platform
    own = branch_of(table, version) if table else None
    alive = [b for b in table.branches if not b.ends or b.ends > today] if table else []
    named = {fixed for fixed in ends_in(hits, version) if fixed}
    newest = {branch.latest for branch in alive}
    candidates = sorted((newest | (named if not table else set())) - {version}, key=comparable)
    candidates = [one for one in candidates if comparable(one) > comparable(version)]
    if own is not None and own.latest in candidates:
        candidates.remove(own.latest)
        candidates.insert(0, own.latest)
    for only_seen in (False, True):
        believed = [one for one in known if one.seen or not only_seen]
        for one in candidates:
            if not applying(believed, platform, one):
                return one
    # Releases that came out after the table was made are known by the advisories alone.
    last = max(named, key=comparable, default="")
    return last if last and not applying([one for one in known if one.seen], platform, last) else ""


def days_behind(version: str, news: Iterable[Published], today: date) -> int:
    """Days since the first newer release of the same branch came out; 0 where that is not known."""
    here = comparable(version)
    ahead = [
        one
        for one in _readable(news)
        if comparable(one.version) > here and comparable(one.version).release[:2] == here.release[:2]
    ]
    first = min(ahead, key=lambda one: comparable(one.version), default=None)
    return max(0, (today - first.day.date()).days) if first is not None and first.day else 0


def _readable(news: Iterable[Published]) -> list[Published]:
    found = []
    for one in news:
        try:
            comparable(one.version)
        except ParseError:
            continue
        found.append(one)
    return found
