"""A fresh network namespace: lo is up, IPv6 addresses are on it, no route leads out.

    python -m tests.lab.netns COMMAND [ARGUMENT...]

Root needs CAP_SYS_ADMIN; everybody else needs unprivileged user namespaces.  An ordinary user stays that user
inside (PostgreSQL refuses root) and may bind low ports there.  Exit code 77: no namespace can be made here.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.places import IPV6

MARK = "FEDISEC_NETNS"  # set to the identity of the namespace, so that a leftover value deceives nobody
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_SIOCSIFFLAGS, _SIOCSIFADDR = 0x8914, 0x8916
_IFF_UP_RUNNING = 0x1 | 0x40
_NOBODY = 65534
_REFUSED = 77


class NamespaceRefused(Exception):
    """This machine lets us make no network namespace."""


def inside() -> bool:
    """True in a namespace that `enter` made."""
    return os.environ.get(MARK) == os.readlink("/proc/self/ns/net")


def enter() -> None:
    """Moves this process (which must have one thread) into a fresh namespace.  No way back."""
    if inside():
        return
    uid, gid = os.geteuid(), os.getegid()
    if uid == 0 and _unshare(_CLONE_NEWNET):
        _lo_up()
    elif _unshare(_CLONE_NEWUSER | _CLONE_NEWNET):
        _as_user(uid, gid)
    else:
        raise NamespaceRefused("neither root with CAP_SYS_ADMIN nor unprivileged user namespaces")
    os.environ[MARK] = os.readlink("/proc/self/ns/net")


@contextmanager
def apart() -> Iterator[None]:
    """A namespace within the namespace, without the lab's servers, for what this thread starts meanwhile.
    Call it from the main thread.  An ordinary user stays where he is."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    moved = os.geteuid() == 0 and _unshare(_CLONE_NEWNET)
    try:
        if moved:
            _lo_up()
        yield
    finally:
        if moved:
            ctypes.CDLL(None, use_errno=True).setns(home, _CLONE_NEWNET)
        os.close(home)


def _unshare(flags: int) -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) == 0:
        return True
    code = ctypes.get_errno()
    if code in {errno.EPERM, errno.ENOSPC, errno.EUSERS}:
        return False
    raise NamespaceRefused(f"unshare: {os.strerror(code)}")


def _as_user(uid: int, gid: int) -> None:
    """Root of the new user namespace opens the low ports and lo, then becomes the ordinary user again."""
    try:
        _map(0, uid, 0, gid)
        _lo_up()
        Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").write_text("0")
        if not _unshare(_CLONE_NEWUSER):
            raise NamespaceRefused("nested user namespaces are not allowed")
        _map(uid or _NOBODY, 0, gid or _NOBODY, 0)
    except OSError as error:
        raise NamespaceRefused(f"cannot set up the user namespace: {error}") from error


def _map(uid_inside: int, uid_outside: int, gid_inside: int, gid_outside: int) -> None:
    proc = Path("/proc/self")
    (proc / "setgroups").write_text("deny")
    (proc / "uid_map").write_text(f"{uid_inside} {uid_outside} 1")
    (proc / "gid_map").write_text(f"{gid_inside} {gid_outside} 1")


def _lo_up() -> None:
    """By ioctl, as iproute2 is not on every machine.  Addresses that are there already are fine."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as four:
            fcntl.ioctl(four, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", _IFF_UP_RUNNING))
        index = socket.if_nametoindex("lo")
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as six:
            for address in IPV6:
                packed = struct.pack("16sIi", socket.inet_pton(socket.AF_INET6, address), 128, index)
                fcntl.ioctl(six, _SIOCSIFADDR, packed)
    except OSError as error:
        raise NamespaceRefused(f"cannot set up lo with IPv6: {error}") from error


def main(command: list[str]) -> int:
    if not command:
        print("usage: python -m tests.lab.netns COMMAND [ARGUMENT...]", file=sys.stderr)
        return 2
    if shutil.which(command[0]) is None:
        print(f"tests.lab.netns: no such command: {command[0]}", file=sys.stderr)
        return 127
    try:
        enter()
    except NamespaceRefused as error:
        print(f"tests.lab.netns: no network namespace here: {error}", file=sys.stderr)
        return _REFUSED
    os.execvp(command[0], command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
