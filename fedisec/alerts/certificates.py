"""Telling that a certificate is not renewed: each threshold once per recipient, until there is a new one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from checks.items import all_items
from fedisec.alerts.models import MailKind, Notice
from fedisec.alerts.notices import tell
from fedisec.alerts.recipients import Recipient, of_instance
from fedisec.instances.models import Instance
from fedisec.scans.certificates import ITEM_ID, NAMES, Threshold, due_threshold

Seen = tuple[str, datetime, datetime, str]
TOLD_WITH_ITEM = "told with the item"

_Key = tuple[int | None, int | None]  # of a recipient: user, channel


def seen(instance: Instance, shown: Sequence[Seen], now: datetime, *, told: bool = False) -> None:
    """What a look has shown: (fingerprint, first and last moment, address) of each certificate; inside the
    transaction that stores the look.  `told`: the item itself tells its fall with this look, so the threshold
    is noted and not told a second time.  No query while all are fresh."""
    late = [one for one in shown if _due(one, now, ()) is not None]
    if not late:
        return
    recipients = of_instance(instance.pk)
    known = _told([fingerprint for fingerprint, *_ in late])
    for one in late:
        for threshold, who in _to_tell(one, recipients, known, now).items():
            _tell(instance, one, threshold, who, now, told=told)


def _due(one: Seen, now: datetime, told: Sequence[str]) -> Threshold | None:
    _, begins, ends, _ = one
    return due_threshold(ends - begins, ends - now, told)


def _told(fingerprints: Sequence[str]) -> dict[tuple[str, _Key], list[str]]:
    """(fingerprint, recipient) -> names of the thresholds told."""
    abouts = [_about(fingerprint, name) for fingerprint in fingerprints for name in sorted(NAMES)]
    found: dict[tuple[str, _Key], list[str]] = defaultdict(list)
    rows = Notice.objects.filter(kind=MailKind.CERTIFICATE, about__in=abouts)
    for about, user, channel in rows.values_list("about", "user_id", "channel_id"):
        fingerprint, _, name = about.partition(" ")
        found[fingerprint, (user, channel)].append(name)
    return found


def _about(fingerprint: str, name: str) -> str:
    return f"{fingerprint} {name}"


def _to_tell(
    one: Seen, recipients: Sequence[Recipient], known: dict[tuple[str, _Key], list[str]], now: datetime
) -> dict[Threshold, list[Recipient]]:
    found: dict[Threshold, list[Recipient]] = defaultdict(list)
    for recipient in recipients:
        key = (recipient.user_id, recipient.channel_id)
        threshold = _due(one, now, known.get((one[0], key), ()))
        if threshold is not None:
            found[threshold].append(recipient)
    return found


def _tell(
    instance: Instance, one: Seen, threshold: Threshold, who: list[Recipient], now: datetime, *, told: bool
) -> None:
    fingerprint, begins, ends, address = one
    about = _about(fingerprint, threshold.name)
    data = {
        "item": ITEM_ID,
        "address": address,
        "fingerprint": fingerprint,
        "not_before": begins.isoformat(),
        "not_after": ends.isoformat(),
        "threshold": threshold.name,
    }
    level = all_items()[ITEM_ID].level
    tell(MailKind.CERTIFICATE, about, who, now, instance_id=instance.pk, data=data, level=level)
    if told:
        new = Notice.objects.filter(kind=MailKind.CERTIFICATE, about=about, delivery=None, created_at=now)
        new.update(dropped_at=now, dropped_why=TOLD_WITH_ITEM)
