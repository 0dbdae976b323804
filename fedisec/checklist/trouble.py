"""What may be wrong with the watching of an instance, apart from its items; and what a filter may ask for."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from fedisec.scans.models import ScanState


class Trouble(StrEnum):
    """A state of the watching itself, the most pressing first."""

    HOST_KEY = "host_key"
    FAILED = "failed"
    UNREACHED = "unreached"
    NEVER = "never"
    PAUSED = "paused"

    @property
    def is_urgent(self) -> bool:
        """Wants a person before the next look."""
        return self in {Trouble.HOST_KEY, Trouble.FAILED, Trouble.UNREACHED}


class Condition(StrEnum):
    """What the overview can be narrowed to; includes every `Trouble`."""

    NEEDS_A_HAND = "needs_a_hand"
    NOT_MET = "not_met"
    MET = "met"
    CHANGED = "changed"
    HOST_KEY = "host_key"
    FAILED = "failed"
    UNREACHED = "unreached"
    NEVER = "never"
    PAUSED = "paused"


def troubles_of(
    *,
    paused: bool,
    newest: str,
    looked_at: datetime | None,
    host_key_changed: bool,
    unreached_since: datetime | None,
) -> tuple[Trouble, ...]:
    """`newest`: state of the newest scan, "" where there is none; `looked_at`: when one last ended well."""
    found = {
        Trouble.HOST_KEY: host_key_changed,
        Trouble.FAILED: newest == ScanState.FAILED,
        Trouble.UNREACHED: unreached_since is not None,
        Trouble.NEVER: looked_at is None,
        Trouble.PAUSED: paused,
    }
    return tuple(trouble for trouble, is_so in found.items() if is_so)
