"""Versions of fediverse software: what upstream release is this, and is it a release at all?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from packaging.version import InvalidVersion, Version

from checks.errors import ParseError
from checks.facts.advisories import Affected

_MAX = 200
_PRE = re.compile(r"(?:^|[.-])(?:alpha|beta|rc|nightly|dev|pre|snapshot|unstable|develop)", re.IGNORECASE)
_NUMBERS = re.compile(r"v?(\d{1,6}(?:\.\d{1,6}){0,3})(.*)", re.DOTALL | re.ASCII)
_BUILD = re.compile(r"-\d+-g[0-9a-f]{4,40}")  # git describe: that many commits after the release
_COMPATIBLE = re.compile(r"\(compatible; ([A-Za-z.-]{1,40}) ([^)]{1,100})\)")
_REALLY = re.compile(r"\(not true; really ([A-Za-z.-]{1,40})/([^)]{1,100})\)")
_MASTODON = re.compile(r"\d{1,4}\.\d{1,4}\.\d{1,4}(?:-[0-9A-Za-z.-]{1,60})?(?:\+(.{1,80}))?", re.ASCII)
# A name, with what hangs on it by a hyphen unless that is a number: hometown-1.1.2 is hometown.
_MARKER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}(?:-[A-Za-z][A-Za-z0-9_]{0,39}){0,2}")


@dataclass(frozen=True, slots=True)
class FediVersion:
    base: str  # upstream release, "" where the numbering is a fork's own
    fork: str  # fork marker, "" for upstream
    prerelease: bool


def parse_version(family: str, text: str) -> FediVersion:
    """What a version string of `family` says.  ParseError where it does not begin with a number.

    The suffix after + names a fork on Mastodon and Pixelfed (`+glitch`), a build elsewhere; on Misskey the
    part after the CalVer names the fork (`2025.4.1-io.13`) and is no prerelease."""
    match = _NUMBERS.fullmatch(text[:_MAX].strip())
    if not match:
        raise ParseError("no version number")
    base, rest = match.groups()
    rest, _, plus = rest.partition("+")
    prerelease = bool(_PRE.search(rest))
    fork = ""
    if family in {"mastodon", "pixelfed"}:
        fork = _marker(plus)
    elif family == "misskey":
        fork = _marker(re.sub(r"^-(?:alpha|beta|rc)(?:\.\d+)?(?=-|$)", "", rest).lstrip("-"))
    elif family == "friendica":
        pass  # 2024.08-1571: the number behind is the database's
    elif _BUILD.match(rest) or (rest and not prerelease):
        prerelease = True
    return FediVersion(base, fork, prerelease)


def really(text: str) -> tuple[str, str] | None:
    """(name, version) inside a pretended Mastodon version: "2.7.2 (compatible; Akkoma 3.16.0)"."""
    match = _COMPATIBLE.search(text[:_MAX]) or _REALLY.search(text[:_MAX])
    return (match[1].lower(), match[2].strip()) if match else None


def is_mastodon(text: str) -> bool:
    """Whether a version of the Mastodon API can be Mastodon's own."""
    return _MASTODON.fullmatch(text[:_MAX].strip()) is not None and not is_injected(text)


def is_injected(text: str) -> bool:
    """GoToSocial can be told to write the version of a Mastodon in front of its own ("3.5.3+0.19.2"); what
    forks of Mastodon append never begins with a digit."""
    match = _MASTODON.fullmatch(text[:_MAX].strip())
    return match is not None and (match[1] or "")[:1].isdigit()


@lru_cache(maxsize=4096)
def comparable(text: str) -> Version:
    """The version for comparing; ParseError where it cannot be compared."""
    try:
        return Version(text[:_MAX])
    except (InvalidVersion, ValueError) as error:
        raise ParseError(f"not comparable: {text[:80]!r}") from error


def is_within(version: str, span: Affected) -> bool:
    """True where introduced <= version < fixed, or <= last where no fix is named; ParseError where one of
    them cannot be compared."""
    here = comparable(version)
    if here < comparable(span.introduced):
        return False
    if span.fixed:
        return here < comparable(span.fixed)
    return not span.last or here <= comparable(span.last)


def _marker(text: str) -> str:
    """The name at the beginning of a suffix: "glitch.1.12.1" -> "glitch"."""
    match = _MARKER.match(text)
    return match[0].lower() if match else ""
