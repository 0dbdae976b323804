"""The lab's registry: RDAP for the names below fedi.test, as nginx serves it from files."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from tests.lab import places as at
from tests.lab.ca import LabCa
from tests.lab.nginx import file_location, location, server, tls

SUFFIX = "fedi.test"  # what the registry registers under
GOOD_DAYS_LEFT, BAD_DAYS_LEFT = 300, 12
_TYPE = "application/rdap+json"
_MARK = "REDACTED FOR PRIVACY"


def write_bootstrap(file: Path) -> Path:
    """The list of services for fedisec, in IANA's form."""
    file.parent.mkdir(parents=True, exist_ok=True)
    services = [[[SUFFIX], [f"https://{at.RDAP}/"]]]
    file.write_text(
        json.dumps({"version": "1.0", "publication": "2026-11-21T00:00:00Z", "services": services})
    )
    return file


def rdap_blocks(folder: Path, ca: LabCa) -> list[str]:
    """The server block of the registry; its answers go to `folder`, their dates are counted from now."""
    lines = [*tls(ca.issue(at.RDAP))]
    for name, answer in {at.GOOD: good_answer(ca.now), at.BAD: bad_answer(ca.now)}.items():
        file = folder / f"rdap-{name}.json"
        file.write_text(json.dumps(answer))
        lines += file_location(f"= /domain/{name}", file, _TYPE, {})
    lines += location("/", f"default_type {_TYPE};", "return 404 '{\"errorCode\": 404}';")
    return server((f"{at.RDAP_IP}:443 ssl",), at.RDAP, *lines)


def good_answer(now: dt.datetime) -> dict[str, Any]:
    """Far from its end, locked, and nobody to be seen."""
    status = ["client delete prohibited", "client transfer prohibited"]
    registrant = [["fn", {}, "text", _MARK], ["adr", {}, "text", ["", "", _MARK, _MARK, "", _MARK, "JP"]],
                  ["tel", {}, "text", _MARK], ["email", {}, "text", _MARK]]  # fmt: skip
    answer = _domain(at.GOOD, now, GOOD_DAYS_LEFT, status, registrant)
    paths = ("name", "street", "email")
    answer["redacted"] = [{"name": {"type": f"Registrant {p}"}, "method": "emptyValue"} for p in paths]
    return answer


def bad_answer(now: dt.datetime) -> dict[str, Any]:
    """About to end, free to be carried off, with the owner's name and mail address for everybody."""
    registrant = [["fn", {}, "text", "Taro Yamada"], ["kind", {}, "text", "individual"],
                  ["email", {}, "text", "taro.yamada@bad.fedi.test"]]  # fmt: skip
    return _domain(at.BAD, now, BAD_DAYS_LEFT, ["active"], registrant)


def _domain(
    name: str, now: dt.datetime, days_left: float, status: list[str], registrant: list[Any]
) -> dict[str, Any]:
    def event(action: str, days: float) -> dict[str, str]:
        when = now + dt.timedelta(days=days)
        return {"eventAction": action, "eventDate": when.strftime("%Y-%m-%dT%H:%M:%SZ")}

    # An hour more, so that the whole days are the same on the lab's first day.
    ends = days_left + 1 / 24
    return {
        "rdapConformance": ["rdap_level_0", "redacted"],
        "objectClassName": "domain",
        "ldhName": name.upper(),
        "status": status,
        "events": [event("registration", ends - 730), event("expiration", ends), event("last changed", -60)],
        "entities": [
            _entity("registrar", [["fn", {}, "text", "Lab Registrar"]]),
            _entity("registrant", registrant),
        ],
    }


def _entity(role: str, fields: list[Any]) -> dict[str, Any]:
    card = [["version", {}, "text", "4.0"], *fields]
    return {"objectClassName": "entity", "roles": [role], "vcardArray": ["vcard", card]}
