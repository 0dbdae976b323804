"""Debian's security tracker: tens of megabytes of JSON, read as they come, wanted packages kept.  Pure.

{package: {name: {"description", "scope", "releases": {code name: {"status": resolved, open or undetermined,
"fixed_version", "urgency", "nodsa", "nodsa_reason", "repositories": {…}}}}}}, see
https://security-tracker.debian.org/tracker/data/json and its repository (bin/tracker_data.py, lib/python).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ijson

from checks.clean import clean
from checks.errors import ParseError
from fedisec.watch.models import FlawState

BYTES_MAX = 256 * 1024 * 1024  # unpacked; 2026 it has some 60 MB
WIRE_MAX = 64 * 1024 * 1024
FLAWS_MAX = 60_000
_DEPTH_MAX = 12
_SILENT_MAX = 1024 * 1024  # bytes without an event: one endless text or number
_RELEASE = 5  # depth of what is said of one release
_ENDED = "end-of-life"


@dataclass(frozen=True, slots=True)
class Said:
    """What a distribution says of one flaw in one package of one release."""

    release: str
    package: str
    name: str
    state: FlawState
    said: str = ""
    fixed: str = ""
    urgency: str = ""


class Tracker:
    """Takes the document in pieces of any size.  ParseError at the first piece that cannot be."""

    def __init__(self, wanted: Mapping[str, frozenset[str]]) -> None:
        """`wanted`: source package -> code names of releases."""
        self.found: list[Said] = []
        self.packages = 0  # all that the document names, wanted or not
        self._wanted = wanted
        self._keys = [""] * (_DEPTH_MAX + 1)
        self._depth = self._fed = self._heard = 0
        self._values: dict[str, str] = {}
        self._parser = ijson.basic_parse_coro(self, use_float=True)

    def feed(self, piece: bytes) -> None:
        if not piece:
            return  # to the parser it would be the end
        self._fed += len(piece)
        if self._fed > BYTES_MAX:
            raise ParseError(f"more than {BYTES_MAX >> 20} MiB of tracker")
        try:
            self._parser.send(piece)
        except ParseError:
            raise
        except (ijson.JSONError, ValueError, OverflowError, SystemError) as error:
            raise ParseError("not JSON") from error
        if self._fed - self._heard > _SILENT_MAX:
            raise ParseError("a text or number of more than 1 MiB")

    def close(self) -> tuple[Said, ...]:
        """All that was found; ParseError where the document has no end, or names no package at all."""
        try:
            self._parser.close()
        except (ijson.JSONError, ValueError, StopIteration) as error:
            raise ParseError("JSON without an end") from error
        if not self.packages or self._depth:
            raise ParseError("no packages in it")
        return tuple(self.found)

    def send(self, event: tuple[str, Any]) -> None:
        """One event of the parser."""
        kind, value = event
        self._heard = self._fed
        if kind == "map_key":
            self._keys[self._depth] = value
            self.packages += self._depth == 1
        elif kind in {"start_map", "start_array"}:
            if self._depth == 0 and kind == "start_array":
                raise ParseError("a list, no tracker")
            self._depth += 1
            if self._depth > _DEPTH_MAX:
                raise ParseError("JSON nested too deep")
            if self._depth == _RELEASE:
                self._values = {}
        elif kind in {"end_map", "end_array"}:
            if self._depth == _RELEASE:
                self._end_release()
            self._depth -= 1
        elif self._depth == _RELEASE and kind == "string" and self._keys[1] in self._wanted:
            self._values[self._keys[_RELEASE]] = value

    def _end_release(self) -> None:
        package, name, part, release = self._keys[1:_RELEASE]
        if part != "releases" or release not in self._wanted.get(package, ()):
            return
        said = _said(release, package, name, self._values)
        if said is not None:
            self.found.append(said)
        if len(self.found) > FLAWS_MAX:
            raise ParseError(f"more than {FLAWS_MAX} flaws")


def _said(release: str, package: str, name: str, values: Mapping[str, str]) -> Said | None:
    """None for what is undetermined, or in words that are not known."""
    status, urgency = values.get("status", ""), clean(values.get("urgency", ""), 30, newlines=False)
    fixed = clean(values.get("fixed_version", ""), 100, newlines=False)
    note = clean(values.get("nodsa", ""), 120, newlines=False)
    reason = values.get("nodsa_reason", "")
    if status == "resolved" and fixed:
        state = FlawState.UNTOUCHED if fixed == "0" else FlawState.FIXED
    elif status != "open":
        return None
    elif urgency == _ENDED:
        state = FlawState.ENDED
    elif reason == "ignored" or urgency == "unimportant":
        state = FlawState.IGNORED
    else:
        state, fixed = FlawState.OPEN, ""
    said = note or (urgency if state is FlawState.IGNORED else "")
    kept = fixed if state is FlawState.FIXED else ""
    return Said(release, package, clean(name, 40, newlines=False), state, said, kept, urgency)
