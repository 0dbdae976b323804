"""From notices to mails: what waits, what goes together, what is held.  `plan` is pure; `pack` stores.

A mail that is made says everything that its recipient is to hear by then: an alarm waits half a minute for
others, many servers at once become one mail, and what quiet hours or a snooze held comes as one summary.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fedisec.alerts.models import ALWAYS, MailKind

TOGETHER_FOR = timedelta(minutes=5)
INSTANCES_APART = 3  # more of them within TOGETHER_FOR: one mail about all
HOUR = timedelta(hours=1)
MAILS_AN_HOUR = 20

ALARMS = frozenset(
    {
        MailKind.REGRESSION,
        MailKind.RECOVERY,
        MailKind.UNREACHABLE,
        MailKind.FLAPPING,
        MailKind.BLIND,
        MailKind.CERTIFICATE,
    }
)
# What goes into one mail over all instances, apart from the alarms.
_FAMILIES = {
    MailKind.REMINDER: "reminders",
    MailKind.ENDING: "reminders",
    MailKind.NEWS: "news",
    MailKind.DIGEST: "digest",
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notice that is not packed.  `held_until`: by a snooze of this one instance."""

    pk: int
    kind: MailKind
    instance_id: int | None
    created_at: datetime
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """An alarm mail of the last hour.  `instance_id` None: about several."""

    created_at: datetime
    instance_id: int | None


def plan(
    waiting: Sequence[Waiting],
    made: Sequence[Made],
    now: datetime,
    *,
    held_until: datetime | None = None,
    group_for: timedelta,
) -> list[list[int]]:
    """The mails to make now, each as the keys of its notices; what is not named goes on waiting.  `made`: the
    recipient's alarm mails of the last hour; `held_until`: by quiet hours or a snooze of everything."""
    ripe = now - group_for
    mails = [[one.pk] for one in waiting if one.kind in ALWAYS]
    if held_until is not None and held_until > now:
        return mails
    free = [one for one in waiting if one.held_until is None or one.held_until <= now]
    mails += _alarms([one for one in free if one.kind in ALARMS], made, now, ripe)
    for family in ("reminders", "news", "digest"):
        together = [one for one in free if _FAMILIES.get(one.kind) == family]
        if _is_ripe(together, now, ripe):
            mails.append([one.pk for one in together])
    return mails


def _alarms(
    waiting: Sequence[Waiting], made: Sequence[Made], now: datetime, ripe: datetime
) -> list[list[int]]:
    if not _is_ripe(waiting, now, ripe):
        return []
    if len([one for one in made if one.created_at > now - HOUR]) >= MAILS_AN_HOUR:
        return []  # the rest comes as one mail when the hour has passed
    lately = [one for one in made if one.created_at > now - TOGETHER_FOR]
    instances = {one.instance_id for one in waiting}
    if len(instances | {one.instance_id for one in lately}) <= INSTANCES_APART and None not in {
        one.instance_id for one in lately
    }:
        return [[one.pk for one in waiting if one.instance_id == key] for key in sorted(instances, key=str)]
    return [] if lately else [[one.pk for one in waiting]]


def _is_ripe(waiting: Iterable[Waiting], now: datetime, ripe: datetime) -> bool:
    """Something waits long enough for others to have joined it; a clock that was set back holds nothing."""
    return any(not ripe < one.created_at <= now for one in waiting)
