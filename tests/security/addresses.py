"""Every address of fedisec as a template, from the URL patterns themselves, and what fills the gaps."""

from __future__ import annotations

from django.urls import get_resolver

KNOWN = {
    "domain": ["social.example", "fresh.example", "silent.example"],
    "item_id": ["http.hsts", "tls.versions", "own.1"],
    "token": ["4hUR9cKOw7bTQ2mD1xYzAg"],
    "side": ["outside", "inside"],
    "topic": ["http", "tls"],
}


def templates() -> list[str]:
    """Like "instances/%(domain)s/export/", each once."""
    found: set[str] = set()
    for name in get_resolver().reverse_dict:
        for possibilities, *_rest in get_resolver().reverse_dict.getlist(name):
            found |= {template for template, _names in possibilities}
    return sorted(found)


def fillings(name: str) -> list[str]:
    """What exists in the furnished database, first of all."""
    return KNOWN.get(name, ["1", "2", "3"])
