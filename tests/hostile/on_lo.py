"""Addresses that nobody may dial, on this namespace's lo, so that whoever dials them is heard."""

from __future__ import annotations

import fcntl
import socket
import struct
from contextlib import suppress

from tests.lab import netns

_SIOCSIFADDR = 0x8916
_FORBIDDEN = ("10.0.0.1", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1")


def add_forbidden() -> None:
    """Where the namespace is ours and we may; elsewhere loopback alone is listened to."""
    if not netns.inside():
        return
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        for number, address in enumerate(_FORBIDDEN):
            name = f"lo:{number}".encode()
            packed = struct.pack("16sH2s4s8x", name, socket.AF_INET, b"\0\0", socket.inet_aton(address))
            fcntl.ioctl(link, _SIOCSIFADDR, packed)
