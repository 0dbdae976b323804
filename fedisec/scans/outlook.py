"""Whether this machine sees the network at all.  A look through a cut line says nothing about a server.

Anchors are asked before a scan is claimed (the answer holds for a minute) and again after a look that brought
bad news.  What they said stands in one row per machine: who works there shares it, pages show it.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.module_loading import import_string

from fedisec.scans.anchors import RESOLVER, Anchors, anchors, ask
from fedisec.scans.models import Outlook, Scan, ScanState

log = logging.getLogger(__name__)

FRESH = timedelta(seconds=60)  # so long an answer holds while all is well …
ASK_AGAIN = timedelta(seconds=10)  # … and so long while nothing answers
HEARD_LATELY = timedelta(minutes=10)
GONE_AFTER = timedelta(hours=1)  # a machine that asks no more: stopped, or known by another name since
FORGOTTEN_AFTER = timedelta(days=7)
BLIND_CACHE_S = 30.0


@dataclass(slots=True)
class _Memory:
    """What this process knows, so that most questions need no query.  Times are monotonic."""

    online: bool = True
    until: float = 0.0
    blind: Blind | None = None
    blind_until: float = 0.0


@dataclass(frozen=True, slots=True)
class Blind:
    """Machines that see nothing now.  `everywhere`: there is no other that scans."""

    since: datetime
    hosts: tuple[str, ...]
    everywhere: bool


_memory = _Memory()


def forget() -> None:
    """Ends what this process remembers."""
    global _memory
    _memory = _Memory()


def host() -> str:
    """The name of this machine, as its row has it."""
    return socket.gethostname()[:253] or "localhost"


def sees(now: datetime | None = None) -> bool:
    """Whether a scan may be claimed here.  Asks the anchors when nobody on this machine did lately."""
    found = anchors()
    if found is None or time.monotonic() < _memory.until:
        return found is None or _memory.online
    now = now or timezone.now()
    row = Outlook.objects.filter(host=host()).first()
    if row is None:
        return _look_around(found, now)
    online = row.offline_since is None
    left = (FRESH if online else ASK_AGAIN) - (now - row.checked_at)
    if timedelta(0) < left <= FRESH:  # more is left only by a clock that was set back
        return _remember(online, left)
    return _look_around(found, now)


def saw(began: datetime) -> bool:
    """Whether to believe a look of this machine, begun then, that brought bad news.  False where the anchors,
    asked now, do not answer, or did not some time since it began."""
    found = anchors()
    if found is None:
        return True
    row = Outlook.objects.filter(host=host(), offline_since__isnull=False).first()
    return _look_around(found, timezone.now()) and row is None


def watch() -> None:
    """For who has nothing to do: sees whether the network is back, where this process knows it to be gone."""
    if not _memory.online:
        sees()


def drop_look() -> None:
    """Counts a look that was not believed."""
    Outlook.objects.filter(host=host()).update(held_back=F("held_back") + 1)


def blind(now: datetime | None = None) -> Blind | None:
    """The machines without a network, for a banner; None while there is at least a hope.  At most half a
    minute old, and a query only then."""
    if settings.ANCHORS is None:
        return None
    if now is None and time.monotonic() < _memory.blind_until:
        return _memory.blind
    now = now or timezone.now()
    rows = list(Outlook.objects.filter(checked_at__gt=now - HEARD_LATELY).order_by("host"))
    out = [row for row in rows if row.offline_since is not None]
    since = min((row.offline_since for row in out if row.offline_since), default=now)
    _memory.blind = Blind(since, tuple(row.host for row in out), len(out) == len(rows)) if out else None
    _memory.blind_until = time.monotonic() + BLIND_CACHE_S
    return _memory.blind


def is_patchy(now: datetime) -> bool:
    """Some machine that scans misses some of its anchors: parts of the network may be out of its sight."""
    found = anchors()
    if found is None:
        return False
    rows = Outlook.objects.filter(checked_at__gt=now - HEARD_LATELY)
    return any(_misses_some(found, row) for row in rows)


def tick(now: datetime) -> None:
    """Ends the outages of machines that ask no more, and forgets them after a month."""
    for row in Outlook.objects.filter(checked_at__lt=now - GONE_AFTER):
        if row.offline_since is not None:
            _back(row, row.checked_at, {})
        elif row.checked_at < now - timedelta(days=30):
            row.delete()


def is_online(answered: Mapping[str, bool], counted: Collection[str]) -> bool:
    """The rule.  Every look needs the resolver; beside it something else must answer, where anything else is
    `counted`: an anchor whose silence means something."""
    heard = sum(answered.get(name, False) for name in counted)
    return answered.get(RESOLVER, False) and heard >= min(2, len(counted))


def _look_around(found: Anchors, began: datetime) -> bool:
    """Asks, and stores what that brought.  What is silent for the first time is asked twice: three seconds
    without an answer are no outage."""
    row, _ = Outlook.objects.get_or_create(host=host(), defaults={"checked_at": began - FRESH})
    counted = _counted(found, row)
    answered = ask(found)
    if not is_online(answered, counted) and row.offline_since is None:
        answered = {name: did or answered[name] for name, did in ask(found).items()}
    online = is_online(answered, counted)
    heard = {name: began.isoformat() for name, did in answered.items() if did}
    if online and row.offline_since is not None:
        _back(row, began, heard)
    elif not online and row.offline_since is None:
        _gone(row, began, heard)
    else:
        Outlook.objects.filter(pk=row.pk, offline_since=row.offline_since).update(
            checked_at=began, answered={**row.answered, **heard}
        )
    return _remember(online, FRESH if online else ASK_AGAIN)


def _gone(row: Outlook, began: datetime, heard: Mapping[str, str]) -> None:
    """Offline from now on, unless somebody here asked later than we did and was answered."""
    later = Q(checked_at__gt=began) & Q(checked_at__lt=began + HEARD_LATELY)  # not by a clock set back since
    mine = Outlook.objects.filter(~later, pk=row.pk, offline_since=None)
    answered = {**row.answered, **heard}
    if mine.update(offline_since=began, checked_at=began, answered=answered, held_back=0):
        log.error("%s has no network; nothing is judged there (heard: %s)", row.host, sorted(heard))


def _back(row: Outlook, until: datetime, heard: Mapping[str, str]) -> None:
    """Online again.  Whoever flips the row tells of it, in the same transaction."""
    assert row.offline_since is not None
    with transaction.atomic():
        mine = Outlook.objects.filter(pk=row.pk, offline_since=row.offline_since)
        if not mine.update(offline_since=None, checked_at=until, answered={**row.answered, **heard}):
            return
        dropped = Outlook.objects.values_list("held_back", flat=True).get(pk=row.pk)
        waited = Scan.objects.filter(state=ScanState.QUEUED, due_at__lte=until).count()
        import_string(settings.ON_BACK)(row.host, row.offline_since, until, waited, dropped)
    log.warning(
        "%s has a network again, after %s; %d scans wait", row.host, until - row.offline_since, waited
    )


def _counted(found: Anchors, row: Outlook) -> list[str]:
    """The anchors whose silence means something.  Of those that nobody chose: the ones that were heard here
    before.  Where a firewall lets out no DNS but the resolver's, the root servers never are."""
    names = [RESOLVER, *found.shown]
    if found.chosen:
        return names
    since = row.checked_at - FORGOTTEN_AFTER
    return [name for name in names if name == RESOLVER or _heard_at(row.answered, name) > since]


def _misses_some(found: Anchors, row: Outlook) -> bool:
    return any(_heard_at(row.answered, name) < row.checked_at for name in _counted(found, row))


def _heard_at(answered: Mapping[str, str], name: str) -> datetime:
    return datetime.fromisoformat(answered.get(name) or "1970-01-01T00:00:00+00:00")


def _remember(online: bool, fresh_for: timedelta) -> bool:
    _memory.online = online
    _memory.until = time.monotonic() + fresh_for.total_seconds()
    return online
