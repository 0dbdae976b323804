"""Time limits of a job in a process of ours, as strict as those of a Celery worker."""

from __future__ import annotations

import faulthandler
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


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
