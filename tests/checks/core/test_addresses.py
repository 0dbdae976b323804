"""The address rule, by table and against a second opinion."""

from __future__ import annotations

import ipaddress
import random

import pytest

from checks.probes.addresses import is_public, may_dial, parse_networks

NOT_PUBLIC = """
0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.127.255.255 127.0.0.1 127.66.0.1 169.254.169.254 172.16.0.1
172.31.255.255 192.0.0.8 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.7 203.0.113.9 224.0.0.1
239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 ::127.0.0.1 ::ffff:10.0.0.1 ::ffff:100.64.0.1 ::ffff:169.254.169.254 64:ff9b::7f00:1 64:ff9b::a00:1
64:ff9b:1::1 100::1 2001::1 2001:2::1 2001:db8::1 2002:7f00:1:: 2002:a00:1:: 3fff::1 5f00::1 fc00::1 fd66::10
fe80::1 fec0::1 ff02::1
""".split()
PUBLIC = """
1.1.1.1 8.8.8.8 100.63.255.255 100.128.0.1 172.32.0.1 192.0.1.1 198.20.0.1 223.255.255.254
2606:4700::1111 2a00:1450:4001::1 2001:4860:4860::8888 ::ffff:8.8.8.8 64:ff9b::808:808 2002:808:808::1
""".split()


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_special_addresses_are_never_dialled(address: str) -> None:
    assert not is_public(address)
    assert not may_dial(address, ())


@pytest.mark.parametrize("address", PUBLIC)
def test_global_addresses_are_dialled(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("text", ["", "localhost", "1.2.3", "0x7f000001", "2130706433", "1.2.3.4 ", "::1%lo"])
def test_what_is_no_plain_address_is_never_dialled(text: str) -> None:
    assert not may_dial(text, ())


def test_an_operators_network_is_allowed_and_nothing_beside_it() -> None:
    allowed = parse_networks(["127.66.0.0/16", "fd66::/64"])
    assert may_dial("127.66.0.10", allowed) and may_dial("fd66::10", allowed)
    assert not may_dial("127.67.0.10", allowed) and not may_dial("fd67::10", allowed)


def test_a_second_implementation_agrees() -> None:
    """Python's own `is_global` may call special addresses global, but never the other way round."""
    rng = random.Random(7)
    for _ in range(20_000):
        v4 = ipaddress.IPv4Address(rng.getrandbits(32))
        if is_public(v4):
            assert v4.is_global and not v4.is_multicast and not v4.is_reserved, v4
        v6 = ipaddress.IPv6Address((0b001 << 125) | rng.getrandbits(125))
        if is_public(v6) and v6.sixtofour is None:
            assert v6.is_global and not v6.is_multicast, v6
