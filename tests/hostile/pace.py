"""How fast a run goes: a quarter of the product's patience, so that two hundred behaviours end in minutes; every cap
and every count is the product's own.  `whole` leaves the product as it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from unittest import mock

from checks.target import Limits
from tests.hostile.model import LIMITS

# Seconds that one step of a probe waits; in a quarter of the time they must be a quarter, else the walls hide them.
_STEPS: dict[str, tuple[str, ...]] = {
    "checks.probes.net": ("_BACK_OFF_S",),
    "checks.probes.dns": ("_TRIES_S",),
    "checks.probes.dns_zone": ("_SERVER_S",),
    "checks.probes.mail_smtp": ("_REPLY_S",),
    "checks.probes.tls_issuer": ("_WITHIN_S",),
    "checks.probes.origins": ("_STEP_S",),
    "checks.probes.ssh": ("WALL_S",),
    "checks.probes.inside": ("WALL_S",),
}


@contextmanager
def pace(whole: bool) -> Iterator[Limits]:
    """The limits of a look, with the steps of the probes patched to match."""
    if whole:
        yield Limits()
        return
    with ExitStack() as patched:
        for path, names in _STEPS.items():
            module = import_module(path)
            for name in names:
                value = getattr(module, name)
                shorter = tuple(x / 4 for x in value) if isinstance(value, tuple) else value / 4
                patched.enter_context(mock.patch.object(module, name, shorter))
        yield LIMITS
