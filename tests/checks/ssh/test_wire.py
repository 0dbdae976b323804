"""The parser of an SSH server's first words."""

from __future__ import annotations

import struct
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.errors import ParseError
from checks.facts.ssh import SshAlgorithms
from checks.parse.ssh_wire import disconnect_text, parse_kexinit, split_banner


def packet(payload: bytes) -> bytes:
    padding = 16 - (5 + len(payload)) % 8
    return struct.pack(">IB", 1 + len(payload) + padding, padding) + payload + bytes(padding)


def kexinit(*lists: str, tail: bytes = bytes(5)) -> bytes:
    packed = b"".join(struct.pack(">I", len(x)) + x.encode("latin-1") for x in lists)
    return packet(b"\x14" + bytes(16) + packed + tail)


GOOD = ("curve25519-sha256,kex-strict-s-v00@openssh.com", "ssh-ed25519", "aes128-ctr", "aes256-ctr,aes128-ctr",
        "hmac-sha2-256", "hmac-sha2-256", "none", "none", "", "")  # fmt: skip


@pytest.mark.parametrize(
    ("opening", "banner", "rest"),
    [
        (b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\nrest", "SSH-2.0-OpenSSH_9.2p1 Debian-2", b"rest"),
        (b"SSH-2.0-x\nrest", "SSH-2.0-x", b"rest"),
        (b"Welcome\r\nto you\r\nSSH-1.99-x\r\n", "SSH-1.99-x", b""),
        (b"SSH-2.0-\x1b[31mred\r\n", "SSH-2.0-�[31mred", b""),
    ],
)
def test_the_identification_is_found(opening: bytes, banner: str, rest: bytes) -> None:
    assert split_banner(opening) == (banner, rest)


@pytest.mark.parametrize(
    "opening", [b"", b"SSH-2.0-cut", b"220 mail ready\r\n", b"HTTP/1.1 400 Bad\r\n\r\n", b"line\r\n" * 1000]
)
def test_no_identification_is_an_error(opening: bytes) -> None:
    with pytest.raises(ParseError):
        split_banner(opening)


def test_lists_of_both_directions_are_joined() -> None:
    assert parse_kexinit(kexinit(*GOOD)) == SshAlgorithms(
        ("curve25519-sha256", "kex-strict-s-v00@openssh.com"),
        ("ssh-ed25519",),
        ("aes256-ctr", "aes128-ctr"),
        ("hmac-sha2-256",),
    )


def test_ignore_and_debug_may_stand_before() -> None:
    before = packet(b"\x02" + bytes(4)) + packet(b"\x04" + bytes(9))
    assert parse_kexinit(before + kexinit(*GOOD)).host_keys == ("ssh-ed25519",)


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        kexinit(*GOOD)[:-20],
        kexinit(*GOOD[:6]),
        kexinit("", *GOOD[1:]),
        kexinit("a,,b", *GOOD[1:]),
        kexinit("nul\0", *GOOD[1:]),
        kexinit(",".join(["x"] * 300), *GOOD[1:]),
        kexinit(*GOOD[:8], tail=b""),
        packet(b"\x1e" + bytes(20)),
        packet(b"\x02" + bytes(4)) * 10 + kexinit(*GOOD),
        b"\xff\xff\xff\xff" + bytes(100),
        b"\0\0\0\x02\x05" + bytes(20),
        struct.pack(">IB", 30, 29) + bytes(40),
    ],
)
def test_what_is_no_whole_kexinit_is_an_error(stream: bytes) -> None:
    with pytest.raises(ParseError):
        parse_kexinit(stream)


def test_a_disconnect_tells_why() -> None:
    text = b"Too many authentication failures\x07"
    stream = packet(b"\x01" + struct.pack(">II", 2, len(text)) + text + bytes(4))
    assert disconnect_text(stream) == "Too many authentication failures�"
    assert disconnect_text(b"") == disconnect_text(kexinit(*GOOD)) == disconnect_text(packet(b"\x01")) == ""


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.binary(max_size=8192), st.binary(max_size=2000).map(lambda tail: kexinit(*GOOD)[:40] + tail))
)
def test_any_bytes_give_lists_or_an_error_and_quickly(data: bytes) -> None:
    begun = time.perf_counter()
    for parse in (split_banner, parse_kexinit):
        try:
            parse(data)
        except ParseError:
            continue
    disconnect_text(data)
    assert time.perf_counter() - begun < 0.05
