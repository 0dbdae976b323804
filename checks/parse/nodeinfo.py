"""NodeInfo: discovery and document (schema 2.0 and 2.1; Friendica's 2.2 reads alike)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from checks.errors import ParseError
from checks.parse.json_caps import at, bool_at, int_at, list_at, load_object, text_at

_SCHEMAS = ("/ns/schema/2.1", "/ns/schema/2.0", "/ns/schema/2.2")


@dataclass(frozen=True, slots=True)
class NodeInfo:
    name: str  # lower case
    version: str
    repository: str | None
    open_registrations: bool | None
    users: int | None
    metadata: dict[str, Any]


def best_link(text: str, hosts: frozenset[str]) -> str:
    """The link to the newest schema that is read here, on one of `hosts` and over https alone, so that the
    document cannot send us elsewhere.  ParseError where there is none."""
    links = list_at(load_object(text), "links") or []
    for schema in _SCHEMAS:
        for link in links[:20]:
            rel, href = text_at(link, "rel"), text_at(link, "href", limit=2000)
            if rel and href and rel.endswith(schema) and _is_on(href, hosts):
                return href
    raise ParseError("no link to NodeInfo 2.x on this host")


def parse_nodeinfo(text: str) -> NodeInfo:
    """The document.  ParseError where it names no software."""
    doc = load_object(text)
    name, version = text_at(doc, "software", "name", limit=80), text_at(doc, "software", "version", limit=200)
    if not name or not version:
        raise ParseError("NodeInfo names no software")
    metadata = at(doc, "metadata")
    return NodeInfo(
        name.lower(),
        version,
        text_at(doc, "software", "repository", limit=2000),
        bool_at(doc, "openRegistrations"),
        int_at(doc, "usage", "users", "total"),
        metadata if isinstance(metadata, dict) else {},
    )


def _is_on(href: str, hosts: frozenset[str]) -> bool:
    try:
        parts = urlsplit(href)
        return parts.scheme == "https" and parts.hostname in hosts and parts.port in {None, 443}
    except ValueError:
        return False
