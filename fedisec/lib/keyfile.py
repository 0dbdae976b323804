"""The key file as a file: who may read it, and how a new one takes its place.

What the keys in it do is in `fedisec.lib.secrets`.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings

from fedisec.lib import crash

MODE = 0o400
# 32 random bytes as hexadecimal or in base64 are no shorter.
_KEY = re.compile(r"[A-Za-z0-9_+/=-]{43,256}")
_OTHERS_READ, _OTHERS_WRITE = stat.S_IRGRP | stat.S_IROTH, stat.S_IWGRP | stat.S_IWOTH
# What is laid there is seen by the processes of one container alone, whatever its mode.
_CONTAINER_SECRETS = Path("/run/secrets")


class NoKeys(Exception):
    """The key file cannot be used; the message is one sentence with the file's name and the cure.
    `absent`: there is none at all."""

    def __init__(self, said: str, absent: bool = False) -> None:
        super().__init__(said)
        self.absent = absent


def path() -> Path:
    """Where the key file is, or should be."""
    return Path(settings.KEY_FILE)


def read() -> list[str]:
    """The lines of the file, the newest key first; read anew each time, so that a new key counts without a
    restart.  NoKeys."""
    try:
        lines = [line.strip() for line in path().read_text("ascii").splitlines() if line.strip()]
    except OSError as error:
        raise NoKeys(
            f"cannot read the key file {path()} ({error.strerror}): put it back from a backup, "
            "or name it with FEDISEC_KEY_FILE",
            absent=isinstance(error, FileNotFoundError),
        ) from error
    except UnicodeDecodeError:
        lines = []
    if not lines or not all(_KEY.fullmatch(line) for line in lines):
        raise NoKeys(f"{path()} holds no keys: it needs one a line, each of 43 characters or more")
    return lines


def mind_mode() -> str:
    """Makes sure that nobody else of this machine can read or change the file.  Returns a sentence where its
    mode was mended, "" where it was right; NoKeys where it is too open and not ours to mend."""
    try:
        found = path().stat()
    except OSError:
        return ""  # whoever reads it says more
    mode = stat.S_IMODE(found.st_mode)
    if not mode & ~MODE:
        return ""
    if found.st_uid == os.geteuid():
        with suppress(OSError):  # a file system that is read-only
            path().chmod(MODE)
            return f"the key file {path()} had mode {mode:04o}; it has {MODE:04o} now" if mode & 0o077 else ""
    if _is_given():
        return ""
    if mode & _OTHERS_WRITE or mode & _OTHERS_READ and not _by_our_group(found):
        raise NoKeys(
            f"the key file {path()} can be read or changed by others (mode {mode:04o}): "
            f"make it yours alone with chown {os.geteuid()} and chmod {MODE:04o}"
        )
    return ""


def _is_given() -> bool:
    """Whether an orchestrator gave the file (container secrets, systemd's credentials)."""
    places = [_CONTAINER_SECRETS]
    if named := os.environ.get("CREDENTIALS_DIRECTORY"):
        places.append(Path(named))
    return path().absolute().parent in places


def _by_our_group(found: os.stat_result) -> bool:
    """Readable by a group of ours and by nobody else."""
    ours = {os.getegid(), *os.getgroups()}
    return not found.st_mode & stat.S_IROTH and found.st_gid in ours


def new_key() -> str:
    """A line for the file: 64 random bytes."""
    return secrets.token_urlsafe(64)


@contextmanager
def alone() -> Iterator[None]:
    """Holds the folder of the key file, so that of two rotations on one machine the second gives way
    (NoKeys).  What a rotation that was killed left half written is gone afterwards."""
    try:
        folder = os.open(path().parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise NoKeys(f"cannot read the folder of the key file {path()}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NoKeys(f"another rotation of {path()} is under way") from None
        with suppress(OSError):
            _draft().unlink()
        yield
    finally:
        os.close(folder)


def replace(keys: Sequence[str]) -> None:
    """Puts `keys` into the file, all or nothing, with the mode and owner it had; only while `alone`.  NoKeys
    where it cannot be written."""
    try:
        before = path().stat()
        fd = os.open(_draft(), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(fd, "w") as file:
            file.write("".join(f"{key}\n" for key in keys))
            file.flush()
            os.fsync(fd)
            if (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(fd, before.st_uid, before.st_gid)
            os.fchmod(fd, stat.S_IMODE(before.st_mode))
        crash.point("key_drafted")
        os.replace(_draft(), path())
        folder = os.open(path().parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        with suppress(OSError):
            _draft().unlink()
        raise NoKeys(
            f"cannot write the key file {path()} ({error.strerror}): put a new key on its first line by "
            "hand, on every machine, and run rotate_keys --keep-keys"
        ) from error


def _draft() -> Path:
    return path().with_name(f".{path().name}.new")
