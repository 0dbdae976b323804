"""No test leaves loopback: whoever tries gets "network unreachable", and the test fails.

Loaded by pyproject.toml (`-p tests.guard`).  Child processes are not seen here; they run in the same network
namespace, which has no way out.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

import pytest

_ALLOWED = tuple(ipaddress.ip_network(n) for n in ("127.0.0.0/8", "::1/128", "fd66::/64"))
_trespasses: list[str] = []


def _outside(sock: socket.socket, address: Any) -> str | None:
    """The address when it is not on this machine."""
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return None
    host = str(address[0])
    if host in {"localhost", ""}:
        return None
    try:
        ip = ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        return host
    inner = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped else ip
    return None if any(inner in n for n in _ALLOWED if n.version == inner.version) else host


class _Guarded:
    """The guarded methods, put in the place of those of socket.socket."""

    connect_before = socket.socket.connect
    connect_ex_before = socket.socket.connect_ex
    sendto_before = socket.socket.sendto

    @staticmethod
    def connect(sock: socket.socket, address: Any) -> None:
        if (host := _outside(sock, address)) is not None:
            # Connecting a datagram socket sends nothing: probes ask the routing table that way.
            _refuse(host, remember=sock.type != socket.SOCK_DGRAM)
        _Guarded.connect_before(sock, address)

    @staticmethod
    def connect_ex(sock: socket.socket, address: Any) -> int:
        if (host := _outside(sock, address)) is not None:
            _trespasses.append(host)
            return errno.ENETUNREACH
        return _Guarded.connect_ex_before(sock, address)

    @staticmethod
    def sendto(sock: socket.socket, data: Any, *rest: Any) -> int:
        if (host := _outside(sock, rest[-1])) is not None:
            _refuse(host, remember=True)
        return _Guarded.sendto_before(sock, data, *rest)


def _refuse(host: str, *, remember: bool) -> None:
    if remember:
        _trespasses.append(host)
    raise OSError(errno.ENETUNREACH, f"the tests do not leave loopback: {host}")


def pytest_configure(config: pytest.Config) -> None:
    socket.socket.connect = _Guarded.connect  # type: ignore[method-assign,assignment]
    socket.socket.connect_ex = _Guarded.connect_ex  # type: ignore[method-assign,assignment]
    socket.socket.sendto = _Guarded.sendto  # type: ignore[method-assign,assignment]


@pytest.fixture(autouse=True)
def _stay_on_loopback() -> Iterator[None]:
    _trespasses.clear()
    yield
    assert not _trespasses, f"the test tried to reach {', '.join(_trespasses)}"
