"""Whether the clock ticks, somebody does the jobs, and nothing waits for ever."""

from __future__ import annotations

import fcntl
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import redis
import redis.exceptions
from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.db.models import Min
from kombu.exceptions import KombuError

from fedisec.scans.models import Pulse, Scan, ScanState
from fedisec.system.line import Line, State

TICKS_LATE = timedelta(minutes=3)  # a pulse is written twice a minute
WAITS_LONG = timedelta(minutes=10)  # of a scan that is due
ASKED_EVERY = timedelta(minutes=5)
ANSWERED_WITHIN_S = 1.0
BROKER_S = 2.0
_KEPT = "system.workers"


def clock(now: datetime) -> Line:
    """The newest pulse of any machine."""
    newest = Pulse.objects.order_by("-at").values_list("at", flat=True).first()
    if newest is None:
        return Line("clock", State.BROKEN, "never")
    data = {"seconds": max(0, round((now - newest).total_seconds()))}
    late = now - newest > TICKS_LATE
    return Line("clock", State.BROKEN if late else State.OK, "stopped" if late else "ticks", data, newest)


def workers(now: datetime) -> Line:
    """Runners of this machine, as the kernel lists them; Celery workers, as they last answered the clock."""
    if not settings.REDIS_URL:
        found = _runners()
        state = State.OK if found else State.BROKEN
        return Line("jobs", state, "runners" if found else "no_runner", {"n": found})
    try:
        kept = cache.get(_KEPT)
    except redis.exceptions.RedisError:
        return Line("jobs", State.UNKNOWN, "no_broker")
    if kept is None:
        return Line("jobs", State.UNKNOWN, "not_asked")
    names, at = kept["names"], datetime.fromisoformat(kept["at"])
    if not names:
        return Line("jobs", State.BROKEN, "no_worker", at=at)
    return Line("jobs", State.OK, "workers", {"n": len(names), "names": ", ".join(names)}, at)


def ask_workers(now: datetime) -> None:
    """For the clock: asks who works behind the broker, now and then, and keeps the answer for pages."""
    if not settings.REDIS_URL:
        return
    with suppress(redis.exceptions.RedisError, KombuError, OSError):
        if cache.add(f"{_KEPT}.asked", now.isoformat(), ASKED_EVERY.total_seconds()):
            answers = current_app.control.inspect(timeout=ANSWERED_WITHIN_S).ping() or {}
            kept = {"names": sorted(answers), "at": now.isoformat()}
            cache.set(_KEPT, kept, 3 * ASKED_EVERY.total_seconds())


def waiting(now: datetime) -> Line:
    """The scan that has been due longest."""
    due = Scan.objects.filter(state=ScanState.QUEUED, due_at__lte=now).aggregate(oldest=Min("due_at"))
    oldest: datetime | None = due["oldest"]
    if oldest is None or now - oldest <= WAITS_LONG:
        return Line("waiting", State.OK, "none")
    data = {"minutes": int((now - oldest).total_seconds() // 60)}
    return Line("waiting", State.BROKEN, "long", data)


def broker(now: datetime) -> Line | None:
    """Where there is one: whether it answers."""
    if not settings.REDIS_URL:
        return None
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=BROKER_S, socket_connect_timeout=BROKER_S
    )
    try:
        client.ping()
    except redis.exceptions.RedisError as error:
        return Line("broker", State.BROKEN, "away", {"why": type(error).__name__})
    finally:
        client.close()
    return Line("broker", State.OK, "answers")


def _runners() -> int:
    """How many runners the `up` of this data folder has alive; 0 where none holds its lock.  PermissionError
    where the lock is somebody else's."""
    lock = settings.DATA / "up.lock"
    if not lock.exists():
        return 0
    with lock.open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _children(file.read().strip())
    return 0


def _children(pid: str) -> int:
    found = 0
    with suppress(OSError):
        for child in Path(f"/proc/{int(pid)}/task/{int(pid)}/children").read_text().split():
            words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            found += b"runner" in words
    return found
