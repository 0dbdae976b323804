"""The guard itself."""

from __future__ import annotations

import socket

import pytest

from tests import guard


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("10.0.0.1", 80)])
def test_leaving_loopback_is_refused_and_remembered(address: tuple[str, int]) -> None:
    with socket.socket() as sock, pytest.raises(OSError, match="do not leave loopback"):
        sock.connect(address)
    assert guard._trespasses == [address[0]]
    guard._trespasses.clear()


def test_a_datagram_out_is_refused() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sock, pytest.raises(OSError, match="do not leave loopback"):
        sock.sendto(b"x", ("192.0.2.1", 53))
    guard._trespasses.clear()


def test_loopback_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass
    assert guard._trespasses == []
