"""A thread that says we are still at it, and stops the look when somebody else took the scan over."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from fedisec.lib import crash
from fedisec.scans.models import Scan, ScanState

log = logging.getLogger(__name__)

WRITE_PAUSE_S = 0.5  # progress is written at most twice a second


class Superseded(Exception):
    """The token is void: the lease ran out and the scan is somebody else's."""


class Heartbeat:
    """Writes heartbeat and progress of a running scan.  `progress` may be given to `gather`."""

    def __init__(self, scan_id: int, token: str) -> None:
        self._mine = Scan.objects.filter(pk=scan_id, token=token, state=ScanState.RUNNING)
        self._pause_s = min(settings.SCAN_LEASE_S / 6, 10.0)
        self._phases: dict[str, tuple[int, int]] = {}
        self._changed, self._over = threading.Event(), threading.Event()
        self.lost = False  # the scan is no longer ours
        self._task: asyncio.Task[Any] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name=f"heartbeat of scan {scan_id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._changed.set()
        self._thread.join()

    def ends(self, task: asyncio.Task[Any] | None) -> None:
        """Names the task that is cancelled when the scan is no longer ours; called inside its loop."""
        self._loop, self._task = asyncio.get_running_loop(), task
        if self.lost and task is not None:
            task.cancel()

    def progress(self, phase: str, done: int, total: int) -> None:
        """Notes progress; never blocks."""
        self._phases[phase] = (done, total)
        self._changed.set()
        crash.point("resolved" if phase == "dns" else "connected")

    def _run(self) -> None:
        try:
            while not self._over.is_set() and self._beat():
                self._over.wait(WRITE_PAUSE_S)
                self._changed.wait(self._pause_s)
        finally:
            connection.close()

    def _beat(self) -> bool:
        """True while the scan is ours, as far as we can tell."""
        self._changed.clear()
        try:
            ours = self._mine.update(heartbeat_at=timezone.now(), progress=dict(self._phases))
        except DatabaseError as error:
            # The record at the end decides; a database that is away for a moment does not end a look.
            log.warning("no heartbeat: %s", type(error).__name__)
            connection.close()
            time.sleep(WRITE_PAUSE_S)
            return True
        if ours:
            return True
        self.lost = True
        if self._loop is not None and self._task is not None:
            with suppress(RuntimeError):  # the loop has just been closed: the look is over
                self._loop.call_soon_threadsafe(self._task.cancel)
        return False
