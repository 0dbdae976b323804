"""Keeps a set of child processes running until told to stop.

Signals are waited for, not caught: the parent sleeps until a child ends or somebody asks it to stop.
A child is a program, or a copy of the parent (`fedisec.lib.copies`).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from fedisec.lib.copies import Copy, Process, bind_to
from fedisec.lib.schema import GAVE_WAY

STOP_SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
_WAITED = STOP_SIGNALS | {signal.SIGCHLD}

BACKOFF_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
STEADY_S = 60.0  # who ran that long starts again with the shortest pause
GRACE_S = 4.0


@dataclass(slots=True)
class Child:
    """One process that is to run always: the program `argv`, or a copy of this process that calls `run`."""

    name: str
    argv: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    run: Callable[[], object] | None = None
    process: Process | None = None
    started: float = 0.0
    failures: int = 0
    start_at: float = 0.0


class Supervisor:
    """Starts children each in a process group of its own, starts them again whatever their exit code, and
    stops all of them: SIGTERM, then SIGKILL to the group, which also ends a pool that hangs."""

    def __init__(self, children: Sequence[Child], say: Callable[[str], None]) -> None:
        self._children, self._say, self._over = children, say, False

    def run(self) -> None:
        """Returns once asked to stop and all children are gone.  Main thread only."""
        # SIGCHLD is ignored by default; a blocked signal that is ignored is never pending.
        old_handler = signal.signal(signal.SIGCHLD, lambda number, frame: None)
        old_mask = signal.pthread_sigmask(signal.SIG_BLOCK, _WAITED)
        try:
            while not self._round():
                pass
        finally:
            self._stop_all()
            signal.pthread_sigmask(signal.SIG_SETMASK, old_mask)
            signal.signal(signal.SIGCHLD, old_handler)

    def _round(self) -> bool:
        """One look at all children, then sleep until something happens; True when asked to stop."""
        now = time.monotonic()
        for child in self._children:
            if child.process is not None and child.process.poll() is not None:
                self._ended(child, now)
            if self._over:
                return True
            if child.process is None and child.start_at <= now:
                _start(child, now)
        waiting = [child.start_at for child in self._children if child.process is None]
        pause = max(0.01, min(waiting) - now) if waiting else 3600.0
        heard = signal.sigtimedwait(_WAITED, pause)
        return heard is not None and heard.si_signo in STOP_SIGNALS

    def _ended(self, child: Child, now: float) -> None:
        assert child.process is not None
        code, child.process = child.process.returncode, None
        if code == GAVE_WAY:
            self._say(f"{child.name} gave way to a newer version; everything stops")
            self._over = True
            return
        child.failures = 0 if now - child.started > STEADY_S else child.failures
        pause = BACKOFF_S[min(child.failures, len(BACKOFF_S) - 1)]
        child.failures += 1
        child.start_at = now + pause
        self._say(f"{child.name} ended with code {code}; it starts again in {pause:.0f} s")

    def _stop_all(self) -> None:
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        ends = time.monotonic() + GRACE_S
        for process in running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, ends - time.monotonic()))
            # The group outlives its leader where that left children behind.
            for end in (os.killpg, os.kill):
                with suppress(ProcessLookupError):
                    end(process.pid, signal.SIGKILL)
            process.wait()


def _start(child: Child, now: float) -> None:
    if child.run is not None:
        child.process = Copy(child.name, child.run)
    else:
        parent = os.getpid()
        child.process = subprocess.Popen(
            child.argv,
            env={**os.environ, **child.env},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: bind_to(parent),
        )
    child.started = now


def stop_on_signal() -> None:
    """For a child: SIGTERM and SIGINT unwind the stack and end the process with code 0."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: sys.exit(0))
