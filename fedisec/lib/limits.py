"""What a process that does jobs may take: time, as a Celery worker may, and the processor after the pages."""

from __future__ import annotations

import faulthandler
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

BEHIND_PAGES = 15  # nice(2): a page that is asked for gets some thirty times the share of a job


def work_behind_pages() -> None:
    """For a process that does jobs, and what it starts: nobody waits for a scan as one waits for a page."""
    os.nice(BEHIND_PAGES)
    if os.getsid(0) != os.getpid():
        return  # the group below is that of a shell and all that was begun from it
    # Where Linux groups processes by session (sched(7), autogroup), nice counts inside of one only.
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(BEHIND_PAGES), "ascii")


class TimeIsUp(BaseException):
    """The soft limit.  Not an Exception: the broad catches of gather and evaluate must let it pass."""


@contextmanager
def time_limits(soft_s: float, hard_s: float) -> Iterator[None]:
    """Raises TimeIsUp in the block after `soft_s`; ends the whole process, with a traceback, after `hard_s`:
    that also stops a C function which never comes back, and code that swallows what is raised.
    Main thread only."""
    old = signal.signal(signal.SIGALRM, _raise)
    faulthandler.dump_traceback_later(hard_s, exit=True)
    signal.setitimer(signal.ITIMER_REAL, soft_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGALRM, old)


def _raise(number: int, frame: FrameType | None) -> None:
    raise TimeIsUp
