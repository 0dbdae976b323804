"""What the commands of this app say and ask: words on a terminal, one object of JSON elsewhere."""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, OutputWrapper

from fedisec.moving.sealing import PASSPHRASE_MIN

_EVERY_S = 0.5


def told(out: OutputWrapper, facts: dict[str, Any], words: str) -> None:
    """The outcome of a command."""
    out.write(f"{words}\n" if out.isatty() else json.dumps(facts) + "\n")


class Progress:
    """A line that is written over and over; nothing where nobody looks at a terminal."""

    def __init__(self, out: OutputWrapper) -> None:
        self._out, self._shows, self._next = out, out.isatty(), 0.0

    def __call__(self, table: str, done: int, of: int) -> None:
        if self._shows and time.monotonic() >= self._next:
            self._next = time.monotonic() + _EVERY_S
            self._out.write(
                f"\r{100 * done // max(of, 1):3} %  {done} of {of} rows  {table:40.40}", ending=""
            )
            self._out.flush()

    def end(self) -> None:
        if self._shows:
            self._out.write("\r" + 80 * " " + "\r", ending="")


def passphrase(file: str, twice: bool) -> str:
    """From the first line of `file`, else asked for (`twice`: a new one).  CommandError."""
    if file:
        try:
            given = Path(file).read_text("utf-8").partition("\n")[0].rstrip("\r")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"cannot read the passphrase from {file}: {error}") from error
    else:
        if not sys.stdin.isatty():
            raise CommandError("a passphrase is needed: name a file that holds it with --passphrase-file")
        given = getpass.getpass("Passphrase of the file: ")
        if twice and getpass.getpass("Once more: ") != given:
            raise CommandError("the two are not the same")
    if twice and len(given) < PASSPHRASE_MIN:
        raise CommandError(f"a passphrase has {PASSPHRASE_MIN} characters or more")
    return given


def confirmed(word: str, question: str, yes: bool) -> None:
    """CommandError unless somebody types `word`, or said so beforehand."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise CommandError("nobody is there to ask: give --yes where that is what you want")
    if input(f"{question}\nType {word} to go on: ").strip() != word:
        raise CommandError("nothing was changed")


@contextmanager
def nobody_runs() -> Iterator[None]:
    """CommandError while `manage.py up` of this data folder runs; it cannot start meanwhile."""
    settings.DATA.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(os.open(settings.DATA / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError("fedisec is running here: stop it first (Ctrl-C in its terminal)") from None
        yield


def sized(path: Path) -> str:
    size = float(path.stat().st_size)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def asker(file: str) -> Callable[[], str]:
    """For who asks only where a file needs it."""
    return lambda: passphrase(file, twice=False)
