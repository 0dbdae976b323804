"""The pulse of the clock: fedisec notices afterwards that it had stopped, and tells what was missed.

How long it stood still is read off the machine's uptime, where it is the same machine and it was not started
anew: a clock that somebody sets is no outage.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.module_loading import import_string

from fedisec.instances.models import Instance
from fedisec.scans.models import Pulse

EVERY = timedelta(seconds=30)
WORTH_TELLING = timedelta(hours=1)
SLOTS = 2  # and so many looks at some server missed
FORGOTTEN_AFTER = timedelta(days=30)
_APART = timedelta(minutes=1)  # so far may two clocks, or what one says before and after, be apart


@dataclass(frozen=True, slots=True)
class Machine:
    """`boot` is different after each start of the machine; `uptime_s` since then, asleep or not."""

    boot: str
    uptime_s: float


def machine() -> Machine:
    """This one.  Read from the kernel's files, which no clock that was set has a part in."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return Machine(boot[:36], float(Path("/proc/uptime").read_text("ascii").split()[0]))
    except (OSError, ValueError, IndexError):
        return Machine("", time.monotonic())


def tick(now: datetime, here: Machine | None = None) -> None:
    """Writes the pulse twice a minute; tells the operators when there was none for long."""
    here = here or machine()
    rows = list(Pulse.objects.all())
    mine = next((row for row in rows if row.boot == here.boot), None)
    if mine is not None and not _is_old(mine, here, now):
        return
    with transaction.atomic():
        if mine is not None:
            ours = Pulse.objects.filter(pk=mine.pk, at=mine.at).update(at=now, uptime_s=here.uptime_s)
        else:
            row = Pulse(boot=here.boot, at=now, uptime_s=here.uptime_s)
            ours = len(Pulse.objects.bulk_create([row], ignore_conflicts=True))
            Pulse.objects.filter(at__lt=now - FORGOTTEN_AFTER).delete()
        if ours and rows:
            _tell_what_was_missed(rows, here, now)


def _is_old(row: Pulse, here: Machine, now: datetime) -> bool:
    beat = timedelta(seconds=here.uptime_s - row.uptime_s)
    return not (timedelta(0) <= beat < EVERY and abs(now - row.at - beat) < _APART)


def _tell_what_was_missed(rows: Sequence[Pulse], here: Machine, now: datetime) -> None:
    stood, last = min((_stood_since(row, here, now), row.at) for row in rows)
    if stood <= WORTH_TELLING:
        return
    missed = _missed(stood, now)
    if missed:
        since = last if abs(now - last - stood) < _APART else now - stood
        import_string(settings.ON_RETURN)(since, now, missed)


def _stood_since(row: Pulse, here: Machine, now: datetime) -> timedelta:
    """How long ago that was; zero for what another clock, which is ahead of ours, wrote."""
    if row.boot == here.boot:
        return timedelta(seconds=max(0.0, here.uptime_s - row.uptime_s))
    return max(timedelta(0), now - row.at)


def _missed(stood: timedelta, now: datetime) -> int:
    """Servers whose looks were left out for more than two slots."""
    slot_s = stood.total_seconds() / SLOTS
    outside = Q(next_scan_at__lte=now, interval_s__lt=slot_s)
    inside = Q(next_inside_at__lte=now, inside_interval_s__lt=slot_s)
    return Instance.objects.filter(outside | inside, paused=False, demo=False).count()
