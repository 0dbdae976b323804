"""Which RDAP service answers for a name (RFC 9224)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from checks.errors import ParseError
from checks.parse.json_caps import load_object, text_at

_ENTRIES_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """`services`: suffix in A-labels -> base URL, which is https and ends with a slash."""

    publication: str
    services: Mapping[str, str]

    def service_for(self, name: str) -> tuple[str, str] | None:
        """(entry, base URL) by the longest match of whole labels; None where no entry fits."""
        labels = name.split(".")
        for start in range(len(labels)):
            entry = ".".join(labels[start:])
            if entry in self.services:
                return entry, self.services[entry]
        return None


def parse_bootstrap(text: str) -> Bootstrap:
    """The registry file of IANA, or one in its form.  Services of plain http are left out: nobody could tell
    who answers.  `unlisted` is a member of ours in the form of `services`; IANA goes first."""
    document = load_object(text)
    if not isinstance(document.get("services"), list):
        raise ParseError("no list of services")
    found = _services(document["services"])
    for entry, url in _services(document.get("unlisted", [])).items():
        found.setdefault(entry, url)
    if len(found) > _ENTRIES_MAX:
        raise ParseError(f"more than {_ENTRIES_MAX} entries")
    return Bootstrap(text_at(document, "publication", limit=40) or "", found)


def _services(rows: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    if not isinstance(rows, list):
        raise ParseError("services are no list")
    for row in rows:
        if not isinstance(row, list) or len(row) != 2:
            raise ParseError("a service is a pair")
        entries, urls = (_texts(part) for part in row)
        url = next((u for u in urls if _is_https(u)), None)
        if url is not None:
            found.update((entry.lower().strip("."), url.rstrip("/") + "/") for entry in entries)
    return found


def _texts(part: Any) -> list[str]:
    if not isinstance(part, list) or not all(isinstance(value, str) for value in part):
        raise ParseError("entries and addresses are lists of texts")
    return part


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname)
    except ValueError:
        return False
