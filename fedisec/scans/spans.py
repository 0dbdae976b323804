"""When does what the machine says of an item count as changed?  The one place that decides it.

A span is written when status, code, reason or a steady value differ from the scan before.  Values that move
by themselves (days left, hours since, how full a disk is) begin no span, or each day would.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from checks.errors import Reason
from fedisec.scans.models import ItemState, Scan, Span

# item -> keys of its data that differ between two looks at a server that nobody has touched.
MOVING: Mapping[str, frozenset[str]] = {
    "data.database_backup": frozenset({"hours", "days", "ratio", "size", "path"}),  # a dated file a day
    "domain.dnssec": frozenset({"hours", "at", "records", "keys"}),  # whichever signature is the oldest
    "domain.nameservers": frozenset({"serials"}),
    "domain.registration_lasts": frozenset({"days"}),
    "host.auto_updates": frozenset({"hours", "days"}),
    "host.disk_space": frozenset({"percent"}),
    "host.no_reboot_pending": frozenset({"count"}),
    "host.security_updates_applied": frozenset({"hours", "days", "count"}),
    "host.time_synchronised": frozenset({"stratum"}),
    "http.security_txt": frozenset({"days"}),
    "signup.email_blocklist_known": frozenset({"count"}),
    "app.spam_protection": frozenset({"count"}),
    "tls.certificate_lasts": frozenset({"left", "ago", "minutes"}),
    "tls.renewal_automated": frozenset({"left"}),
    "updates.inventory_known": frozenset({"count"}),
    "updates.software_current": frozenset({"days", "as_of"}),
    "updates.stack_supported": frozenset({"as_of"}),
}

# Ways in which one and the same silence is heard.
_SILENCE = frozenset(
    {
        Reason.TIMEOUT,
        Reason.REFUSED,
        Reason.CONNECTION_LOST,
        Reason.UNREACHABLE,
        Reason.BUDGET,
        Reason.BUSY,
        Reason.RESOLVER_FAILED,
    }
)


def steady(item_id: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """`data` without what moves by itself."""
    moving: Collection[str] = MOVING.get(item_id, ())
    return {key: value for key, value in data.items() if key not in moving}


def _heard(reason: str) -> str:
    return "silence" if reason in _SILENCE else reason


@dataclass(frozen=True, slots=True)
class Said:
    """What the machine says of an item, as far as a difference in it counts."""

    status: str
    code: str
    reason: str
    data: Mapping[str, Any]

    @classmethod
    def of(cls, state: ItemState | Span) -> Said:
        return cls(state.status, state.code, _heard(state.reason), steady(state.item_id, state.data))


@dataclass(slots=True)
class Spans:
    """Collects the spans that one scan begins.  `rejudged`: by other rules than those of the scan before."""

    scan: Scan
    at: datetime
    rejudged: bool
    begun: list[Span] = field(default_factory=list)

    def moved(self, before: Said | None, state: ItemState) -> None:
        """To be told of each state once it has moved.  `before`: None for an item never seen."""
        if before == Said.of(state):
            return
        self.begun.append(
            Span(
                instance_id=self.scan.instance_id,
                item_id=state.item_id,
                scan=self.scan,
                first_at=self.at,
                status=state.status,
                code=state.code,
                data=state.data,
                evidence=state.evidence,
                reason=state.reason,
                rejudged=self.rejudged and before is not None,
            )
        )
