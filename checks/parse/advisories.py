"""Advisories of several sources as one list: each flaw once, by the best word there is about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from checks.errors import ParseError
from checks.facts.advisories import Advisory, Affected
from checks.parse.severity import severity
from checks.parse.versions import comparable, is_within


def merged(advisories: Iterable[Advisory]) -> tuple[Advisory, ...]:
    """Each flaw of each platform once: those that share an id or an alias are one.  Of several words about a
    flaw the one counts whose versions were seen at the source, then the makers' own, then the newest.  What a
    source has withdrawn and none of the fetched ones upholds is gone."""
    return tuple(best for group in _groups(advisories) if (best := _best(group)) is not None)


def names_of(advisory: Advisory) -> frozenset[str]:
    return frozenset((advisory.id, *advisory.aliases))


def _groups(advisories: Iterable[Advisory]) -> list[list[Advisory]]:
    """Those that share a name, also by way of a third."""
    groups: dict[int, list[Advisory]] = {}
    group_of: dict[tuple[str, str], int] = {}
    for number, one in enumerate(advisories):
        keys = [(one.platform, name) for name in (one.id, *one.aliases)]
        known = sorted({group_of[key] for key in keys if key in group_of})
        home = known[0] if known else number
        groups.setdefault(home, []).append(one)
        for other in known[1:]:
            moved = groups.pop(other)
            groups[home] += moved
            keys += [(row.platform, name) for row in moved for name in (row.id, *row.aliases)]
        group_of.update(dict.fromkeys(keys, home))
    return list(groups.values())


def _best(group: Sequence[Advisory]) -> Advisory | None:
    """None: withdrawn.  `fetched` says so of what fedisec came with; that alone upholds nothing."""
    if len(group) == 1 and not group[0].by:
        return group[0]
    live = [one for one in group if not one.withdrawn]
    if any(one.withdrawn for one in group) and not any(one.by for one in live):
        return None
    if not live:
        return None
    best = max(live, key=lambda one: (one.seen, one.by_makers, one.changed))
    names = dict.fromkeys(name for one in (best, *live) for name in (one.id, *one.aliases))
    ratings = dict.fromkeys(rating for one in (best, *live) for rating in one.ratings)
    known_as = next((name for name in names if name.startswith("CVE-")), best.id)
    others = tuple(name for name in names if name != known_as)
    dated = sorted(one.published for one in live if one.published)
    return replace(
        best, id=known_as, aliases=others, ratings=tuple(ratings), published=dated[0] if dated else ""
    )


def applying(advisories: Iterable[Advisory], platform: str, version: str) -> list[Advisory]:
    """Those that name `version` of `platform`, the worst first.  A version that cannot be compared is named
    by none."""
    try:
        comparable(version)
    except ParseError:
        return []
    hits = [one for one in advisories if one.platform == platform and _names(one.affected, version)]
    return sorted(hits, key=lambda one: (severity(one.ratings).rank, one.id))


def _names(affected: Iterable[Affected], version: str) -> bool:
    for span in affected:
        try:
            if is_within(version, span):
                return True
        except ParseError:  # the others may still be read
            continue
    return False


def ends_in(advisories: Iterable[Advisory], version: str) -> tuple[str, ...]:
    """The release that ends each of `advisories` for who runs `version`; "" where the source names none."""
    found = []
    for one in advisories:
        here = [span.fixed for span in one.affected if _names((span,), version)]
        found.append(max((fixed for fixed in here if fixed), key=comparable, default=""))
    return tuple(found)


def is_open(span: Affected) -> bool:
    """It swallows every version to come."""
    return not span.fixed and not span.last
