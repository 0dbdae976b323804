"""Hand-made answers of a registry."""

from __future__ import annotations

import json
from typing import Any

MASK = "REDACTED FOR PRIVACY"
LOCKED = "client transfer prohibited"
ENDS = "2027-09-17T12:00:00Z"  # 300 days after tests.checks.dns.made.NOW


def field(name: str, value: Any, **parameters: Any) -> list[Any]:
    return [name, parameters, "text", value]


def entity(role: str, *fields: list[Any], **more: Any) -> dict[str, Any]:
    card = {"vcardArray": ["vcard", [field("version", "4.0"), *fields]]} if fields else {}
    return {"objectClassName": "entity", "roles": [role], **card, **more}


def event(action: str, date: Any) -> dict[str, Any]:
    return {"eventAction": action, "eventDate": date}


def domain(*entities: Any, **more: Any) -> dict[str, Any]:
    """A complete, good answer about a.test; a test changes one thing."""
    return {
        "objectClassName": "domain",
        "ldhName": "A.TEST",
        "status": [LOCKED],
        "events": [event("registration", "2020-01-02T03:04:05Z"), event("expiration", ENDS)],
        "entities": [entity("registrar", field("fn", "A Registrar")), *entities],
        **more,
    }


def text(*entities: Any, **more: Any) -> str:
    return json.dumps(domain(*entities, **more))
