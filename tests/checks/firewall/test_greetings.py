"""Telling services by their first bytes: any bytes, quickly, and nothing that is not meant."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.clean import clean
from checks.parse import greetings

READERS = (
    greetings.redis, greetings.postgresql, greetings.mysql, greetings.memcached, greetings.mongodb,
    greetings.epmd, greetings.http, greetings.docker, greetings.greeting,
)  # fmt: skip
BEGINNINGS = st.sampled_from(
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nserver:",
        b"<title",
        b"+PONG",
        b"\x4a\0\0\0\x0a",
        b"\x05\0\0\0\xff",
    ]
)


@settings(max_examples=300, deadline=None)
@given(BEGINNINGS, st.binary(max_size=8192))
def test_any_bytes_are_read_quickly(begin: bytes, data: bytes) -> None:
    for read in READERS:
        begun = time.perf_counter()
        found = read(begin + data)
        assert time.perf_counter() - begun < 0.05, read.__name__
        assert found is None or clean(found.proof, 600, newlines=False) == found.proof


@pytest.mark.parametrize(
    "blow_up", [b"<title" * 2000, b"<title>" * 2000, b"server:" * 2000, b"\nserver:" + b" " * 9000]
)
def test_nothing_is_slow_on_purpose(blow_up: bytes) -> None:
    begun = time.perf_counter()
    greetings.http(b"HTTP/1.1 200 OK\r\n" + blow_up)
    assert time.perf_counter() - begun < 0.05


@pytest.mark.parametrize(
    ("read", "data"),
    [
        (greetings.redis, b"-ERR unknown command"),
        (greetings.redis, b"PONG"),
        (greetings.postgresql, b"SN"),
        (greetings.postgresql, b"E"),
        (greetings.mysql, b"\x4a\0\0\0\x0a\x01\x02\0" + bytes(40)),
        (greetings.mysql, b"\x4a\0\0\0"),
        (greetings.memcached, b"ERROR\r\n"),
        (greetings.mongodb, bytes(12) + (1).to_bytes(4, "little") + b"isWritablePrimary"),
        (greetings.epmd, b"\0\0\x11"),
        (greetings.http, b"HTTP/1.1 abc\r\n"),
        (greetings.http, b"HTTP/2 200\r\n"),
        (greetings.greeting, b"hello"),
    ],
)  # fmt: skip
def test_what_does_not_follow_the_protocol_is_not_recognised(read: object, data: bytes) -> None:
    assert callable(read) and read(data) is None
