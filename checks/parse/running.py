"""Which fediverse software runs, by the better of both sides; and how old a nightly build is."""

from __future__ import annotations

import re
from datetime import date

from checks.errors import ParseError
from checks.facts import Facts, MissingFact
from checks.facts.inside import Inside
from checks.facts.software import Software
from checks.parse.host.versions import parse_app_images
from checks.parse.versions import parse_version

_NIGHTLY = re.compile(r"-nightly\.(\d{4}-\d\d-\d\d)(?!\d)")


def running(facts: Facts) -> Software:
    """As seen from outside, unless that names no version and the inside names one of the same family."""
    outside = facts.maybe(Software)
    if outside is not None and (outside.base_version or outside.prerelease):
        return outside
    inside = _inside(facts)
    if inside is None or (outside is not None and outside.family not in {"", inside.family}):
        return facts.get(Software)
    return inside


def _inside(facts: Facts) -> Software | None:
    """By the one published image of it that runs; None where there is none, or several differ."""
    report = facts.maybe(Inside)
    try:
        images = parse_app_images(report.lines("docker")) if report else ()
    except MissingFact:
        return None
    if report is None or len({(family, text) for family, text, _ in images}) != 1:
        return None
    family, text, image = images[0]
    try:
        read = parse_version(family, text)
    except ParseError:
        return None
    via = f"inside: docker ps ({image})"
    return Software(
        family,
        family,
        text.removeprefix("v"),
        read.base,
        read.fork,
        read.prerelease,
        None,
        via,
        report.seen_at,
    )


def days_since_build(software: Software) -> int:
    """The age of a nightly build by its name, 0 where it names no day."""
    match = _NIGHTLY.search(software.version)
    try:
        return (
            (software.seen_at.date() - date.fromisoformat(match[1])).days if match and software.seen_at else 0
        )
    except ValueError:
        return 0
