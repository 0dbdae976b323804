"""What the makers of Mastodon answer to "is there something newer than this version?".  Pure."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit, urlunsplit

from checks.errors import ParseError
from checks.facts.advisories import Offer
from checks.parse.json_caps import bool_at, list_at, load_object, text_at
from fedisec.watch.advisory_text import address_of, readable

_KINDS = frozenset({"patch", "minor", "major"})


def question(url: str, version: str) -> str:
    """The address that asks for who runs `version`."""
    return urlunsplit(urlsplit(url)._replace(query=urlencode({"version": version})))


def parse_offers(body: bytes) -> tuple[Offer, ...]:
    """What is offered, the first 50; ParseError where the answer holds no list.  One whose version cannot be
    compared is left out."""
    try:
        document = load_object(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ParseError("not UTF-8") from error
    rows = list_at(document, "updatesAvailable")
    if rows is None:
        raise ParseError("no list of updates")
    found = []
    for row in rows[:50]:
        version, kind = readable(text_at(row, "version", limit=60)), text_at(row, "type") or ""
        if version:
            urgent = bool_at(row, "urgent") is True
            notes = address_of(text_at(row, "releaseNotes"))
            found.append(Offer(version, urgent, kind if kind in _KINDS else "", notes))
    return tuple(dict.fromkeys(found))
