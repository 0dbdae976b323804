"""All behaviours, found by name."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from tests.hostile.model import Behaviour

# Protocol -> its modules.  Only what is asked for is imported: some make large answers while they are read.
MODULES = {
    "dns": ("dns", "dns_records"),
    "tcp": ("tcp",),
    "tls": ("tls",),
    "smtp": ("smtp",),
    "http": ("http",),
    "json": ("json_answers",),
    "xml": ("xml_answers",),
    "ssh": ("ssh",),
    "collector": ("collector",),
}


@cache
def of_protocol(protocol: str) -> dict[str, Behaviour]:
    """Name -> behaviour."""
    found: dict[str, Behaviour] = {}
    for module in MODULES[protocol]:
        for behaviour in import_module(f"tests.hostile.{module}").BEHAVIOURS:
            assert behaviour.name not in found, behaviour.name
            found[behaviour.name] = behaviour
    return found


def behaviour(name: str) -> Behaviour:
    return of_protocol(name.partition("-")[0])[name]


def behaviours() -> dict[str, Behaviour]:
    """All of them, in the order of the modules."""
    return {name: one for protocol in MODULES for name, one in of_protocol(protocol).items()}
