"""OSV's answers (schema 1.x, ossf.github.io/osv-schema) as advisories.  Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from checks.clean import clean
from checks.errors import ParseError
from checks.facts.advisories import Advisory, Affected, Rating
from checks.parse.json_caps import at, list_at, load_object, text_at
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

BY = "OSV"
_GIVERS = {
    "BIT": "Bitnami",
    "GHSA": "GitHub",
    "CVE": "NVD",
    "PYSEC": "PyPA",
}  # prefix -> whose data OSV hands on


def question(asks: str, page_token: str = "") -> bytes:
    """The body of a query for all flaws of one package.  `asks`: its ecosystem and its name, with a space."""
    ecosystem, _, name = asks.partition(" ")
    body: dict[str, Any] = {"package": {"ecosystem": ecosystem, "name": name}}
    return json.dumps(body | ({"page_token": page_token} if page_token else {})).encode()


def parse_answer(body: bytes, platform: str, asks: str) -> tuple[tuple[Advisory, ...], str]:
    """The advisories of one page and the token of the next, "" at the end.  ParseError for what is no answer;
    an entry that names no version which can be compared is left out."""
    document = _load(body)
    rows = document.get("vulns", [])
    if not isinstance(rows, list):
        raise ParseError("no list of vulnerabilities")
    found = (parse_entry(row, platform, asks) for row in rows[:1000])
    token = at(document, "next_page_token")
    return tuple(one for one in found if one is not None), token if _is_token(token) else ""


def parse_one(body: bytes, platform: str, asks: str) -> Advisory | None:
    """An entry that was asked for by its id."""
    return parse_entry(_load(body), platform, asks)


def parse_entry(row: Any, platform: str, asks: str) -> Advisory | None:
    """None where it says nothing of this package; of a withdrawn one the versions may be missing."""
    name = name_of(text_at(row, "id", limit=NAME_MAX))
    if not name:
        return None
    withdrawn = bool(day_of(text_at(row, "withdrawn")))
    mine = [one for one in list_at(row, "affected") or () if _is_about(one, asks)]
    spans = tidy(span for one in mine for span in _spans(one))
    if not spans and not withdrawn:
        return None
    title = text_at(row, "summary", limit=TITLE_MAX) or text_at(row, "details", limit=TITLE_MAX) or name
    return Advisory(
        platform,
        name,
        title,
        spans,
        seen=all(span.fixed or span.last for span in spans),
        published=day_of(text_at(row, "published")),
        changed=day_of(text_at(row, "modified")),
        url=_address(row, name),
        aliases=names_of(list_at(row, "aliases") or ()),
        ratings=tuple(dict.fromkeys(_ratings(row, mine, name))),
        by=BY,
        withdrawn=withdrawn,
    )


def _load(body: bytes) -> dict[str, Any]:
    try:
        return load_object(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ParseError("not UTF-8") from error


def _is_token(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 2000 and value.isascii() and value.isprintable()


def _is_about(affected: Any, asks: str) -> bool:
    """An ecosystem may have a suffix that narrows it: "Debian:12"."""
    ecosystem, _, name = asks.partition(" ")
    given = (text_at(affected, "package", "ecosystem") or "").partition(":")[0]
    return given == ecosystem and text_at(affected, "package", "name") == name


def _spans(affected: Any) -> Iterator[Affected]:
    found: list[Affected] = []
    for one in list_at(affected, "ranges") or ():
        # Commits cannot be compared; where the database knows the versions behind them it says them beside.
        path = ("database_specific", "versions") if text_at(one, "type") == "GIT" else ("events",)
        found += _walk(list_at(one, *path) or [])
    yield from found
    for version in (list_at(affected, "versions") or ()) if not found else ():
        known = readable(version) if isinstance(version, str) else ""
        if known:
            yield Affected(known, last=known)


def _walk(events: list[Any]) -> Iterator[Affected]:
    """Events are of any order: each opens a range or closes the one before it."""
    points = []
    for event in events:
        for kind, rank in (("fixed", 0), ("last_affected", 2), ("introduced", 1)):
            version = readable(text_at(event, kind, limit=60))
            if version:
                points.append((comparable(version), rank, kind, version))
    begun = ""
    for _, _, kind, version in sorted(points, key=lambda point: point[:2]):
        if kind == "introduced":
            begun = begun or version
        elif begun:
            yield Affected(begun, fixed=version) if kind == "fixed" else Affected(begun, last=version)
            begun = ""
    if begun:
        yield Affected(begun)


def _ratings(row: Any, mine: list[Any], name: str) -> Iterator[Rating]:
    by = _GIVERS.get(name.partition("-")[0], BY)
    word = text_at(row, "database_specific", "severity")
    vectors = [text_at(one, "score") for part in (row, *mine) for one in list_at(part, "severity") or ()]
    for vector in vectors or [None]:
        rating = rating_of(by, word, vector)
        if rating is not None:
            yield rating


def _address(row: Any, name: str) -> str:
    """Of the advisory itself, else of a page about it."""
    found = [
        (text_at(one, "type") or "", address_of(text_at(one, "url")))
        for one in list_at(row, "references") or ()
    ]
    own = next((url for _, url in found if "/security/advisories/" in url), "")
    named = own or next((url for kind, url in found if kind == "ADVISORY" and url), "")
    return clean(named or f"https://osv.dev/vulnerability/{name}", 500, newlines=False)
