"""A stop in good order: first the process says that nobody should come any more, then it ends."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType

_asked = threading.Event()


def asked() -> bool:
    """Whether this process was asked to stop, and is still answering."""
    return _asked.is_set()


def stop_after(drain_s: float) -> None:
    """SIGTERM and SIGINT end the process with code 0: `drain_s` later, so that whoever sends people here
    hears of it in time; at once when asked again.  Main thread only."""

    def end(number: int, frame: FrameType | None) -> None:
        sys.exit(0)

    def ask(number: int, frame: FrameType | None) -> None:
        if asked() or not drain_s:
            sys.exit(0)
        _asked.set()
        signal.signal(signal.SIGALRM, end)
        signal.setitimer(signal.ITIMER_REAL, drain_s)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
