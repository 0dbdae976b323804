"""Tells the operators when fedisec itself had no network or did not run: once, when it is over.

Called by dotted path from the settings, inside the transaction that ends the outage; scans lie below alerts.
"""

from __future__ import annotations

from datetime import datetime

from fedisec.alerts.models import MailKind
from fedisec.alerts.notices import tell
from fedisec.alerts.recipients import operators


def back(host: str, since: datetime, until: datetime, waited: int, dropped: int) -> None:
    """A machine had no network.  `waited`: scans that are due by now; `dropped`: looks that were not believed
    and are done again."""
    data = {
        "what": "offline",
        "host": host,
        "since": since.isoformat(),
        "until": until.isoformat(),
        "waited": waited,
        "dropped": dropped,
    }
    tell(MailKind.OUTAGE, f"offline {since.isoformat()} {host}", operators(), until, data=data)


def stood_still(since: datetime, until: datetime, missed: int) -> None:
    """No clock of fedisec ticked.  `missed`: instances that were not looked at in time."""
    data = {"what": "stopped", "since": since.isoformat(), "until": until.isoformat(), "missed": missed}
    tell(MailKind.OUTAGE, f"stopped {since.isoformat()}", operators(), until, data=data)
