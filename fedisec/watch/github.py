"""The security advisories of a repository of GitHub (REST API, "List repository security advisories").  Pure.

Makers write the affected versions by hand: what is not of the plain form is not guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from checks.errors import ParseError
from checks.facts.advisories import Advisory, Affected, Rating
from checks.parse.json_caps import list_at, load_list, load_object, text_at
from checks.parse.versions import comparable
from fedisec.watch.advisory_text import (
    NAME_MAX,
    TITLE_MAX,
    address_of,
    day_of,
    name_of,
    names_of,
    rating_of,
    readable,
    tidy,
)

BY = "GitHub"
_OTHERS = frozenset({"misskey-js"})  # packages of their own that live in the same repository
_NEXT = re.compile(r'<(https?://[^<>"\s]{1,500})>\s*;[^,<>]{0,100}\brel="?next"?', re.IGNORECASE)
_PART = re.compile(r"(>=|<=|<|>|=)?\s*(v?\d[\w.+-]{0,39})")
_EITHER = re.compile(r"\|\||\bor\b|;|\n")
_VERSION = re.compile(r"\d{1,6}(?:\.\d{1,6}){1,3}(?:-[\w.]{1,20})?")


def parse_page(body: bytes, platform: str) -> tuple[Advisory, ...]:
    """The advisories of one page that can be read.  ParseError for what is no list of them."""
    rows = load_list(_text(body))
    if any(not isinstance(row, dict) or "ghsa_id" not in row for row in rows):
        raise ParseError("no list of advisories")
    found = (parse_entry(row, platform) for row in rows)
    return tuple(one for one in found if one is not None)


def parse_one(body: bytes, platform: str) -> Advisory | None:
    return parse_entry(load_object(_text(body)), platform)


def next_page(link: str) -> str:
    """The address of the page that follows, by the Link header (RFC 8288); "" on the last."""
    match = _NEXT.search(link[:4000])
    return match[1] if match else ""


def parse_entry(row: Any, platform: str) -> Advisory | None:
    name = name_of(text_at(row, "ghsa_id", limit=NAME_MAX))
    state = text_at(row, "state") or "published"
    withdrawn = bool(day_of(text_at(row, "withdrawn_at"))) or state in {"withdrawn", "closed"}
    if not name or state in {"draft", "triage"}:
        return None
    parts = [one for one in list_at(row, "vulnerabilities") or () if _is_about(one, platform)]
    spans: list[Affected] = []
    plain = True
    for one in parts:
        try:
            spans += parse_range(
                text_at(one, "vulnerable_version_range") or "", text_at(one, "patched_versions") or ""
            )
        except ParseError:
            plain = False
    found = tidy(spans)
    if not found and not withdrawn:
        return None
    return Advisory(
        platform,
        name,
        text_at(row, "summary", limit=TITLE_MAX) or name,
        found,
        seen=plain and all(span.fixed or span.last for span in found),
        published=day_of(text_at(row, "published_at")),
        changed=day_of(text_at(row, "updated_at")),
        url=address_of(text_at(row, "html_url")),
        aliases=names_of([text_at(row, "cve_id")]),
        ratings=tuple(dict.fromkeys(_ratings(row))),
        by=BY,
        by_makers=True,
        withdrawn=withdrawn,
    )


def parse_range(text: str, patched: str = "") -> list[Affected]:
    """ ">= 4.5.0, < 4.5.4" as ranges; alternatives stand behind "||".  ParseError for anything that is not
    plain.  A range that ends with an affected version is led on to the fix of its branch, if one is named."""
    fixes = [version for version in _VERSION.findall(patched[:500]) if readable(version)]
    return [_span(part, fixes) for part in _EITHER.split(text[:1000]) if part.strip()]


def _span(text: str, fixes: list[str]) -> Affected:
    limits: dict[str, str] = {}
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        version = readable(match[2]) if match else ""
        kind = (match[1] or "=") if match else ""
        if not version or kind in limits:
            raise ParseError("a range of another form")
        limits[kind] = version
    if "=" in limits:
        if len(limits) > 1:
            raise ParseError("a range of another form")
        return Affected(limits["="], last=limits["="])
    if {"<", "<="} <= limits.keys() or {">", ">="} <= limits.keys():
        raise ParseError("a range with two ends")
    low = limits.get(">=") or (f"{limits['>']}.post0" if ">" in limits else "0")
    comparable(low)
    last = limits.get("<=", "")
    return Affected(low, limits.get("<") or _fix_of(last, fixes), "" if _fix_of(last, fixes) else last)


def _fix_of(last: str, fixes: list[str]) -> str:
    """The patched version that follows `last` in its branch, or the only one there is."""
    if not last:
        return ""
    later = sorted((fix for fix in fixes if comparable(fix) > comparable(last)), key=comparable)
    branch = comparable(last).release[:2]
    return next((fix for fix in later if comparable(fix).release[:2] == branch), "")


def _is_about(vulnerability: Any, platform: str) -> bool:
    """Makers leave the package out, or write the name of the software in their own way."""
    package = (text_at(vulnerability, "package", "name") or platform).lower()
    return package not in _OTHERS and platform.partition(".")[0] in package


def _ratings(row: Any) -> Iterator[Rating]:
    word = text_at(row, "severity")
    vectors = [
        text_at(row, "cvss_severities", "cvss_v4", "vector_string"),
        text_at(row, "cvss_severities", "cvss_v3", "vector_string"),
        text_at(row, "cvss", "vector_string"),
    ]
    given: list[str | None] = [vector for vector in vectors if vector]
    for vector in given or [None]:
        rating = rating_of(BY, word, vector)
        if rating is not None:
            yield rating


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParseError("not UTF-8") from error
