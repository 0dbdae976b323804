"""A file that is there whole, or not at all, and for its owner alone."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from fedisec.lib import crash

MODE = 0o600
DRAFT = ".partial"


@contextmanager
def drafted(path: Path) -> Iterator[Path]:
    """A name beside `path` to write to; it takes the place of `path` once the block has ended and all of it
    is on the disk.  FileExistsError where `path` is there already; drafts of others that were killed go."""
    if path.exists():
        raise FileExistsError(17, "is there already", str(path))
    sweep(path.parent)
    draft = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}{DRAFT}")
    try:
        yield draft
        draft.chmod(MODE)
        _to_disk(draft)
        crash.point("backup_drafted")
        _take_place(draft, path)
        _to_disk(path.parent)
    finally:
        with suppress(OSError):
            draft.unlink()


def _take_place(draft: Path, path: Path) -> None:
    """Never over another one; where the file system has no links (FAT, some shares), as far as that goes."""
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:
        if path.exists():
            raise FileExistsError(17, "is there already", str(path)) from None
        draft.rename(path)
    else:
        draft.unlink()


def sweep(folder: Path) -> None:
    """Removes what processes that are gone left half written."""
    for draft in folder.glob(f".*{DRAFT}*"):
        pid = draft.name.removesuffix(DRAFT).rpartition(".")[2].partition("-")[0]
        if not pid.isdigit() or not Path(f"/proc/{pid}").exists():
            with suppress(OSError):
                draft.unlink()


@contextmanager
def writing(path: Path) -> Iterator[IO[bytes]]:
    """As `drafted`, opened for writing."""
    with drafted(path) as draft:
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
        with open(fd, "wb") as file:
            yield file


def _to_disk(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
