"""The listening socket: bound once, by whoever comes first, and handed on."""

from __future__ import annotations

import errno
import os
import socket

from django.conf import settings

FD_VARIABLE = "FEDISEC_LISTEN_FD"
_BACKLOG = 1024


class CannotStart(OSError):
    """One line that says why there is nothing to start; `manage.py` prints it and exits with 1."""


def listening_socket(address: str = "") -> socket.socket:
    """The socket named by FEDISEC_LISTEN_FD, else a new one on `address` ("HOST:PORT", by default loopback
    and PORT).  CannotStart when the port is taken."""
    inherited = os.environ.get(FD_VARIABLE)
    if inherited:
        return _inherited(inherited)
    host, _, port = address.rpartition(":")
    if address and not port.isdigit():
        raise CannotStart(f"not HOST:PORT: {address}")
    host, number = (host.strip("[]") or "127.0.0.1"), int(port or settings.PORT)
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, number), family=family, backlog=_BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CannotStart(f"port {number} is in use by another program; set PORT to a free one") from None
        raise CannotStart(f"cannot listen on {host}:{number}: {os.strerror(error.errno or 0)}") from None


def _inherited(number: str) -> socket.socket:
    try:
        return socket.socket(fileno=int(number))
    except (ValueError, OSError):
        raise CannotStart(f"{FD_VARIABLE} names no open socket: {number}") from None
