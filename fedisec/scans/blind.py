"""What was settled and has not been seen for long: said once, until it is seen again."""

from __future__ import annotations

from datetime import datetime

from checks.errors import Reason
from checks.items import all_items
from checks.model import Level, Status, Verdict
from fedisec.scans.models import ITEM, Change, ItemState, Scan
from fedisec.scans.settle import Kind

SCANS = 3  # in a row, of the whole checklist
BLIND = "blind"  # stands in `Change.item_id`; data has "items"

_STATUSES = frozenset({Status.UNKNOWN, Status.ERROR})
_LEVELS = frozenset({Level.REQUIRED, Level.RECOMMENDED})
# Nobody looked, and a person knows why.
_NOT_LOOKED = frozenset({Reason.NOT_CONNECTED, Reason.NOT_ASKED, Reason.DASHBOARD_ONLY, Reason.NOT_BUILT})


class Blind:
    """Counts for each item the scans in a row that did not see it.  `reached`: False while the whole server
    does not answer, which is news of its own.  A second look, or one at single items, is no further scan."""

    def __init__(self, scan: Scan, *, reached: bool) -> None:
        self._counts = reached and scan.reason not in {ITEM, "confirm"}
        self._scan = scan
        self._items: list[str] = []

    def note(self, row: ItemState, verdict: Verdict, *, quiet: bool) -> None:
        """One verdict, once it is settled in `row`; keeps its count there, as "unseen"."""
        if verdict.status not in _STATUSES:
            row.memory.pop("unseen", None)
            return
        unseen = row.memory.get("unseen", 0)
        item = all_items()[row.item_id]
        matters = row.settled and item.level in _LEVELS and verdict.reason not in _NOT_LOOKED
        if not self._counts or not matters or quiet or unseen >= SCANS:
            return
        row.memory["unseen"] = unseen + 1
        if unseen + 1 == SCANS:
            self._items.append(row.item_id)

    def changes(self, now: datetime) -> list[Change]:
        """One change about all that reached the number with this scan; not yet stored."""
        if not self._items:
            return []
        return [
            Change(
                instance_id=self._scan.instance_id,
                scan=self._scan,
                item_id=BLIND,
                kind=Kind.BLIND.value,
                after=Status.UNKNOWN.value,
                data={"items": self._items},
                created_at=now,
            )
        ]
