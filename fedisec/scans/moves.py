"""One look, handed to the state machine item by item, and what follows: incidents, changes, a second look."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from checks import CHECKS_VERSION
from checks.model import Status
from fedisec.instances.models import Instance
from fedisec.scans import certificates
from fedisec.scans.incidents import Incidents, change_of, silenced, store_changes
from fedisec.scans.models import ITEM, REACH, Change, ItemState, Reach, Scan
from fedisec.scans.reach import Reached
from fedisec.scans.settle import ONE_LOOK, TWO_LOOKS, Kind, Look, settle
from fedisec.scans.settled import keep, state_of
from fedisec.scans.tidy import EvidenceBudget, storable


class Moves:
    """Inside the caller's transaction, which holds the lock on the instance.  `again`: old facts under rules
    that may be new, of which nobody is told.  `heard`: items of whose fall people hear in another way."""

    def __init__(
        self,
        instance: Instance,
        scan: Scan,
        began: datetime,
        now: datetime,
        *,
        again: bool = False,
        heard: Collection[str] = (),
    ) -> None:
        self._instance, self._scan, self._now = instance, scan, now
        self._began, self._again, self._heard = began, again, heard
        self._incidents = Incidents(instance, now)
        self.quiet = silenced(instance, now)
        self.changes: list[Change] = []
        self.confirm_at: datetime | None = None

    def server(self, found: Reached, also: Sequence[str]) -> bool:
        """Moves the state of the server as a whole.  `also`: items that failed in this look for a reason of
        their own.  False while it is not known to answer."""
        row = Reach.objects.filter(instance=self._instance).first()
        if row is None and found.status is Status.UNKNOWN:
            return True
        row = row or Reach(instance=self._instance, since=self._now)
        if found.status is not Status.UNKNOWN:
            _show(row, found, also, self._now)
        self._settle(row, REACH, found.status)
        row.save()
        return Status.FAIL not in {found.status, row.settled}

    def item(self, row: ItemState, status: Status) -> None:
        """Moves what is settled of one item that was seen as `status`; not yet stored."""
        self._settle(row, row.item_id, status)

    def _settle(self, row: ItemState | Reach, item_id: str, status: Status) -> None:
        # A look at single items may stand beside another scan, and old facts are no new look.
        number = 0 if self._again or self._scan.reason == ITEM else self._scan.pk
        step = settle(
            state_of(row, rules="" if self._again else None),  # "" differs from every version
            Look(status, self._began, self._now, CHECKS_VERSION, number),
            timedelta(seconds=settings.CONFIRM_AFTER_S),
            falls_at=TWO_LOOKS if item_id == REACH else ONE_LOOK,
            quiet=item_id in self.quiet,
            heard=item_id in self._heard,
        )
        keep(row, step.state)
        change = change_of(self._scan, item_id, step, self._now, row)
        if item_id == REACH and change is not None and change.kind == Kind.FIRST:
            change = None  # that a server answers is no news
        self._incidents.follow(item_id, step, change)
        self.changes += [change] if change is not None else []
        wanted = [at for at in (self.confirm_at, step.confirm_at) if at is not None]
        self.confirm_at = min(wanted, default=None)

    def store(self) -> None:
        """Incidents and changes, in a few statements whatever their number."""
        self._incidents.store()
        store_changes(self.changes)

    def certificates(self, shown: Sequence[certificates.Shown], states: Iterable[ItemState]) -> None:
        """Has people told of certificates that are not renewed, where the item does not tell it: it tells
        the fall, and before that the second look is waited for.  Silent where it could not judge, as with a
        clock that is wrong."""
        row = next((row for row in states if row.item_id == certificates.ITEM_ID), None)
        if row is None or not shown or row.item_id in self.quiet:
            return
        if row.status == Status.FAIL != row.settled or row.status not in {"pass", "warn", "fail"}:
            return
        tells = any(c.item_id == row.item_id and c.processed_at is None for c in self.changes)
        plain = [(one.fingerprint, one.not_before, one.not_after, one.address) for one in shown]
        import_string(settings.ON_CERTIFICATES)(self._instance, plain, self._now, told=tells)


def _show(row: Reach, found: Reached, also: Sequence[str], now: datetime) -> None:
    if row.status != found.status:
        row.since = now
    row.status, row.code, row.seen_at = found.status.value, found.code, now
    data: dict[str, Any] = {**found.data, "code": found.code, "since": row.since.isoformat()}
    if found.status is Status.FAIL and also:
        data["also"] = list(also)
    row.data = storable(data)
    row.evidence = EvidenceBudget().fit(found.evidence)
