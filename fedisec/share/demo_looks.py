"""What each look of the demo saw: facts of real servers under other names, moved to the day of the look."""

from __future__ import annotations

import copy
import json
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import Any

from checks.codec import decode_facts
from checks.errors import Reason
from checks.facts import Facts
from fedisec.share.demo_story import Server

_FOLDER = Path(__file__).parent / "demo_facts"
_NAME, _V4, _V6 = "demo.example", "192.0.2.10", "2001:db8::10"

_ISO = re.compile(r"20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d(?:\.\d+)?(?:\+00:00|Z)")
_HTTP_DATE = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} 20\d\d \d\d:\d\d:\d\d GMT")


@cache
def _stored(name: str) -> str:
    return (_FOLDER / f"{name}.json").read_text("utf-8")


@cache
def looked_at(name: str) -> datetime:
    """When the real server was looked at."""
    facts = {fact["$"]: fact for fact in json.loads(_stored(name))["found"]}
    return datetime.fromisoformat(facts["Software"]["seen_at"])


def seen_on(server: Server, days_ago: int) -> frozenset[tuple[str, str]]:
    """The chapters of that day as (kind of fact, what was seen); two days with the same saw the same."""
    found = {(kind, c.seen) for c in server.chapters if c.last <= days_ago <= c.first for kind in c.kinds}
    return frozenset(found | {("Software", version_on(server, days_ago))})


def version_on(server: Server, days_ago: int) -> str:
    return min((r for r in server.releases if r.since >= days_ago), key=lambda r: r.since).version


def facts_on(server: Server, days_ago: int, at: datetime) -> Facts:
    """All that the look of that day saw, as if it had ended at `at`."""
    known = {name: _moved(server, name, at) for name in ("good", "bad")}
    document = copy.deepcopy(known[server.base])
    found = {fact["$"]: fact for fact in document["found"]}
    missing = dict(document["missing"])
    # Silence last: whatever a server had been like, then nothing of it was heard.
    for kind, seen in sorted(seen_on(server, days_ago), key=lambda each: each[1] == "silent"):
        if seen == "silent":
            found.pop(kind, None)
            missing[kind] = {"reason": Reason.TIMEOUT.value, "detail": "no answer in 5 s"}
        elif seen in known:
            _take(kind, known[seen], found, missing)
    version = version_on(server, days_ago)
    found["Software"] |= {**server.software, "version": version, "base_version": version, "fork": ""}
    return decode_facts({**document, "found": list(found.values()), "missing": missing})


def _take(kind: str, other: Any, found: dict[str, Any], missing: dict[str, Any]) -> None:
    """One kind of fact, there or missing, as the other server has it."""
    found.pop(kind, None)
    missing.pop(kind, None)
    for fact in other["found"]:
        if fact["$"] == kind:
            found[kind] = fact
    if kind in other["missing"]:
        missing[kind] = other["missing"][kind]


def _moved(server: Server, name: str, at: datetime) -> Any:
    """The stored facts under the names of `server`, with every moment moved by the same span."""
    shift = at - looked_at(name)
    text = _stored(name).replace(_NAME, server.domain)
    for old, new in ((_V6, server.address[1]), (_V4, server.address[0])):
        text = text.replace(f'"{old}"', f'"{new or old}"')
    text = _ISO.sub(lambda found: _iso(found.group(), shift), text)
    return json.loads(_HTTP_DATE.sub(lambda found: _http_date(found.group(), shift), text))


def _iso(text: str, shift: timedelta) -> str:
    moved = datetime.fromisoformat(text) + shift
    return moved.isoformat().replace("+00:00", "Z") if text.endswith("Z") else moved.isoformat()


def _http_date(text: str, shift: timedelta) -> str:
    return format_datetime(parsedate_to_datetime(text).astimezone(UTC) + shift, usegmt=True)
