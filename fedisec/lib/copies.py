"""Processes that are copies of this one: code, texts and addresses are loaded once, their memory is shared.

What a process of Django loads takes 80 MB and seconds of the processor; copies take neither anew.  For a
parent of one thread that holds no connection.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

_fork = multiprocessing.get_context("fork")
_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(
    None, use_errno=True
).prctl  # loaded here: nothing may be looked up between fork and exec


class Process(Protocol):
    """What is asked of a child, be it a program or a copy; as `subprocess.Popen` has it."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...


class Copy:
    """This process once more, in a session of its own, where it calls `run` and ends: with the code of its
    SystemExit, or with 1 and one line or a traceback.  It dies with its parent."""

    def __init__(self, title: str, run: Callable[[], object]) -> None:
        self._process = _fork.Process(target=_be, args=(title, run, os.getpid()), name=title)
        self._process.start()
        self.pid = self._process.pid or 0

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        return code

    def send_signal(self, sig: int) -> None:
        os.kill(self.pid, sig)


def _be(title: str, run: Callable[[], object], parent: int) -> None:
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    bind_to(parent)
    entitle(title)
    try:
        run()
    except OSError as error:
        said = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        sys.stderr.write(f"fedisec: {said}\n")
        sys.exit(1)


def bind_to(parent: int) -> None:
    """For a child that has just begun: it hears signals again, and ends when its parent does."""
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it died in between
        os._exit(1)


def entitle(title: str) -> None:
    """Shows `fedisec TITLE` in lists of processes, in place of the words that the parent was started with;
    as much of it as there is room for.  Left alone where the system does not let us."""
    with suppress(OSError, ValueError, IndexError):
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        start, end = int(fields[45]), int(fields[46])  # proc(5): arg_start and arg_end
        said = b"\0".join(word.encode() for word in ("fedisec", *title.split()))[: end - start - 1]
        if 0 < start < end:
            ctypes.memmove(start, said.ljust(end - start, b"\0"), end - start)
