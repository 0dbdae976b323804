"""Releases by their versions: which entry is one, which is newer, and whom it concerns.  Pure."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from packaging.version import Version

from checks.data.tables import forks
from checks.errors import ParseError
from checks.parse.versions import comparable, parse_version
from fedisec.watch.parsing import FeedEntry

# The tag in the address of a release: GitHub and Forgejo, GitLab's tags and its releases.
_TAG = re.compile(r"/(?:releases/tag|-/tags|-/releases|src/tag)/([^/]{1,100})/?$")
_NUMBER = re.compile(r"\d{1,6}(?:\.\d{1,6}){1,3}")
# GitHub's feed marks a pre-release by nothing but what its makers wrote.
_PRE_NAME = re.compile(
    r"(?<![a-z])(?:pre-?release|release candidate|preview|nightly|snapshot|canary|unstable|alpha|beta|rc)"
    r"(?=\d|[^a-z]|$)|ベータ版|アルファ版|プレリリース|リリース候補|開発版",
    re.IGNORECASE,
)
_PRE_TAG = re.compile(r"\d(?:a|b|c|rc|pre|dev)\.?\d", re.IGNORECASE)  # as PEP 440 and RubyGems write it
_SECURITY = re.compile(
    r"\bsecurity\b|\bvulnerabilit|\bCVE-\d{4}-\d{4,}|\bGHSA-|脆弱性|セキュリティ", re.IGNORECASE
)


def release_of(entry: FeedEntry, software: str) -> tuple[str, bool]:
    """(version to compare by, is a pre-release) of an entry of a release feed; ("", True) where it names no
    version.  The tag in its address counts before its title, which may be a sentence."""
    match = _TAG.search(unquote(urlsplit(entry.url).path))
    text = match[1] if match else entry.title
    family = forks().get(software, software)
    try:
        read = parse_version(family, text)
    except ParseError:
        numbers = _NUMBER.search(text)  # "Release v1.2.3", "akkoma-3.1.0"
        if numbers is None:
            return "", True
        try:
            read = parse_version(family, text[numbers.start() :])
        except ParseError:
            return "", True
    named = _PRE_NAME.search(f"{text} {entry.title}") or _PRE_TAG.search(text)
    return read.base, read.prerelease or named is not None


def speaks_of_security(entry: FeedEntry) -> bool:
    """Its title or the beginning of its notes do."""
    return _SECURITY.search(f"{entry.title} {entry.summary}") is not None


def branch_of(version: str) -> tuple[int, ...]:
    """(major, minor): releases of one branch replace each other.  () for what cannot be compared."""
    try:
        return comparable(version).release[:2]
    except ParseError:
        return ()


def running(family: str, text: str) -> Version | None:
    """What runs, to compare by: a pre-release is older than its release.  None where it cannot be told."""
    try:
        return comparable(text.partition("+")[0].removeprefix("v"))
    except ParseError:
        pass
    try:
        return comparable(parse_version(family, text).base)
    except ParseError:
        return None


def concerns(release: str, newest: str, family: str, text: str) -> bool:
    """Whether who runs `text` is to hear of `release`: it is newer, and either of their branch, or the newest
    of all."""
    here = running(family, text)
    try:
        there, top = comparable(release), comparable(newest)
    except ParseError:
        return False
    if here is None or there <= here:
        return False
    return there.release[:2] == here.release[:2] or there == top
