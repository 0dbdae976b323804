"""All behaviours, found by name."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec

from tests.hostile.model import Behaviour

MODULES = (
    "dns",
    "dns_records",
    "tcp",
    "tls",
    "smtp",
    "http",
    "json_answers",
    "xml_answers",
    "ssh",
    "collector",
)


@cache
def behaviours() -> dict[str, Behaviour]:
    """Name -> behaviour, in the order of the modules."""
    found: dict[str, Behaviour] = {}
    for module in MODULES:
        path = f"tests.hostile.{module}"
        if find_spec(path) is None:
            continue
        for behaviour in import_module(path).BEHAVIOURS:
            assert behaviour.name not in found, behaviour.name
            found[behaviour.name] = behaviour
    return found
