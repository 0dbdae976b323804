"""Ubuntu's CVEs as its web site answers them, by package and in pages of twenty.  Pure.

{"cves": [{"id", "priority", "packages": [{"name", "statuses": [{"release_codename", "status", "description",
"pocket"}]}]}], "total_results"}, see https://ubuntu.com/security/api/docs.  A page repeats whole notices and
may have megabytes, so only what is wanted of it is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import ijson

from checks.clean import clean
from checks.errors import ParseError
from fedisec.watch.debian import Said
from fedisec.watch.models import FlawState

PAGE = 20  # the most that it gives at once
PAGES_MAX = 50  # of one package
BYTES_MAX = 16 * 1024 * 1024
_SAID_MAX = 5000
_PRO = frozenset({"esm-infra", "esm-apps", "esm-infra-legacy", "esm-apps-legacy", "fips", "ros-esm"})
_PACKAGE = "cves.item.packages.item"
_STATUS = f"{_PACKAGE}.statuses.item"


def url_of(base: str, package: str, releases: Iterable[str], offset: int) -> str:
    """The address of one page: the CVEs that name `package`, the newest first."""
    versions = "".join(f"&version={quote(one, safe='')}" for one in sorted(releases))
    separator = "&" if "?" in base else "?"
    return f"{base}{separator}package={quote(package, safe='')}{versions}&limit={PAGE}&offset={offset}"


@dataclass
class Page:
    """Takes one page; `wanted`: code names of releases."""

    package: str
    wanted: frozenset[str]
    found: list[Said] = field(default_factory=list)
    cves: int = 0
    total: int | None = None

    def read(self, body: bytes) -> None:
        """ParseError for what is no such page."""
        if len(body) > BYTES_MAX:
            raise ParseError(f"more than {BYTES_MAX >> 20} MiB of CVEs")
        parser = ijson.parse_coro(_Events(self), use_float=True)
        try:
            parser.send(body)
            parser.close()
        except ParseError:
            raise
        except (ijson.JSONError, ValueError, OverflowError, SystemError, StopIteration) as error:
            raise ParseError("not JSON") from error
        if self.total is None:
            raise ParseError("JSON, but no list of CVEs")


class _Events:
    def __init__(self, page: Page) -> None:
        self._page = page
        self._name = self._urgency = self._package = ""
        self._of_cve: list[tuple[str, dict[str, str]]] = []
        self._status: dict[str, str] = {}
        self._events = 0

    def send(self, event: tuple[str, str, Any]) -> None:
        prefix, kind, value = event
        if prefix == "total_results" and kind == "number":
            self._page.total = int(min(max(value, 0), 10**6))
        elif kind in {"start_map", "start_array"}:
            self._begin(prefix)
        elif kind == "end_map":
            self._end(prefix)
        elif kind == "string":
            self._take(prefix, value)

    def _begin(self, prefix: str) -> None:
        if prefix.count(".") > 12:
            raise ParseError("JSON nested too deep")
        if prefix == "cves.item":
            self._name = self._urgency = ""
            self._of_cve = []
        elif prefix == _PACKAGE:
            self._package = ""
        elif prefix == _STATUS:
            self._status = {}

    def _take(self, prefix: str, value: str) -> None:
        if prefix == "cves.item.id":
            self._name = clean(value, 40, newlines=False)
        elif prefix == "cves.item.priority":
            self._urgency = clean(value, 30, newlines=False)
        elif prefix == f"{_PACKAGE}.name":
            self._package = value
        elif prefix.startswith(_STATUS + "."):
            self._status[prefix[len(_STATUS) + 1 :]] = clean(value, 120, newlines=False)

    def _end(self, prefix: str) -> None:
        """A name may come after the statuses that it is of, so they wait for the end of the CVE."""
        if prefix == _STATUS and len(self._of_cve) < _SAID_MAX:
            self._of_cve.append(("", self._status))
        elif prefix == _PACKAGE:
            self._of_cve = [(package or self._package, status) for package, status in self._of_cve]
        elif prefix == "cves.item" and self._name:
            self._page.cves += 1
            mine = [status for package, status in self._of_cve if package == self._page.package]
            for status in mine:
                said = _said(self._page.package, self._name, self._urgency, status)
                if said is not None and said.release in self._page.wanted:
                    self._page.found.append(said)


def _said(package: str, name: str, urgency: str, status: dict[str, str]) -> Said | None:
    """None for words that are not known.  What only Ubuntu Pro repairs is open, with the version there."""
    word, about = status.get("status", ""), status.get("description", "")
    release, pocket = status.get("release_codename", ""), status.get("pocket", "")
    fixed = ""
    if word == "released":
        fixed = about[:100]
        state = FlawState.OPEN if pocket in _PRO else FlawState.FIXED
        about = pocket if pocket in _PRO else ""
    elif word in {"not-affected", "DNE"}:
        state, about = FlawState.UNTOUCHED, ""
    elif word in {"needed", "needs-triage", "pending", "deferred"}:
        state, about = FlawState.OPEN, f"{word} {about}".strip()
    elif word == "ignored":
        ended = any(words in about.lower() for words in ("end of", "out of standard support", "end-of-life"))
        state = FlawState.ENDED if ended else FlawState.IGNORED
    else:
        return None
    return Said(release, package, name, state, about[:120], fixed, urgency)
