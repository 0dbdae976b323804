"""A registry's answer about a domain (RFC 9083): dates, statuses, and which contact data it shows.

The contact data are looked at and dropped: nothing of them but their kinds leaves this module.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import idna

from checks.errors import ParseError, Reason
from checks.facts import Missing
from checks.facts.rdap import ContactRole, RegistrationRecord, RegistryContact, RegistryStatus, ShownKind
from checks.parse.json_caps import at, list_at, load_object, text_at
from checks.parse.rdap_contact import Redactions, Seen, look_at_card

_ENTITIES_MAX = 50
_DEPTH_MAX = 3
_CARD_FORMS = ("jscard", "jscontact", "jscontact_card")  # successors of vcardArray, which nobody serves yet
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.IGNORECASE)
_YEARS = range(1980, 2200)
_STATUSES = {status.value: status for status in RegistryStatus}


def parse_domain_answer(text: str, name: str) -> RegistrationRecord:
    """The record of `name` (A-labels).  ParseError for what is no domain object, or another domain's."""
    document = load_object(text)
    if document.get("objectClassName") != "domain":
        raise ParseError("no domain object")
    if not _is_about(document, name):
        raise ParseError("the answer is about another domain")
    events = _events(document)
    ends = [events[action] for action in ("expiration", "registrar expiration") if action in events]
    entities = list(_entities(document, 0))
    further = _further(document)
    return RegistrationRecord(
        statuses=_statuses(document),
        expires=_earliest(ends),
        registered=events.get("registration"),
        changed=events.get("last changed"),
        registrar=_registrar(entities),
        contacts=_contacts(entities, Redactions.of(document)),
        more_at_registrar=bool(further),
        registrar_url=next((url for url in further if _leads_to(url, name)), ""),
    )


def _is_about(document: dict[str, Any], name: str) -> bool:
    given = text_at(document, "ldhName", limit=300) or text_at(document, "unicodeName", limit=300) or ""
    given = given.rstrip(".").lower()
    if given.isascii():
        return given == name
    try:
        return idna.encode(given, uts46=True).decode("ascii") == name
    except (idna.IDNAError, UnicodeError):
        return False


def _statuses(document: dict[str, Any]) -> tuple[RegistryStatus, ...] | None:
    stated = [value for value in list_at(document, "status") or [] if isinstance(value, str)]
    if not stated:
        return None
    # Some registries send EPP's own spelling: clientTransferProhibited.
    plain = (re.sub(r"(?<=[a-z])(?=[A-Z])", " ", value[:60]).lower().strip() for value in stated)
    return tuple(sorted({_STATUSES[value] for value in plain if value in _STATUSES}))


def _events(document: dict[str, Any]) -> dict[str, datetime | Missing]:
    """Action -> when; of several with one action the earliest."""
    found: dict[str, datetime | Missing] = {}
    for event in list_at(document, "events") or []:
        action, date = text_at(event, "eventAction", limit=60), at(event, "eventDate")
        if action is None:
            continue
        known = found.get(action.lower())
        when = _date(date)
        found[action.lower()] = when if known is None else _earliest([known, when]) or when
    return found


def _date(value: Any) -> datetime | Missing:
    if isinstance(value, str) and len(value) <= 40 and _DATE.fullmatch(value.strip()):
        try:
            found = datetime.fromisoformat(value.strip().upper())
            if found.year in _YEARS:
                return found.astimezone(UTC)
        except ValueError:
            pass
    return Missing(Reason.MALFORMED, "a date that is none")


def _earliest(dates: Iterable[datetime | Missing]) -> datetime | Missing | None:
    """None where there is none; one that cannot be read spoils the others, as it may be the earlier one."""
    all_dates = list(dates)
    gap = next((d for d in all_dates if isinstance(d, Missing)), None)
    return gap or min((d for d in all_dates if isinstance(d, datetime)), default=None)


def _entities(holder: Any, depth: int) -> Iterator[dict[str, Any]]:
    """Those of the domain, and those below them; below a registrar stand its own people."""
    for entity in (list_at(holder, "entities") or [])[:_ENTITIES_MAX]:
        if not isinstance(entity, dict):
            continue
        yield entity
        if depth < _DEPTH_MAX and "registrar" not in _roles(entity):
            yield from _entities(entity, depth + 1)


def _roles(entity: dict[str, Any]) -> list[str]:
    return [role.lower() for role in list_at(entity, "roles") or [] if isinstance(role, str)]


def _registrar(entities: list[dict[str, Any]]) -> str:
    for entity in entities:
        if "registrar" not in _roles(entity):
            continue
        for field in list_at(_card(entity)) or []:
            if isinstance(field, list) and len(field) >= 4 and field[0] == "fn":
                return text_at(field[3], limit=100) or ""
    return ""


def _contacts(entities: list[dict[str, Any]], redactions: Redactions) -> tuple[RegistryContact, ...]:
    found: list[RegistryContact] = []
    for entity in entities[: 2 * _ENTITIES_MAX]:
        for role in ContactRole:
            if role.value in _roles(entity):
                found.append(_contact(entity, role, redactions))
    if redactions.names(ContactRole.REGISTRANT) and all(c.role is not ContactRole.REGISTRANT for c in found):
        found.append(RegistryContact(ContactRole.REGISTRANT, (), masked=True))
    return tuple(found[: 2 * _ENTITIES_MAX])


def _contact(entity: dict[str, Any], role: ContactRole, redactions: Redactions) -> RegistryContact:
    if any(form in entity for form in _CARD_FORMS):
        return RegistryContact(role, Missing(Reason.MALFORMED, "contact data in a form that is not read"))
    if "vcardArray" not in entity:
        return RegistryContact(role, (), redactions.names(role) or _remarked(entity))
    card = _card(entity)
    if card is None:
        return RegistryContact(role, Missing(Reason.MALFORMED, "contact data that are no jCard"))
    seen: Seen = look_at_card(card, mail_replaced=redactions.replaces_mail(role))
    masked = seen.masked or redactions.names(role) or _remarked(entity)
    return RegistryContact(role, tuple(kind for kind in ShownKind if kind in seen.kinds), masked)


def _card(entity: dict[str, Any]) -> list[Any] | None:
    """The fields of the jCard (RFC 7095); None where it is none."""
    card = entity.get("vcardArray")
    if isinstance(card, list) and len(card) == 2 and card[0] == "vcard" and isinstance(card[1], list):
        return card[1][:200]
    return None


def _remarked(entity: dict[str, Any]) -> bool:
    """A remark that says that data were taken out: how it was done before RFC 9537."""
    words = [
        text_at(remark, key, limit=200) or ""
        for remark in list_at(entity, "remarks") or []
        for key in ("title", "type")
    ]
    return any(
        "redacted" in word.lower() or "truncated due to authorization" in word.lower() for word in words
    )


def _further(document: dict[str, Any]) -> list[str]:
    """A registry that keeps no contacts links to the registrar's answer."""
    links = [link for link in (list_at(document, "links") or [])[:20] if at(link, "rel") == "related"]
    found = [text_at(link, "href", limit=500) or "" for link in links]
    return [url for url in found if "/domain/" in url]


def _leads_to(url: str, name: str) -> bool:
    return url.startswith("https://") and url.lower().rpartition("/domain/")[2].rstrip(".") == name
